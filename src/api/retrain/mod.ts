/** The port of the process that retrains: Alertmanager's webhook, history, approval. */
export type { RetrainRole } from "./retrain_access.ts";
export { retrainRoutes, type RetrainRoutesOptions } from "./retrain_routes.ts";
export {
  predictionRoutes,
  type PredictionRoutesOptions,
  type PredictionStore,
} from "./prediction_routes.ts";
