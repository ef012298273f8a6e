import type { Retrainer, RetrainStore } from "../retrain/mod.ts";
import type { Metrics } from "../telemetry/mod.ts";

/** `serin_retrain_*`: what was decided, and what is under way. */
export function addRetrainMetrics(
  metrics: Metrics,
  { retrainer, store, webhooks }: {
    retrainer: Pick<Retrainer, "running">;
    store: Pick<RetrainStore, "counts" | "unended" | "lastTrainings">;
    /** Webhooks by what they were answered with. */
    webhooks: ReadonlyMap<string, number>;
  },
): void {
  metrics.counter({
    name: "serin_retrain_decisions_total",
    help: "What came of alerts, and how retrainings ended",
    labels: ["model", "decision"],
  }, () =>
    store.counts().map(({ model, decision, count }) => ({
      labels: { model, decision },
      value: count,
    })));
  metrics.gauge({
    name: "serin_retrain_running",
    help: "Retrainings that are worked on now",
    labels: [],
  }, () => [{ labels: {}, value: retrainer.running }]);
  metrics.gauge({
    name: "serin_retrain_pending",
    help: "Retrainings that wait for a person's approval",
    labels: [],
  }, () => [{
    labels: {},
    value: store.unended().filter(({ state }) => state === "pending").length,
  }]);
  metrics.counter({
    name: "serin_retrain_webhooks_total",
    help: "Webhooks by outcome: taken, or the code of the error that they were answered with",
    labels: ["outcome"],
  }, () => [...webhooks].map(([outcome, value]) => ({ labels: { outcome }, value })));
  metrics.gauge({
    name: "serin_last_training_timestamp_seconds",
    help: "When the last retraining of a model had trained, seconds since the epoch",
    labels: ["model"],
  }, () =>
    store.lastTrainings().map(({ model, endedMs }) => ({
      labels: { model },
      value: endedMs / 1000,
    })));
}
