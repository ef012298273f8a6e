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
export { combineEvidence, guiltyMetrics } from "./combined_evidence.ts";
export { logGamma, logWeightedSum } from "./log_sum.ts";
export { eventsToPromote, eventsToRollBack, logNonInferiority } from "./non_inferiority.ts";
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
export { logSampleRatioFault, type StepAssignments } from "./sample_ratio.ts";
