/** Pure numbers in, numbers out: tests that may be looked at at any moment, and quality metrics. */
export {
  AssignmentEvidence,
  defaultStartWeights,
  logAssignmentEvidence,
  logFactors,
  RATIO_GRID,
  RATIO_PRIOR,
  type StepEvents,
  strongestStart,
} from "./assignment_evidence.ts";
export {
  type ArmCounts,
  proportionLower,
  proportionUpper,
  rateDifferenceUpper,
} from "./beta_binomial.ts";
export {
  type CalibrationCurve,
  calibrationCurve,
  type CalibrationError,
  calibrationError,
} from "./calibration.ts";
export { clusteredMean, type Units } from "./clustered_mean.ts";
export { combineEvidence, guiltyMetrics } from "./combined_evidence.ts";
export { type AucComponents, aucComponents, aucInterval, delongTest } from "./delong.ts";
export {
  incompleteBeta,
  normalCdf,
  normalQuantile,
  studentCdf,
  studentQuantile,
} from "./distributions.ts";
export type { Estimate, PairedDifference } from "./estimate.ts";
export { holmAdjust } from "./holm.ts";
export { logGamma, logWeightedSum } from "./log_sum.ts";
export { meanInterval, type MeanOptions } from "./mean_interval.ts";
export { eventsToPromote, eventsToRollBack, logNonInferiority } from "./non_inferiority.ts";
export { mcnemarMidP, type PairedCounts, pairedProportions } from "./paired_proportions.ts";
export { proportionInterval } from "./proportion_interval.ts";
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
export { type RatioInterval, ratioInterval } from "./ratio_interval.ts";
export { rowsNeeded, type RowsQuestion } from "./rows_needed.ts";
export { logSampleRatioFault, type StepAssignments } from "./sample_ratio.ts";
