import { LATENCY_BUCKETS, SCORE_BUCKETS, type StatsSnapshot } from "./inference_stats.ts";
import type { Metrics } from "./metrics.ts";

/** Declares the metrics of inference over the sums of all data isolates. */
export function addInferenceMetrics(metrics: Metrics, read: () => StatsSnapshot): void {
  const labels = ["model", "model_version"] as const;
  const labelsOf = ({ model, version }: { model: string; version: string }) => ({
    model,
    model_version: version,
  });
  metrics.counter({
    name: "serin_inference_requests_total",
    help: "Requests that a version answered or failed; the caller's own faults are left out",
    labels,
  }, () =>
    read().versions.map((stats) => ({
      labels: labelsOf(stats),
      value: stats.answered + Object.values(stats.failed).reduce((a, b) => a + b, 0),
    })));
  metrics.counter(
    {
      name: "serin_inference_errors_total",
      help: "Requests that a version failed, by reason",
      labels: [...labels, "reason"],
    },
    () =>
      read().versions.flatMap((stats) =>
        Object.entries(stats.failed).map(([reason, value]) => ({
          labels: { ...labelsOf(stats), reason },
          value,
        }))
      ),
  );
  metrics.histogram(
    {
      name: "serin_inference_duration_seconds",
      help: "Time that a version took for a request, without the transport",
      labels,
    },
    LATENCY_BUCKETS,
    () =>
      read().versions.map((stats) => ({
        labels: labelsOf(stats),
        counts: stats.latency,
        sum: stats.latencySum,
      })),
  );
  metrics.histogram(
    {
      name: "serin_prediction_probability_ratio",
      help: "Predicted probability of the second class, a sample a row",
      labels,
    },
    SCORE_BUCKETS,
    () =>
      read().versions.filter((stats) => stats.scores.some((count) => count > 0)).map((stats) => ({
        labels: labelsOf(stats),
        counts: stats.scores,
        sum: stats.scoreSum,
      })),
  );
  metrics.counter({
    name: "serin_http_responses_total",
    help: "Answers of the data port by HTTP status code",
    labels: ["code"],
  }, () => Object.entries(read().statuses).map(([code, value]) => ({ labels: { code }, value })));
}
