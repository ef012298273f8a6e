/** `serin retrain serve` on a real registry and a real `serin serve`: from a webhook to a challenger. */
import { SeededRandom } from "../src/core/mod.ts";
import {
  assertEquals,
  assertIncludes,
  assertTrue,
  freePort,
  SerinProcess,
  type TestRegistry,
  until,
} from "../src/testing/mod.ts";
import { askAndLabel, drawRows, toCsv } from "./support/two_worlds.ts";
import { type Answer, ask, type Json, post, Workbench } from "./support/workbench.ts";

const MODEL = "slopes";
/** Rows that are asked and labelled in the new world. */
const ROWS = 1500;
const TRAIN = "gbdt: { trees: 40, leaves: 7, early_stopping: 10 }\n";
const GATE = "latency: { ratio_max: null }\n";

function webhook(changes: Record<string, unknown> = {}): Json {
  return {
    ...{ version: "4", groupKey: "{}", status: "firing", receiver: "retrain", truncatedAlerts: 0 },
    alerts: [{
      status: "firing",
      labels: { alertname: "SerinModelDegraded", model: MODEL, serin_retrain: "true" },
      annotations: { summary: "too many are wrong" },
      startsAt: "2026-11-24T10:00:00Z",
      endsAt: "0001-01-01T00:00:00Z",
      fingerprint: "c1fe9e3ba8c9f0d5",
      ...changes,
    }],
  };
}

interface Lab extends AsyncDisposable {
  readonly bench: Workbench;
  readonly api: TestRegistry;
  retrain(...more: string[]): Promise<SerinProcess>;
}

const countOf = (page: string, name: string) =>
  [...page.matchAll(new RegExp(`^${name}(?:\\{[^}]*\\})? (\\d+)`, "gm"))]
    .reduce((sum, [, value]) => sum + Number(value), 0);

/**
 * A champion of a world that is no more, and labelled rows of the new one in a prediction log.
 *
 * @param options.sentTo port of the retraining process that the log is sent to; it reads what it got
 */
async function openLab(brakes: string, { sentTo }: { sentTo?: number } = {}): Promise<Lab> {
  const bench = await Workbench.open();
  const { api } = await bench.registry();
  const random = new SeededRandom(3);
  await bench.write("old.csv", toCsv(drawRows(1500, 3, random)));
  await bench.write("train.yaml", TRAIN);
  await bench.write("gate.yaml", GATE);
  const { code, stderr } = await bench.run(
    ...["train", "--data", "old.csv", "--target", "target", "--spec", "train.yaml"],
    ...["--out", "first", "--registry", api.url, "--register", MODEL],
  );
  assertEquals(code, 0, stderr);
  await api.client.models.setAlias(MODEL, "champion", "1");
  const served = await bench.serve([
    ...["--registry", api.url, "--model", `models:/${MODEL}@champion`],
    ...["--prediction-log", bench.path("log")],
    ...(sentTo === undefined ? [] : ["--prediction-log-to", `http://localhost:${sentTo}`]),
  ]);
  for (let i = 0; i < 75; i++) await askAndLabel(served, MODEL, drawRows(20, -3, random));
  await until("the log has every row and label", async () => {
    const page = await served.metrics();
    return countOf(page, "serin_prediction_log_rows_total") >= ROWS &&
      countOf(page, "serin_prediction_log_labels_total") >= ROWS;
  });
  await bench.write(
    "retrain.yaml",
    `models:
  - model: ${MODEL}
    alerts: [SerinModelDegraded]
    data: { ${sentTo === undefined ? "prediction_log: [log], " : ""}rows_min: 500 }
    train: train.yaml
    gate: gate.yaml
    brakes: { new_labels_min: 1000, ${brakes} }
`,
  );
  return {
    bench,
    api,
    retrain: (...more) =>
      bench.start(
        ...["retrain", "serve", "--registry", api.url, "--spec", "retrain.yaml"],
        ...["--data", "retrain", "--port", `${sentTo ?? 0}`, ...more],
      ),
    [Symbol.asyncDispose]: () => bench[Symbol.asyncDispose](),
  };
}

async function ended(url: string, id: string): Promise<Json> {
  return await until("the retraining ends", async () => {
    const { json } = await ask(`${url}/api/serin/v1/retrainings/${id}`);
    return json.run.endedMs !== undefined && json.run;
  }, 90_000);
}

