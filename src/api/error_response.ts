import { type Log, messageOf, SerinError } from "../core/mod.ts";

/**
 * The answer of serin's own routes to an error: `{"error": {"code", "message", "hint"?}}` with the
 * code's status. What is no SerinError is a 500 whose particulars are in the log only.
 *
 * @param options.what the request, for the log, e.g. "POST /v1/labels"
 */
export function errorResponse(
  thrown: unknown,
  { log, what, headers = {} }: { log: Log; what: string; headers?: Record<string, string> },
): Response {
  const error = thrown instanceof SerinError
    ? thrown
    : new SerinError("internal", "The request failed inside serin", {
      hint: "the log of the registry says why",
      cause: thrown,
    });
  const { code, message, hint, status } = error;
  if (status >= 500) log.error(`${what} failed`, { code, error: messageOf(thrown) });
  const body = { error: { code, message, ...(hint === undefined ? {} : { hint }) } };
  return Response.json(body, { status, headers });
}
