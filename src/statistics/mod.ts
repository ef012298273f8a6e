/** Pure numbers in, numbers out: tests that may be looked at at any moment, and quality metrics. */
export {
  accuracy,
  auc,
  brier,
  expectedCalibrationError,
  logLoss,
  mae,
  type QualityMetric,
  rmse,
} from "./quality.ts";
