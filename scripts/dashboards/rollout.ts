import { bars, CHOSEN, lines, makeDashboard, number } from "./panels.ts";

const CANARY = "{{model}} v{{model_version}}";
const RATE = "[$__rate_interval]";
const byVersion = (expr: string) => `max by (model, model_version) (${expr})`;
const requests =
  `sum by (model, model_version) (rate(serin_inference_requests_total{${CHOSEN}}${RATE}))`;
const errors =
  `sum by (model, model_version) (rate(serin_inference_errors_total{${CHOSEN}}${RATE}))`;

/** What does a rollout do, and why? */
export const rollout = makeDashboard({
  name: "rollout",
  title: "rollout",
  description: "Running rollouts: shares, evidence, stable against canary; and how others ended.",
  modelsOf: "serin_model_age_seconds",
  rows: [
    ["Now", [
      number({
        title: "Running rollouts",
        description: "Rollouts that have not ended.",
        unit: "none",
        queries: [{
          expr: `count(serin_rollout_step{${CHOSEN}}) or vector(0)`,
          legend: "running",
        }],
      }),
      number({
        title: "Held",
        description:
          "Running rollouts that hold: something is not shown yet, or cannot be trusted.",
        unit: "none",
        limits: [[1, "orange"]],
        queries: [{
          expr: `count(serin_rollout_phase{${CHOSEN},phase="hold"}) or vector(0)`,
          legend: "held",
        }],
      }),
      number({
        title: "Largest canary share",
        description: "Share of its model's traffic that a canary is given.",
        unit: "percentunit",
        queries: [{
          expr: `max(serin_rollout_share_ratio{${CHOSEN}}) or vector(0)`,
          legend: "share",
        }],
      }),
      number({
        title: "Evidence against it",
        description: "The strongest evidence that a canary is worse, as a part of what rolls back.",
        unit: "percentunit",
        decimals: 1,
        limits: [[0.1, "orange"], [1, "red"]],
        queries: [{
          expr:
            `max(max by (model, model_version) (serin_rollout_evidence{${CHOSEN},metric=~"immediate|labels"}` +
            `) / ${byVersion(`serin_rollout_evidence_needed{${CHOSEN}}`)}) or vector(0)`,
          legend: "evidence",
        }],
      }),
      number({
        title: "Promoted",
        description: "Rollouts that ended with a promotion, ever.",
        unit: "none",
        queries: [{
          expr: `sum(serin_rollout_decisions_total{${CHOSEN},decision="promoted"}) or vector(0)`,
          legend: "promoted",
        }],
      }),
      number({
        title: "Rolled back",
        description: "Rollouts that ended with a rollback, ever.",
        unit: "none",
        queries: [{
          expr: `sum(serin_rollout_decisions_total{${CHOSEN},decision="rolled_back"}) or vector(0)`,
          legend: "rolled back",
        }],
      }),
    ]],
    ["Course", [
      lines({
        title: "Evidence that the canary is worse",
        description:
          "E-values by metric: 1 says nothing, what is needed rolls back; below 0.01 is shown as " +
          "0.01. Immediate is the weighed mean of errors and latencies.",
        unit: "none",
        many: true,
        logarithmic: true,
        queries: [
          {
            expr: "clamp_min(max by (model, model_version, metric) " +
              `(serin_rollout_evidence{${CHOSEN}}), 0.01)`,
            legend: `v{{model_version}} {{metric}}`,
          },
          {
            expr: byVersion(`serin_rollout_evidence_needed{${CHOSEN}}`),
            legend: `v{{model_version}} needed`,
          },
        ],
      }),
      lines({
        title: "Share of the canary",
        width: 8,
        description: "What the registry gives a canary; replicas follow within a second.",
        unit: "percentunit",
        min: 0,
        max: 1,
        steps: true,
        queries: [{ expr: byVersion(`serin_rollout_share_ratio{${CHOSEN}}`), legend: CANARY }],
      }),
      lines({
        title: "Requests of the canary",
        width: 8,
        description: "Requests that a canary has served since its rollout began.",
        unit: "short",
        min: 0,
        queries: [{ expr: byVersion(`serin_rollout_canary_requests{${CHOSEN}}`), legend: CANARY }],
      }),
      lines({
        title: "Step",
        width: 8,
        description: "Step of the plan, from 0. Six hours at one step are a ticket.",
        unit: "none",
        min: 0,
        decimals: 0,
        steps: true,
        queries: [{ expr: byVersion(`serin_rollout_step{${CHOSEN}}`), legend: CANARY }],
      }),
    ]],
    ["Stable against canary", [
      lines({
        title: "Requests",
        description: "Requests a second by version.",
        unit: "reqps",
        min: 0,
        queries: [{ expr: requests, legend: CANARY }],
      }),
      lines({
        title: "Failed",
        description: "Part of a version's requests that it failed.",
        unit: "percentunit",
        min: 0,
        queries: [{ expr: `(${errors} or 0 * ${requests}) / ${requests}`, legend: CANARY }],
      }),
      lines({
        title: "Latency p95",
        description: "95 of 100 requests of a version take less.",
        unit: "s",
        min: 0,
        queries: [{
          expr: "histogram_quantile(0.95, sum by (model, model_version, le) (rate(" +
            `serin_inference_duration_seconds_bucket{${CHOSEN}}${RATE})))`,
          legend: CANARY,
        }],
      }),
      lines({
        title: "Wrong, of labelled rows",
        description: "Part of the rows labelled just now that a version had predicted wrongly.",
        unit: "percentunit",
        min: 0,
        queries: [{
          expr:
            `sum by (model, model_version) (rate(serin_wrong_rows_total{${CHOSEN}}${RATE})) / ` +
            `sum by (model, model_version) (rate(serin_labelled_rows_total{${CHOSEN}}${RATE}))`,
          legend: CANARY,
        }],
      }),
    ]],
    ["Ended", [
      bars({
        title: "How rollouts ended",
        description: "Ended rollouts by model and decision, ever.",
        unit: "none",
        decimals: 0,
        min: 0,
        height: 7,
        queries: [{
          expr: `sum by (model, decision) (serin_rollout_decisions_total{${CHOSEN}})`,
          legend: "{{model}} {{decision}}",
        }],
      }),
      bars({
        title: "Progress of the running ones",
        description: "Requests that each canary has served, with the phase that it is in.",
        unit: "none",
        decimals: 0,
        min: 0,
        height: 7,
        queries: [{
          expr: "max by (model, model_version, phase) (serin_rollout_canary_requests" +
            `{${CHOSEN}} * on (namespace, model, model_version) group_right () ` +
            `serin_rollout_phase{${CHOSEN}})`,
          legend: "{{model}} v{{model_version}} {{phase}}",
        }],
      }),
    ]],
  ],
});
