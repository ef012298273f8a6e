/** The gate: a candidate against limits and against the champion, on the same rows. */
export type { CheckOutcome, GateCheck, Relation } from "./check.ts";
export type { MetricName } from "./gate_metric.ts";
export type { GateModel, Predictions, TensorContract } from "./gate_model.ts";
export { exitCodeOf, type GateReport, reportJson } from "./gate_report.ts";
export { GATE_SYNONYMS, type GateSpec, gateSpecSchema } from "./gate_spec.ts";
export {
  GATE_FORCE_TAG,
  GATE_POLICY_TAG,
  GATE_REPORT_TAG,
  GATE_TAG,
  type GateOutcome,
  gateOutcomeOf,
  gateRefusal,
  gateTags,
} from "./gate_tags.ts";
export { junitReport } from "./report/junit_report.ts";
export { markdownReport } from "./report/markdown_report.ts";
export {
  checkHeader,
  checkRows,
  headRows,
  reasonRows,
  SLICE_HEADER,
  sliceRows,
} from "./report/report_rows.ts";
export { type GateRequest, runGate } from "./run_gate.ts";
