import type { Metrics } from "./metrics.ts";

/** What rollouts tell; the shape that `rollout`'s engine gives. */
export interface RolloutReadings {
  readonly running: readonly {
    readonly model: string;
    readonly canary: string;
    readonly phase: string;
    readonly step: number;
    readonly share: number;
    readonly canaryRequests: number;
    readonly evidence: Readonly<Record<string, number>>;
    readonly evidenceNeeded: number;
  }[];
  readonly decisions: readonly { model: string; phase: string; count: number }[];
  readonly labels: readonly {
    readonly model: string;
    readonly version: string;
    readonly labelled: number;
    readonly wrong: number;
  }[];
}

/** Declares the metrics of rollouts and labels, as the registry knows them. */
export function addRolloutMetrics(metrics: Metrics, read: () => RolloutReadings): void {
  addRunning(metrics, read);
  addTotals(metrics, read);
}

const LABELS = ["model", "model_version"] as const;

function addRunning(metrics: Metrics, read: () => RolloutReadings): void {
  const labels = LABELS;
  const running = (value: (rollout: RolloutReadings["running"][number]) => number) => () =>
    read().running.map((rollout) => ({
      labels: { model: rollout.model, model_version: rollout.canary },
      value: value(rollout),
    }));
  metrics.gauge({
    name: "serin_rollout_share_ratio",
    help: "Share of a model's traffic that the canary of a running rollout is given",
    labels,
  }, running((rollout) => rollout.share));
  metrics.gauge({
    name: "serin_rollout_step",
    help: "Step of a running rollout, from 0",
    labels,
  }, running((rollout) => rollout.step));
  metrics.gauge({
    name: "serin_rollout_phase",
    help: "1 for the phase that a running rollout is in: warmup, ramp or hold",
    labels: [...labels, "phase"],
  }, () =>
    read().running.map(({ model, canary, phase }) => ({
      labels: { model, model_version: canary, phase },
      value: 1,
    })));
  metrics.gauge({
    name: "serin_rollout_canary_requests",
    help: "Requests that the canary of a running rollout has served",
    labels,
  }, running((rollout) => rollout.canaryRequests));
  metrics.gauge(
    {
      name: "serin_rollout_evidence",
      help: "Evidence that the canary is worse (an e-value), by metric; immediate is their mean",
      labels: [...labels, "metric"],
    },
    () =>
      read().running.flatMap(({ model, canary, evidence }) =>
        Object.entries(evidence).map(([metric, value]) => ({
          labels: { model, model_version: canary, metric },
          value,
        }))
      ),
  );
  metrics.gauge({
    name: "serin_rollout_evidence_needed",
    help: "Evidence at which the canary of a running rollout is rolled back",
    labels,
  }, running((rollout) => rollout.evidenceNeeded));
}

function addTotals(metrics: Metrics, read: () => RolloutReadings): void {
  const labels = LABELS;
  metrics.counter({
    name: "serin_rollout_decisions_total",
    help: "Ended rollouts by how they ended",
    labels: ["model", "decision"],
  }, () =>
    read().decisions.map(({ model, phase, count }) => ({
      labels: { model, decision: phase },
      value: count,
    })));
  metrics.counter({
    name: "serin_labelled_rows_total",
    help: "Predicted rows whose truth has arrived",
    labels,
  }, () =>
    read().labels.map(({ model, version, labelled }) => ({
      labels: { model, model_version: version },
      value: labelled,
    })));
  metrics.counter({
    name: "serin_wrong_rows_total",
    help: "Predicted rows whose truth has arrived and is another class",
    labels,
  }, () =>
    read().labels.map(({ model, version, wrong }) => ({
      labels: { model, model_version: version },
      value: wrong,
    })));
}
