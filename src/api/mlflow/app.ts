import { Hono, type MiddlewareHandler } from "hono";
import { notFoundResponse, toErrorResponse } from "./errors.ts";
import { mlflowRoutes } from "./routes.ts";
import type { MlflowServices } from "./services.ts";

/** An HTTP app that other rooms may add routes to. */
export type HttpApp = Hono;

/**
 * @param services what MLflow's routes answer from
 * @param parts.mount adds other routes, before the answer that there is no such route
 * @param parts.guard sees every request first, those of no route too
 * @returns the registry's whole HTTP app; unknown routes and failures are answered in MLflow's form
 */
export function createRegistryHttp(
  services: MlflowServices,
  parts: { mount?: (app: HttpApp) => void; guard?: MiddlewareHandler | undefined } = {},
): HttpApp {
  const app = new Hono();
  if (parts.guard !== undefined) app.use("*", parts.guard);
  app.route("/", mlflowRoutes(services));
  parts.mount?.(app);
  app.notFound((context) => notFoundResponse(context.req.method, context.req.path));
  app.onError((thrown) => toErrorResponse(thrown, services.log));
  return app;
}
