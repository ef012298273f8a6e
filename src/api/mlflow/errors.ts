import { type ErrorCode, type Log, messageOf, SerinError } from "../../core/mod.ts";

/** serin's codes as MLflow's (`mlflow/exceptions.py`), with the status that MLflow's table has. */
const MLFLOW_CODES: Readonly<Record<ErrorCode, readonly [name: string, status: number]>> = {
  usage: ["INVALID_PARAMETER_VALUE", 400],
  configuration: ["INVALID_PARAMETER_VALUE", 400],
  invalid_input: ["INVALID_PARAMETER_VALUE", 400],
  invalid_data: ["INVALID_PARAMETER_VALUE", 400],
  invalid_model: ["INVALID_PARAMETER_VALUE", 400],
  unsupported_model: ["INVALID_PARAMETER_VALUE", 400],
  unauthenticated: ["UNAUTHENTICATED", 401],
  permission_denied: ["PERMISSION_DENIED", 403],
  not_found: ["RESOURCE_DOES_NOT_EXIST", 404],
  // Clients rely on the 400: register_model creates the name and goes on when it exists.
  already_exists: ["RESOURCE_ALREADY_EXISTS", 400],
  conflict: ["INVALID_STATE", 500],
  too_large: ["INVALID_PARAMETER_VALUE", 413],
  unsupported_media_type: ["INVALID_PARAMETER_VALUE", 415],
  limit_exceeded: ["REQUEST_LIMIT_EXCEEDED", 429],
  inference_failed: ["INTERNAL_ERROR", 500],
  internal: ["INTERNAL_ERROR", 500],
  not_implemented: ["NOT_IMPLEMENTED", 501],
  unavailable: ["TEMPORARILY_UNAVAILABLE", 503],
  not_ready: ["TEMPORARILY_UNAVAILABLE", 503],
  timeout: ["DEADLINE_EXCEEDED", 504],
  address_in_use: ["INTERNAL_ERROR", 500],
  storage: ["INTERNAL_ERROR", 500],
  refused: ["RESOURCE_CONFLICT", 409],
};

/**
 * @returns the error in MLflow's form, `{"error_code", "message"}`; what is no SerinError is a 500
 * whose particulars are in the log only
 */
export function toErrorResponse(thrown: unknown, log: Log): Response {
  if (!(thrown instanceof SerinError)) {
    const stack = thrown instanceof Error ? thrown.stack : undefined;
    log.error("request failed", { error: messageOf(thrown), stack });
    return errorResponse("INTERNAL_ERROR", "Internal error; see the server's log", 500);
  }
  const [name, status] = MLFLOW_CODES[thrown.code];
  if (status >= 500 && thrown.code !== "not_implemented") {
    log.error("request failed", { code: thrown.code, error: thrown.message });
  }
  const hint = status >= 500 && thrown.hint !== undefined ? ` (${thrown.hint})` : "";
  return errorResponse(name, thrown.message + hint, status);
}

/** The answer to a route that does not exist. */
export function notFoundResponse(method: string, path: string): Response {
  return errorResponse("ENDPOINT_NOT_FOUND", `No route ${method} ${path}`, 404);
}

function errorResponse(name: string, message: string, status: number): Response {
  return Response.json({ error_code: name, message }, { status });
}
