import type { Hono } from "hono";
import { SerinError } from "../../core/mod.ts";
import { toErrorResponse } from "./errors.ts";
import type { MlflowServices } from "./services.ts";

/** The MLflow that the routes follow: what /version answers, for clients that ask. */
const MLFLOW_VERSION = "3.17.2";

/** What stock clients may ask for and serin does not have, below /api and /ajax-api. */
const NOT_IMPLEMENTED = [
  "/2.0/mlflow/traces",
  "/3.0/mlflow/traces",
  "/2.0/mlflow/unified-traces",
  "/2.0/mlflow/get-online-trace-details",
  "/2.0/mlflow/webhooks",
  "/2.0/mlflow/artifacts/presigned-upload-url",
  "/2.0/mlflow/artifacts/presigned-download-url",
  "/2.0/mlflow-artifacts/mpu",
  "/2.0/mlflow-artifacts/presigned",
  "/2.0/mlflow/users",
  "/3.0/mlflow/users",
  "/3.0/mlflow/roles",
  "/3.0/mlflow/datasets",
  "/3.0/mlflow/scorers",
  "/3.0/mlflow/gateway",
  "/3.0/mlflow/issues",
  "/3.0/mlflow/label-schemas",
  "/3.0/mlflow/prompt-optimization",
  "/3.0/mlflow/review-queues",
  "/3.0/mlflow/workspaces",
] as const;

/** Adds /health, /version, what the server can do, and 501 for what it cannot. */
export function addOtherRoutes(app: Hono, services: MlflowServices): void {
  app.get("/health", (context) => context.text("OK"));
  app.get("/version", (context) => context.text(MLFLOW_VERSION));
  const refuse = (path: string) => {
    const message = `serin does not have ${path}`;
    return toErrorResponse(new SerinError("not_implemented", message), services.log);
  };
  for (const prefix of ["/api", "/ajax-api"]) {
    app.get(`${prefix}/3.0/mlflow/server-info`, () => Response.json(SERVER_INFO));
    for (const path of NOT_IMPLEMENTED) {
      app.all(`${prefix}${path}`, () => refuse(path));
      app.all(`${prefix}${path}/*`, () => refuse(path));
    }
  }
  app.post("/v1/traces", () => refuse("/v1/traces"));
}

/** `build_server_info_payload` of MLflow: no multipart, no presigned URLs, no workspaces. */
const SERVER_INFO = {
  store_type: "SqlStore",
  workspaces_enabled: false,
  trace_archival_enabled: false,
  multipart_uploads_enabled: false,
  multipart_downloads_enabled: false,
  presigned_upload_run_id_supported: false,
  presigned_upload_model_id_supported: false,
  features_enabled: { gateway: false },
} as const;
