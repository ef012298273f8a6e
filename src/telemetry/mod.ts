/** Prometheus metrics: one naming scheme, read from their owners when they are scraped. */
export { addInferenceMetrics } from "./inference_metrics.ts";
export { InferenceStats, type StatsSnapshot, type VersionStats } from "./inference_stats.ts";
export { addLabelMetrics, LabelCounts } from "./label_metrics.ts";
export { type HistogramSample, type Labels, Metrics, type Sample } from "./metrics.ts";
export { addProcessMetrics } from "./process_metrics.ts";
export {
  addModelMetrics,
  addQualityMetrics,
  type AliasedVersion,
  type ModelReadings,
  type QualityReadings,
} from "./quality_metrics.ts";
export { addRolloutMetrics, type RolloutReadings } from "./rollout_metrics.ts";
export { sharedReading } from "./shared_reading.ts";
export { StatsTotals } from "./stats_totals.ts";
