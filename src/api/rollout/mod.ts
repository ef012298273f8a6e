/** Sync, labels and rollouts over HTTP. */
export { type RolloutApi, rolloutRoutes, startRolloutSchema } from "./rollout_routes.ts";
