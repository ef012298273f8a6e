/** Drift: what a model is asked and answers now, held against the profile that it was made with. */
export { type ColumnDrift, measureDrift, RATIO_ROWS_MIN, type VersionDrift } from "./drift.ts";
export { DriftBook, type ProfileState, type WatchedVersion } from "./drift_book.ts";
export { addDriftMetrics } from "./drift_metrics.ts";
export {
  type ColumnReference,
  type ModelProfile,
  parseModelProfile,
  WATCHED_COLUMNS_MAX,
} from "./model_profile.ts";
export { type StabilityIndex, stabilityIndex } from "./stability_index.ts";
export { type ColumnInput, VersionSketch } from "./version_sketch.ts";
