/**
 * Level 1: serin's own REST API (`/api/serin/v1/`) as schemas and a client with injected fetch. MLflow's
 * API, on the same server, is room `mlflow`.
 */
export { type AliasChange, aliasChangeSchema } from "./alias_changes.ts";
export { type ControlClient, type ControlClientOptions, createControlClient } from "./client.ts";
export { type ServingReplica, servingReplicaSchema } from "./replicas.ts";
export {
  HOLD_REASONS,
  METRICS,
  type MetricStatus,
  PHASES,
  type RolloutStatus,
  rolloutStatusSchema,
  type RolloutSummary,
  rolloutSummarySchema,
  type StartRollout,
} from "./rollouts.ts";
export {
  createRetrainClient,
  type RetrainClient,
  type Retraining,
  retrainingSchema,
} from "./retrainings.ts";
