import { BY, promql } from "../rule_options.ts";
import type { Alert, AlertGroup, InputSeries } from "../rule_shape.ts";
import { endsAfter, gauge, missing } from "../sample_values.ts";

const REGISTRY = 'job="registry",instance="r:5000"';
const CANARY = `${REGISTRY},model="electricity",model_version="2"`;
const UP: InputSeries = { series: `up{${REGISTRY}}`, values: gauge(1, 480) };

/** Rollouts that ended without a promotion, or do not get on. */
export function rolloutGroup(): AlertGroup {
  return {
    name: "serin-rollout",
    recordings: [],
    alerts: [
      ended({
        name: "SerinRolloutRolledBack",
        decision: "rolled_back",
        summary: "{{ $labels.model }}: a rollout was rolled back; the stable version has all " +
          "traffic again",
        action: "Read the verdict with serin canary explain and what the canary did worse; do " +
          "not start it again unchanged.",
      }),
      ended({
        name: "SerinRolloutInconclusive",
        decision: "inconclusive",
        summary: "{{ $labels.model }}: a rollout ended without a decision; a person has to take it",
        action: "Read the verdict with serin canary explain, then promote or abort it through " +
          "the registry's API or page.",
      }),
      held(),
      stuck(),
    ],
  };
}

function ended(
  { name, decision, summary, action }: Pick<Alert, "name" | "summary" | "action"> & {
    decision: string;
  },
): Alert {
  const counted = `serin_rollout_decisions_total{decision="${decision}"}`;
  const decisions = (of: string, values: string) => ({
    series: `serin_rollout_decisions_total{${REGISTRY},model="electricity",decision="${of}"}`,
    values,
  });
  return {
    name,
    severity: "ticket",
    // A model's first decision makes the series: it has no increase. That the registry was scraped
    // before tells it from one that Prometheus has just come to know.
    expr: promql(
      `sum by (${BY.model}) (`,
      `  (${counted} - ${counted} offset 1h > 0)`,
      `  or ((${counted} unless ${counted} offset 1h)`,
      "    and on (namespace, job, instance) up offset 1h == 1)",
      ")",
    ),
    for: "1m",
    summary,
    action,
    fires: [{
      name: "at a model's first",
      series: [UP, decisions(decision, `${missing(90)} ${gauge(1, 200)}`)],
      at: "100m",
      labels: { model: "electricity" },
    }, {
      name: "at one more",
      series: [UP, decisions(decision, `${gauge(3, 90)} ${gauge(4, 200)}`)],
      at: "100m",
      labels: { model: "electricity" },
    }],
    quiet: [{
      name: "an hour later, and at a promotion",
      series: [
        UP,
        decisions(decision, `${gauge(3, 30)} ${gauge(4, 200)}`),
        decisions("promoted", `${missing(90)} ${gauge(1, 200)}`),
      ],
      at: "100m",
    }, {
      name: "when Prometheus has just come to know an old registry",
      series: [
        { ...UP, values: `${missing(90)} ${gauge(1, 200)}` },
        decisions(decision, `${missing(90)} ${gauge(7, 200)}`),
      ],
      at: "100m",
    }],
  };
}

function held(): Alert {
  const phase = (name: string, values: string) => ({
    series: `serin_rollout_phase{${CANARY},phase="${name}"}`,
    values,
  });
  return {
    name: "SerinRolloutHeld",
    severity: "ticket",
    expr: `max by (${BY.version}) (serin_rollout_phase{phase="hold"}) == 1`,
    for: "1h",
    summary: "{{ $labels.model }}: the rollout of {{ $labels.model_version }} has been held for " +
      "an hour: it has not shown that it is as good, or its counts cannot be trusted",
    action: "Ask serin canary explain what is missing: more requests or labels, or a replica " +
      "that dies or counts wrongly.",
    fires: [{
      name: "after an hour of hold",
      series: [phase("hold", gauge(1, 200))],
      at: "90m",
      labels: { model: "electricity", model_version: "2" },
    }],
    quiet: [{
      name: "when it is promoted within the hour",
      series: [phase("hold", endsAfter(gauge(1, 50)))],
      at: "90m",
    }, {
      name: "while it ramps",
      series: [phase("ramp", gauge(1, 200))],
      at: "90m",
    }],
  };
}

function stuck(): Alert {
  const step = (values: string) => ({ series: `serin_rollout_step{${CANARY}}`, values });
  return {
    name: "SerinRolloutStuck",
    severity: "ticket",
    expr: promql(
      `max by (${BY.version}) (changes(serin_rollout_step[6h])) == 0`,
      `and max by (${BY.version}) (serin_rollout_step offset 6h) >= 0`,
      `and max by (${BY.version}) (serin_rollout_step) >= 0`,
    ),
    for: "10m",
    summary: "{{ $labels.model }}: the rollout of {{ $labels.model_version }} has been at the " +
      "same step for 6 hours",
    action: "Ask serin canary explain what the step waits for: requests, labels, or replicas " +
      "that cannot load the version.",
    fires: [{
      name: "after 6 hours at one step",
      series: [step(`${gauge(0, 20)} ${gauge(1, 440)}`)],
      at: "420m",
      labels: { model: "electricity", model_version: "2" },
    }],
    quiet: [{
      name: "when it went on an hour ago",
      series: [step(`${gauge(0, 20)} ${gauge(1, 330)} ${gauge(2, 100)}`)],
      at: "420m",
    }, {
      name: "when it has ended",
      series: [step(endsAfter(gauge(1, 400)))],
      at: "420m",
    }, {
      name: "when it has begun an hour ago",
      series: [step(`${missing(360)} ${gauge(0, 100)}`)],
      at: "420m",
    }],
  };
}
