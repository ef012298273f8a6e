import { SerinError } from "../../core/mod.ts";
import { type AccessTokens, credentialsOf } from "../access/access_tokens.ts";

/**
 * At what retrains: the admin may do everything, replicas send what they log, the webhook's token is
 * Alertmanager's, which is another team's as a rule. The registry knows no webhook.
 */
export type RetrainRole = "admin" | "replica" | "webhook";

/** What the narrow ones may do, for those who try something else with them. */
const NARROW: Readonly<Record<Exclude<RetrainRole, "admin">, { whose: string; may: string }>> = {
  replica: { whose: "A replica's token", may: "sends prediction logs" },
  webhook: { whose: "The webhook's token", may: "is for POST /v1/alerts" },
};

/**
 * Lets a request past whose token may do what it asks for.
 *
 * @param tokens undefined: whoever reaches the port may do everything
 * @param wanted the role that it is for; the admin may in any case
 * @throws {SerinError} `unauthenticated`, `permission_denied`
 */
export function checkAccess(
  { method, url, headers }: Request,
  tokens: AccessTokens<RetrainRole> | undefined,
  wanted: RetrainRole,
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
  if (role === "admin" || role === wanted) return;
  const { pathname } = new URL(url), { whose, may } = NARROW[role];
  throw new SerinError("permission_denied", `${whose} may not ${method} ${pathname}`, {
    hint: `it ${may}, and nothing else; use the admin's token`,
  });
}

/** @returns the headers that an error is answered with */
export function challengeOf(thrown: unknown): Record<string, string> {
  const isAsked = thrown instanceof SerinError && thrown.code === "unauthenticated";
  return isAsked ? { "www-authenticate": 'Basic realm="serin"' } : {};
}
