import type { Message, Parsed } from "../../mlflow/mod.ts";
import type { MlflowServices } from "./services.ts";

/** The methods that MLflow's routes use. */
export type Method = "GET" | "POST" | "PUT" | "PATCH" | "DELETE";

/** One route of MLflow's REST API, as data. */
export interface Route {
  readonly method: Method;
  /** Below /api and /ajax-api, e.g. "/2.0/mlflow/runs/get". */
  readonly path: string;
  readonly message: Message;
  /** @returns the answer's JSON; undefined fields are left out */
  handle(request: never, services: MlflowServices): unknown;
}

/** Declares a route; there for its types. */
export function route<M extends Message>(
  method: Method,
  path: string,
  message: M,
  handle: (request: Parsed<M>, services: MlflowServices) => unknown,
): Route {
  return { method, path, message, handle };
}