const decisionOf = ({ status, text, json }: Answer) => {
  assertEquals(status, 200, text);
  return json.decisions[0];
};

Deno.test("an alert retrains on fresh rows that a replica sent, gates, and makes a challenger", async () => {
  await using lab = await openLab("cooldown_minutes: 60", { sentTo: freePort() });
  const { bench, api } = lab;
  const retrain = await lab.retrain("--prediction-log", "received");
  await until("every row and label is received", async () => {
    const { text } = await ask(`${retrain.url}/metrics`);
    return countOf(text, "serin_prediction_log_received_rows_total") === ROWS &&
      countOf(text, "serin_prediction_log_received_labels_total") === ROWS;
  }, 40_000);
  const alerts = `${retrain.url}/v1/alerts`;
  const { id, decision, reason } = decisionOf(await post(alerts, webhook()));
  assertEquals(decision, "accepted", reason);
  assertEquals(decisionOf(await post(alerts, webhook())).decision, "duplicate");
  const run = await ended(retrain.url, id);
  assertEquals(run.state, "succeeded", run.reason);
  assertIncludes(run.reason, "version 2 passed and is challenger");
  const { aliases } = await api.client.models.get(MODEL);
  assertEquals(aliases.find(({ alias }) => alias === "challenger")?.version, "2");
  const { tags } = await api.client.versions.get(MODEL, "2");
  assertEquals(tags.find(({ key }) => key === "serin.gate")?.value, "passed");
  const [collect] = run.steps;
  assertEquals([collect.facts.rows, collect.facts.train.end], [1500, 1050]);
  assertEquals(collect.facts.source, "prediction log received");

  const at = ["--retrain", retrain.url];
  const explained = await bench.run("retrain", "explain", id, ...at);
  assertEquals(explained.code, 0, explained.stderr);
  for (const part of ["SerinModelDegraded", "few_labels", "1500 new labels", "succeeded", "gate"]) {
    assertIncludes(explained.stdout, part);
  }
  const history = await bench.run("retrain", "history", ...at);
  assertIncludes(history.stdout, "duplicate");
  assertIncludes(history.stdout, id);
  const { text } = await ask(`${retrain.url}/metrics`);
  assertIncludes(text, `serin_retrain_decisions_total{model="${MODEL}",decision="succeeded"} 1`);
  assertIncludes(text, "serin_retrain_running 0");
  assertIncludes(text, `serin_last_training_timestamp_seconds{model="${MODEL}"} `);
});

Deno.test("a retraining that is killed while it trains, and ended while it is judged, goes on", async () => {
  await using lab = await openLab("approval: true");
  const { bench, api } = lab;
  const first = await lab.retrain();
  const { id, decision } = decisionOf(await post(`${first.url}/v1/alerts`, webhook()));
  assertEquals(decision, "pending");
  const approved = await bench.run("retrain", "approve", id, "--retrain", first.url);
  assertEquals(approved.code, 0, approved.stderr);
  const during = (url: string, step: string) =>
    until(`it is at ${step}`, async () => {
      const { json } = await ask(`${url}/api/serin/v1/retrainings/${id}`);
      return json.run.state === step;
    });
  await during(first.url, "train");
  await first.kill();
  const second = await lab.retrain();
  await during(second.url, "gate");
  assertEquals((await second.stop()).code, 0, second.stderr);
  const third = await lab.retrain();
  const run = await ended(third.url, id);
  assertEquals(run.state, "succeeded", run.reason);
  assertEquals(run.steps.map(({ attempts }: Json) => attempts), [1, 2, 2, 1]);
  await bench.refused(
    ["retrain", "serve", "--registry", api.url, "--spec", "retrain.yaml", "--data", "retrain"],
    1,
    "another process is using it",
  );
  const { latest_versions } = await api.client.models.get(MODEL);
  assertEquals(Math.max(...latest_versions.map(({ version }) => Number(version))), 2);
});

