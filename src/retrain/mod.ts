/**
 * Level 2: retraining with brakes. Alerts come in, decisions are kept, and what no brake holds is
 * trained on fresh rows, gated and made challenger; the rollout of the registry decides the rest.
 */
export { type Alert, parseWebhook } from "./alert_webhook.ts";
export { type Brake, type BrakeName, BRAKES, type Decision } from "./brakes.ts";
export type { CollectedRows } from "./collected_rows.ts";
export type {
  CollectedData,
  DataCollector,
  GateVerdict,
  RegistryLook,
  RetrainGate,
  RetrainRegistry,
  RetrainTrainer,
  RowRange,
  TrainedVersion,
  TrainingOptions,
} from "./ports.ts";
export {
  type ModelRetraining,
  RETRAIN_SYNONYMS,
  type RetrainSpec,
  retrainSpecSchema,
  useOwnLog,
} from "./retrain_spec.ts";
export { type DecisionCount, RetrainStore } from "./retrain_store.ts";
export { Retrainer, type RetrainerOptions } from "./retrainer.ts";
export type {
  DecisionName,
  DecisionRecord,
  RunEnd,
  RunRecord,
  RunState,
  StepName,
  StepRecord,
} from "./retraining.ts";
export { RETRAIN_MIGRATIONS } from "./schema.ts";
