import type { Metrics } from "../../telemetry/mod.ts";
import type { PredictionLogStats } from "./prediction_log.ts";
import type { PredictionReceiverStats } from "./prediction_receiver.ts";
import type { PredictionSenderStats } from "./prediction_sender.ts";

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

/** Declares the metrics of a prediction log that is sent. */
export function addPredictionSenderMetrics(
  metrics: Metrics,
  read: () => PredictionSenderStats,
): void {
  metrics.counter({
    name: "serin_prediction_log_sent_rows_total",
    help: "Rows of the prediction log that the receiver has taken",
    labels: [],
  }, () => [{ labels: {}, value: read().sentRows }]);
  metrics.gauge({
    name: "serin_prediction_log_unsent_rows",
    help: "Rows in the prediction log that the receiver has not taken yet",
    labels: [],
  }, () => [{ labels: {}, value: read().unsentRows }]);
  metrics.gauge({
    name: "serin_prediction_log_receiver_reachable",
    help: "1 while the receiver takes the prediction log, else 0",
    labels: [],
  }, () => [{ labels: {}, value: read().reachable ? 1 : 0 }]);
}

/**
 * Declares the metrics of what receives prediction logs. Rows and labels have names of their own: sums
 * over all processes would count them twice.
 *
 * @param read.received batches by what they were answered with
 */
export function addPredictionReceiverMetrics(
  metrics: Metrics,
  read: { stats: () => PredictionReceiverStats; received: ReadonlyMap<string, number> },
): void {
  metrics.counter({
    name: "serin_prediction_log_received_total",
    help: "Batches of prediction logs by outcome: taken, or the code of the error",
    labels: ["outcome"],
  }, () => [...read.received].map(([outcome, value]) => ({ labels: { outcome }, value })));
  metrics.counter({
    name: "serin_prediction_log_received_rows_total",
    help: "Rows of prediction logs that were taken",
    labels: ["model"],
  }, () => [...read.stats().rows].map(([model, value]) => ({ labels: { model }, value })));
  metrics.counter({
    name: "serin_prediction_log_received_labels_total",
    help: "Labels of prediction logs that were taken",
    labels: [],
  }, () => [{ labels: {}, value: read.stats().labels }]);
  metrics.counter({
    name: "serin_prediction_log_refused_rows_total",
    help: "Rows of blocks of prediction logs that could not be read",
    labels: [],
  }, () => [{ labels: {}, value: read.stats().refusedRows }]);
  metrics.gauge({
    name: "serin_prediction_log_bytes",
    help: "Bytes of the prediction log in use",
    labels: [],
  }, () => [{ labels: {}, value: read.stats().bytes }]);
}
