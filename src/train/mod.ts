/** Training: tables in, one ONNX graph with its evaluation out. */
export { type TrainedModel, trainModel, type TrainRequest } from "./train_model.ts";
export type { Evaluation, Metrics } from "./evaluation.ts";
export { type GbdtOptions, GbdtTrainer } from "./gbdt.ts";
export type { Calibration } from "./platt.ts";
export { Predictor } from "./predictor.ts";
export type { ColumnProfile } from "./profile.ts";
export { type NamedColumn, PARITY_TOLERANCE, type ReferenceRunner } from "./reference.ts";
export { type MetricPoint, type RunLog, type RunStart, thinHistory } from "./run_log.ts";
export { type ResolvedSpec, SPEC_SYNONYMS, type TrainSpec, trainSpecSchema } from "./spec.ts";
export { type TrackingOptions, trainTracked } from "./tracked_training.ts";
export type { Fitted, LabelledRows, OnRound, Trainer } from "./trainer.ts";
export type { Tree, TreeEnsemble } from "./tree_ensemble.ts";
