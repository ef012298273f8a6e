/**
 * The prediction log: what was asked, what was answered, and the labels that came later. Its recorder
 * (`prediction_recorder.ts`) runs in data isolates, which load no database.
 */
export {
  type ExportedPredictions,
  type ExportOptions,
  exportPredictions,
} from "./export_predictions.ts";
export type {
  LoggedAnswer,
  LoggedColumn,
  LoggedInput,
  PredictionBlock,
} from "./prediction_block.ts";
export {
  LOG_BYTES_MIN,
  type LoggedLabel,
  PredictionLog,
  type PredictionLogOptions,
  type PredictionLogStats,
  type PredictionSink,
} from "./prediction_log.ts";
export { addPredictionLogMetrics } from "./prediction_log_metrics.ts";
export { type LoggedRow, type PredictionFilter, PredictionReader } from "./prediction_reader.ts";
export type { DroppedRows, DropReason, RecordedPredictions } from "./prediction_recorder.ts";
