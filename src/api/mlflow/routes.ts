import { Hono } from "hono";
import { addArtifactRoutes } from "./artifact_routes.ts";
import { toErrorResponse } from "./errors.ts";
import { EXPERIMENT_ROUTES } from "./experiment_routes.ts";
import { LOGGED_MODEL_ROUTES } from "./logged_model_routes.ts";
import { METRIC_ROUTES } from "./metric_routes.ts";
import { MODEL_VERSION_ROUTES } from "./model_version_routes.ts";
import { addOtherRoutes } from "./other_routes.ts";
import { REGISTERED_MODEL_ROUTES } from "./registered_model_routes.ts";
import { readMessage } from "./request.ts";
import type { Route } from "./route.ts";
import { RUN_ROUTES } from "./run_routes.ts";
import type { MlflowServices } from "./services.ts";

/** Every JSON route; those that carry files are in `artifact_routes.ts`. */
export const ROUTES: readonly Route[] = [
  ...EXPERIMENT_ROUTES,
  ...RUN_ROUTES,
  ...METRIC_ROUTES,
  ...LOGGED_MODEL_ROUTES,
  ...REGISTERED_MODEL_ROUTES,
  ...MODEL_VERSION_ROUTES,
];

/**
 * MLflow's REST API (3.17.2) as a Hono app: every route under /api and again under /ajax-api. Errors
 * are in MLflow's form, `{"error_code", "message"}`.
 *
 * @param services what the routes answer from
 */
export function mlflowRoutes(services: MlflowServices): Hono {
  const app = new Hono();
  for (const route of ROUTES) {
    for (const prefix of ["/api", "/ajax-api"]) {
      app.on(route.method, `${prefix}${route.path}`, async (context) => {
        try {
          const params = context.req.param() as Record<string, string>;
          const request = await readMessage(route.message, context.req.raw, params);
          return Response.json(route.handle(request as never, services) ?? {});
        } catch (thrown) {
          return toErrorResponse(thrown, services.log);
        }
      });
    }
  }
  addArtifactRoutes(app, services);
  addOtherRoutes(app, services);
  return app;
}
