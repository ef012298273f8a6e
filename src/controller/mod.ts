/**
 * Level 2: makes Kubernetes look like the registry's state: a Rollout object a rollout, arguments of
 * serving Deployments, training Jobs. What it needs of the registry is {@linkcode RegistryPort}.
 */
export {
  Controller,
  type ControllerOptions,
  type ObjectSource,
  type Part,
  PARTS,
} from "./controller.ts";
export { CONTROLLER, KEYS, OWN_OBJECTS, ROLLOUT_API_VERSION } from "./labels.ts";
export { dnsLabelOf, rolloutObjectName, trainingJobName } from "./object_names.ts";
export { PartStats, RECONCILE_SECONDS } from "./part_stats.ts";
export type {
  RegistryModel,
  RegistryPort,
  RolloutDetail,
  RolloutHead,
  RolloutPhase,
} from "./registry_port.ts";
export type { Condition, RolloutObjectStatus } from "./rollout_object.ts";
export type { RemovalDelays } from "./serving_args.ts";
export {
  parseTrainingStatus,
  type TrainingRequest,
  type TrainingStatus,
} from "./training_request.ts";
