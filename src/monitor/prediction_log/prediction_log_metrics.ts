import type { Metrics } from "../../telemetry/mod.ts";
import type { PredictionLogStats } from "./prediction_log.ts";

/** Declares the metrics of a serving process's prediction log. */
export function addPredictionLogMetrics(metrics: Metrics, read: () => PredictionLogStats): void {
  metrics.counter({
    name: "serin_prediction_log_rows_total",
    help: "Rows that were written to the prediction log",
    labels: ["model"],
  }, () => [...read().rows].map(([model, value]) => ({ labels: { model }, value })));
  metrics.counter(
    {
      name: "serin_prediction_log_dropped_total",
      help: "Rows that the prediction log had to leave out",
      labels: ["model", "reason"],
    },
    () =>
      read().dropped.map(({ model, reason, rows }) => ({ labels: { model, reason }, value: rows })),
  );
  metrics.counter({
    name: "serin_prediction_log_labels_total",
    help: "Labels that were written to the prediction log",
    labels: [],
  }, () => [{ labels: {}, value: read().labels }]);
  metrics.counter({
    name: "serin_prediction_log_labels_dropped_total",
    help: "Labels that the prediction log had to leave out",
    labels: [],
  }, () => [{ labels: {}, value: read().labelsDropped }]);
  metrics.gauge({
    name: "serin_prediction_log_bytes",
    help: "Bytes of the prediction log in use",
    labels: [],
  }, () => [{ labels: {}, value: read().bytes }]);
}
