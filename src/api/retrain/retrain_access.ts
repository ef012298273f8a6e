import { SerinError } from "../../core/mod.ts";
import { type AccessTokens, credentialsOf } from "../access/access_tokens.ts";

/**
 * Lets a request past whose token may do what it asks for.
 *
 * @param tokens undefined: whoever reaches the port may do everything
 * @param forReplicas whether a replica's token may, too
 * @throws {SerinError} `unauthenticated`, `permission_denied`
 */
export function checkAccess(
  { method, url, headers }: Request,
  tokens: AccessTokens | undefined,
  { forReplicas }: { forReplicas: boolean },
): void {
  if (tokens === undefined) return;
  const credentials = credentialsOf(headers);
  const role = credentials === undefined ? undefined : tokens.roleOf(credentials.token);
  if (role === undefined) {
    throw new SerinError(
      "unauthenticated",
      credentials === undefined ? "Retraining wants a token" : "The token is another one",
      {
        hint: "send it as Authorization: Bearer TOKEN; Alertmanager does so with http_config: " +
          "{authorization: {credentials_file: FILE}}",
      },
    );
  }
  if (role === "admin" || forReplicas) return;
  const { pathname } = new URL(url);
  throw new SerinError("permission_denied", `A replica's token may not ${method} ${pathname}`, {
    hint: "it sends prediction logs, and nothing else; use the admin's token",
  });
}

/** @returns the headers that an error is answered with */
export function challengeOf(thrown: unknown): Record<string, string> {
  const isAsked = thrown instanceof SerinError && thrown.code === "unauthenticated";
  return isAsked ? { "www-authenticate": 'Basic realm="serin"' } : {};
}
