/** The port of the process that retrains: Alertmanager's webhook, history, approval. */
export { retrainRoutes, type RetrainRoutesOptions } from "./retrain_routes.ts";
