import { z } from "zod";
import { LIMITS, SerinError } from "../core/mod.ts";

const labels = z.record(z.string(), z.string());
const alertSchema = z.object({
  status: z.enum(["firing", "resolved"]),
  labels,
  annotations: labels.default({}),
  startsAt: z.iso.datetime({ offset: true }),
  fingerprint: z.string().min(1).max(64),
});

/** What matters of Alertmanager's webhook (version 4); what it may add later is let be. */
const webhookSchema = z.object({
  version: z.literal("4"),
  groupKey: z.string(),
  status: z.enum(["firing", "resolved"]),
  receiver: z.string(),
  truncatedAlerts: z.int().min(0).default(0),
  alerts: z.array(alertSchema).min(1).max(LIMITS.webhookAlertsMax),
});

/** One alert. */
export interface Alert {
  readonly name: string;
  readonly firing: boolean;
  /** The registered model that it is about; undefined where it has no such label. */
  readonly model: string | undefined;
  /** The same for the same labels, and the time since which it fires. */
  readonly fingerprint: string;
  readonly startsAt: string;
  readonly summary: string;
}

const PROBLEMS_MAX = 10;

/**
 * Reads the body of a webhook.
 *
 * @throws {SerinError} `invalid_input` that names every problem, where it is not Alertmanager's
 *
 * @example One alert
 * ```ts
 * import { parseWebhook } from "./mod.ts";
 * const [alert] = parseWebhook({
 *   version: "4", groupKey: "{}", status: "firing", receiver: "retrain",
 *   alerts: [{
 *     status: "firing", labels: { alertname: "SerinModelDegraded", model: "electricity" },
 *     annotations: {}, startsAt: "2026-11-24T10:00:00.000Z", fingerprint: "c1fe9e3ba8c9f0d5",
 *   }],
 * });
 * console.assert(alert.model === "electricity" && alert.firing);
 * ```
 */
export function parseWebhook(body: unknown): Alert[] {
  const parsed = webhookSchema.safeParse(body);
  if (!parsed.success) {
    const problems = parsed.error.issues.map(({ path, message }) =>
      `${path.map(String).join(".") || "the whole"}: ${message}`
    );
    throw refusal(problems);
  }
  const nameless = parsed.data.alerts.flatMap((alert, i) =>
    alert.labels.alertname ? [] : [`alerts.${i}.labels: alertname is missing`]
  );
  if (nameless.length > 0) throw refusal(nameless);
  return parsed.data.alerts.map(({ status, labels, annotations, startsAt, fingerprint }) => ({
    name: labels.alertname.slice(0, 200),
    firing: status === "firing",
    model: labels.model === undefined || labels.model === "" ? undefined : labels.model,
    fingerprint,
    startsAt,
    summary: (annotations.summary ?? "").slice(0, 500),
  }));
}

function refusal(problems: readonly string[]): SerinError {
  const more = problems.length > PROBLEMS_MAX ? ` and ${problems.length - PROBLEMS_MAX} more` : "";
  const text = problems.slice(0, PROBLEMS_MAX).join("; ");
  return new SerinError("invalid_input", `This is no webhook of Alertmanager: ${text}${more}`, {
    hint: "send the body of Alertmanager's webhook_configs (version 4) as it is",
  });
}