Deno.test("bad specs, foreign webhooks and a missing token are refused", async () => {
  await using bench = await Workbench.open();
  const { api } = await bench.registry();
  const serve = [
    "retrain",
    "serve",
    "--registry",
    api.url,
    "--spec",
    "retrain.yaml",
    "--port",
    "0",
  ];
  await bench.refused(serve, 1, "--spec retrain.yaml");
  await bench.write("retrain.yaml", "models:\n  - modle: a\n    data: { csv: [a.csv] }\n");
  const unknown = await bench.run(...serve);
  assertEquals(unknown.code, 2);
  assertIncludes(
    unknown.stderr,
    'line 2: there is no setting "models.0.modle": did you mean "model"?',
  );
  await bench.write("retrain.yaml", "models:\n  - model: a\n    data: { csv: [a.csv] }\n");
  await bench.refused([...serve, "--host", "0.0.0.0"], 2, "--token-file");
  await bench.write("token", "a-token-0123456789\n");
  const retrain = await bench.start(...serve, "--token-file", "token");
  const alerts = `${retrain.url}/v1/alerts`, known = { authorization: "Bearer a-token-0123456789" };
  assertEquals((await post(alerts, webhook())).status, 401);
  assertEquals((await post(alerts, { alerts: [] }, known)).status, 400);
  assertEquals((await post(alerts, "no JSON", known)).status, 400);
  assertEquals((await post(alerts, webhook(), known)).status, 200);
  const { text } = await ask(`${retrain.url}/metrics`);
  assertIncludes(text, 'serin_retrain_webhooks_total{outcome="invalid_input"} 2');
  assertIncludes(text, 'serin_retrain_webhooks_total{outcome="unauthenticated"} 1');
  assertIncludes(text, 'serin_retrain_decisions_total{model="",decision="unknown_model"} 1');
  const refused = await bench.run("retrain", "history", "--retrain", retrain.url);
  assertEquals(refused.code, 1);
  assertIncludes(refused.stderr, "Retraining wants a token");
  assertIncludes(refused.stderr, "--token-file FILE, or in the environment as SERIN_RETRAIN_TOKEN");
  const shown = await bench.run(
    ...["retrain", "history", "--retrain", retrain.url, "--token-file", "token"],
  );
  assertIncludes(shown.stdout, "unknown_model");
});

Deno.test("Alertmanager's own token posts alerts, and does nothing else here or at the registry", async () => {
  await using bench = await Workbench.open();
  const ADMIN = "admin-token-0123456789", WEBHOOK = "webhook-token-0123456789";
  await bench.write("admin", `${ADMIN}\n`);
  await bench.write("webhook", `${WEBHOOK}\n`);
  const registry = await bench.start(
    ...["registry", "--port", "0", "--data", "registry", "--admin-token-file", "admin"],
  );
  await bench.write("retrain.yaml", "models:\n  - model: a\n    data: { csv: [a.csv] }\n");
  const serve = [
    ...["retrain", "serve", "--registry", registry.url, "--registry-token-file", "admin"],
    ...["--spec", "retrain.yaml", "--port", "0"],
  ];
  await bench.refused([...serve, "--webhook-token-file", "webhook"], 2, "no admin token");
  const same = ["--token-file", "admin", "--webhook-token-file", "admin"];
  const said = await bench.refused([...serve, ...same], 2, "admin and webhook have the same token");
  assertTrue(!said.includes(ADMIN), said);

  const env = { SERIN_RETRAIN_WEBHOOK_TOKEN: WEBHOOK };
  const retrain = bench.begin([...serve, "--token-file", "admin"], env);
  await until("it listens", () => retrain.stderr.includes("listening on http"));
  const own = { authorization: `Bearer ${WEBHOOK}` };
  const alerts = `${retrain.url}/v1/alerts`;
  assertEquals((await post(alerts, webhook(), own)).status, 200);
  assertEquals((await post(alerts, webhook(), { authorization: `Bearer ${ADMIN}` })).status, 200);
  const approve = `${retrain.url}/api/serin/v1/retrainings/t1/approve`;
  assertEquals((await post(approve, {}, own)).status, 403);
  const predictions = `${retrain.url}/api/serin/v1/predictions?log=x`;
  assertEquals((await ask(predictions, { headers: own })).status, 403);
  const history = await bench.run(
    ...["retrain", "history", "--retrain", retrain.url, "--token-file", "webhook"],
  );
  assertEquals(history.code, 1);
  assertIncludes(history.stderr, "The webhook's token may not GET /api/serin/v1/retrainings");
  assertIncludes(history.stderr, "give the admin's with --token-file FILE");
  const models = `${registry.url}/api/2.0/mlflow/registered-models/search`;
  assertEquals((await ask(models, { headers: own })).status, 401);
  assertTrue(!retrain.stderr.includes(WEBHOOK), "no token is in a log");
});
