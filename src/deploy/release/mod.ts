/**
 * Releases of an installation on Kubernetes: what an apply would change, applying it whole or not at
 * all, waiting until it is healthy, the way back, what happened and how it is. The cluster and the
 * registry come in through interfaces.
 */
export {
  type AppliedRelease,
  applyRelease,
  askWhoAmI,
  findRollbackRelease,
  type ReleaseContext,
  type ReleaseRequest,
} from "./apply_release.ts";
export {
  type ChampionEntry,
  type HistoryEntry,
  mergeHistory,
  type ReleaseEntry,
} from "./deploy_history.ts";
export {
  type AutoscalerStatus,
  type DeploymentStatus,
  findProblems,
  readStatus,
  type RegistryStatus,
  type WorkloadStatus,
} from "./deployment_status.ts";
export {
  type ModelMove,
  moveChallenger,
  moveChampion,
  planMove,
  type WantedModel,
} from "./model_move.ts";
export {
  CHALLENGER,
  CHAMPION,
  isRunning,
  type ModelRegistry,
  type RegisteredModel,
} from "./model_registry.ts";
export { type ModelRollback, rollbackModel } from "./model_rollback.ts";
export { diffObjects, type FieldChange, formatChange } from "./object_diff.ts";
export {
  changesAnything,
  checkPlan,
  FIELD_MANAGER,
  type PlannedAction,
  type PlannedObject,
  planObjects,
  type PlanRequest,
} from "./release_plan.ts";
export { type NewRelease, type Release, type ReleaseOutcome } from "./release_record.ts";
export { openReleaseStore, type ReleaseStore } from "./release_store.ts";
export { planTokens, readAdminToken, TOKENS_NAME, type TokensPlan } from "./tokens_secret.ts";
export type { Reporter, WaitEnd, Waiting } from "./waiting.ts";
export type { Health } from "./workload_health.ts";
