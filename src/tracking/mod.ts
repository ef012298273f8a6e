/**
 * Level 2: experiments, runs, metrics, datasets and logged models, with MLflow's meaning
 * (`mlflow/store/tracking/sqlalchemy_store.py` of 3.17.2) but serin's own words. Whatever returns is
 * on disk.
 */
export type { TrackingContext } from "./context.ts";
export {
  type Dataset,
  type DatasetInput,
  type Experiment,
  type KeyValue,
  type LoggedModel,
  type Metric,
  MODEL_STATUSES,
  type ModelStatus,
  type Run,
  RUN_STATUSES,
  type RunInfo,
  type RunStatus,
  type Stage,
  type View,
} from "./entities.ts";
export { type Experiments, type ExperimentSearch } from "./experiments.ts";
export {
  type DatasetFilter,
  type LoggedModelOrder,
  type LoggedModelSearch,
} from "./logged_model_search.ts";
export { type LoggedModels, type NewLoggedModel } from "./logged_models.ts";
export { type Metrics } from "./metrics.ts";
export { type DatasetSummary, type RunInputs } from "./run_inputs.ts";
export { type RunSearch } from "./run_search.ts";
export { type NewRun, type RunBatch, type Runs } from "./runs.ts";
export { TRACKING_MIGRATIONS } from "./schema.ts";
export { openTracking, type Tracking } from "./tracking.ts";
export { TRACKING_LIMITS } from "./validation.ts";
