/** Rollouts: who serves what share, the evidence about it, and the decision. */
export { type AliasReason, CHALLENGER, type ModelCatalog } from "./catalog.ts";
export { RolloutEngine, type RolloutEngineOptions } from "./engine.ts";
export type { Metric } from "./evidence.ts";
export type { LabelQuality } from "./label_book.ts";
export { rolloutMigrations } from "./migrations.ts";
export { mustFallBack } from "./partition_guard.ts";
export {
  DEFAULT_PLAN,
  type RolloutPlan,
  type RolloutPlanInput,
  rolloutPlanSchema,
} from "./plan.ts";
export {
  DELAY_BOUNDS,
  type LabelDelay,
  type QualityReadings,
  type QualityWindow,
  type RealisedQuality,
} from "./quality_book.ts";
export type { RosterEntry } from "./replica_roster.ts";
export type { Phase } from "./rollout_state.ts";
export type {
  ArmStatus,
  MetricStatus,
  RolloutMetrics,
  RolloutStatus,
  RolloutSummary,
} from "./status.ts";
export {
  type Arm,
  ARMS,
  type Assignment,
  assignmentSchema,
  COUNTED,
  type Counted,
  LABEL_OUTCOMES,
  LABEL_REFUSALS,
  type LabelsAnswer,
  type LabelsRequest,
  labelsRequestSchema,
  type SyncAnswer,
  syncAnswerSchema,
  type SyncPeer,
  type SyncRequest,
  syncRequestSchema,
} from "./sync.ts";
export {
  createTokenSealer,
  isWrong,
  openToken,
  type PredictionToken,
  type TokenContent,
  type TokenKey,
  type TokenPrediction,
  type TokenSealer,
} from "./token.ts";
export { TokenKeyring } from "./token_keys.ts";
