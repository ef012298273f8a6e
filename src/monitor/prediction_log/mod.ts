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
  type LoggedLabel,
  PredictionLog,
  type PredictionLogOptions,
  type PredictionLogStats,
  type PredictionSink,
} from "./prediction_log.ts";
export {
  addPredictionLogMetrics,
  addPredictionReceiverMetrics,
  addPredictionSenderMetrics,
} from "./prediction_log_metrics.ts";
export { PredictionReceiver } from "./prediction_receiver.ts";
export { type LoggedRow, type PredictionFilter, PredictionReader } from "./prediction_reader.ts";
export { PredictionSender } from "./prediction_sender.ts";
export { RemoteReceiver } from "./remote_receiver.ts";
export { LOG_BYTES_MIN, type RingOptions } from "./prediction_ring.ts";
export type { DroppedRows, DropReason, RecordedPredictions } from "./prediction_recorder.ts";
