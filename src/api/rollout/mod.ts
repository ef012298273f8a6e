/** serin's own API over HTTP: sync, labels, rollouts, replicas, histories of aliases. */
export { observationRoutes, type ObservedParts } from "./observation_routes.ts";
export { type RolloutApi, rolloutRoutes, startRolloutSchema } from "./rollout_routes.ts";
