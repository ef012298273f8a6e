import { assertEquals, assertSerinError } from "../testing/mod.ts";
import { parseWebhook } from "./alert_webhook.ts";

// deno-lint-ignore no-explicit-any
function webhook(change: (body: any) => void = () => {}): unknown {
  const body = {
    version: "4",
    groupKey: '{}/{serin_retrain="true"}:{model="electricity"}',
    truncatedAlerts: 0,
    status: "firing",
    receiver: "retrain",
    groupLabels: { model: "electricity" },
    commonLabels: { alertname: "SerinModelDegraded", model: "electricity" },
    commonAnnotations: {},
    externalURL: "http://alertmanager:9093",
    alerts: [{
      status: "firing",
      labels: { alertname: "SerinModelDegraded", model: "electricity", model_version: "1" },
      annotations: { summary: "16 % of the labelled predictions are wrong" },
      startsAt: "2026-11-24T10:00:00.123456789Z",
      endsAt: "0001-01-01T00:00:00Z",
      generatorURL: "http://prometheus:9090/graph",
      fingerprint: "c1fe9e3ba8c9f0d5",
    }],
  };
  change(body);
  return body;
}

Deno.test("Alertmanager's webhook is read, and what it may add later is let be", () => {
  assertEquals(parseWebhook(webhook((body) => body.later = { added: true })), [{
    name: "SerinModelDegraded",
    firing: true,
    model: "electricity",
    fingerprint: "c1fe9e3ba8c9f0d5",
    startsAt: "2026-11-24T10:00:00.123456789Z",
    summary: "16 % of the labelled predictions are wrong",
  }]);
  const [resolved] = parseWebhook(webhook((body) => {
    body.alerts[0].status = "resolved";
    delete body.alerts[0].labels.model;
  }));
  assertEquals([resolved.firing, resolved.model], [false, undefined]);
});

Deno.test("what is no webhook of Alertmanager is refused, with every problem", async () => {
  const refused = (body: unknown, ...parts: string[]) =>
    assertSerinError(
      () => parseWebhook(body),
      "invalid_input",
      "no webhook of Alertmanager",
      ...parts,
    );
  for (const body of [null, 7, "text", [], {}, { alerts: [] }]) await refused(body);
  await refused(webhook((body) => body.version = "3"), "version");
  await refused(webhook((body) => body.alerts = []), "alerts");
  await refused(webhook((body) => body.alerts[0].labels = { model: "m" }), "alertname");
  await refused(
    webhook((body) => {
      body.status = "burning";
      body.alerts[0].startsAt = "yesterday";
      body.alerts[0].labels.model = 7;
      delete body.alerts[0].fingerprint;
    }),
    "status",
    "alerts.0.startsAt",
    "alerts.0.labels.model",
    "alerts.0.fingerprint",
  );
  await refused(webhook((body) => body.alerts = Array(1001).fill(body.alerts[0])), "alerts");
});
