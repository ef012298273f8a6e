import type { Context, MiddlewareHandler } from "hono";
import { type Log, SerinError } from "../../core/mod.ts";
import { errorResponse } from "../error_response.ts";
import { toErrorResponse } from "../mlflow/mod.ts";
import { type AccessTokens, credentialsOf } from "./access_tokens.ts";
import { accessOf, isMlflowPath } from "./route_access.ts";

/** With it, browsers ask for a user and a password; any user will do, the password is the token. */
const CHALLENGE = 'Basic realm="serin"';

/**
 * A middleware that lets nobody past without the token that the route wants. To be the first of an
 * app, so that every route, and what no route has, is behind it.
 */
export function accessControl(tokens: AccessTokens, { log }: { log: Log }): MiddlewareHandler {
  return async (context, next) => {
    const refused = refusalOf(context, tokens);
    if (refused === undefined) return await next();
    // What was being sent is not read: it may be an upload of any size.
    await context.req.raw.body?.cancel().catch(() => {});
    return refusalResponse(context, refused, log);
  };
}

/**
 * A middleware for where nobody needs a token: this machine's own addresses, which every page that its
 * browsers show reaches too, and may change nothing at.
 */
export function originControl({ log }: { log: Log }): MiddlewareHandler {
  return async (context, next) => {
    const { req } = context;
    if (isRead(req.method) || !isFromElsewhere(req.raw)) return await next();
    await req.raw.body?.cancel().catch(() => {});
    return refusalResponse(context, otherOrigin(req.raw), log);
  };
}

function refusalOf({ req }: Context, tokens: AccessTokens): SerinError | undefined {
  const access = isPlainHost(req.raw.headers.get("host"))
    ? accessOf(req.method, req.path)
    : "admin";
  if (access === "open") return undefined;
  const credentials = credentialsOf(req.raw.headers);
  if (credentials === undefined) {
    return new SerinError("unauthenticated", "This registry wants a token", {
      hint: "send it as Authorization: Bearer TOKEN, or as the password of Basic",
    });
  }
  const role = tokens.roleOf(credentials.token);
  if (role === undefined) {
    return new SerinError("unauthenticated", "The token is none of this registry's", {
      hint: "ask whoever runs the registry for its token",
    });
  }
  if (role !== "admin" && access === "admin") {
    return new SerinError(
      "permission_denied",
      `A replica's token may not ${req.method} ${req.path}`,
      { hint: "it reads models, syncs and sends labels; use the admin's token" },
    );
  }
  if (credentials.isAmbient && !isRead(req.method) && isFromElsewhere(req.raw)) {
    return otherOrigin(req.raw);
  }
  return undefined;
}

function otherOrigin({ headers }: Request): SerinError {
  return new SerinError(
    "permission_denied",
    `A page of another origin (${headers.get("origin")}) may not change anything here`,
    { hint: "programs send no Origin, or a token as Authorization: Bearer TOKEN" },
  );
}

/** The URL is put together of Host and path: a "/" or "?" in Host would make it another path. */
function isPlainHost(host: string | null): boolean {
  return host === null || /^[\w.:[\]-]*$/.test(host);
}

function isRead(method: string): boolean {
  return method === "GET" || method === "HEAD";
}

/** A browser that remembers the password would send it with any page's request. */
function isFromElsewhere({ url, headers }: Request): boolean {
  // A browser's own word, which no page can change: it holds behind a proxy that changes Host too.
  if (headers.get("sec-fetch-site") === "same-origin") return false;
  const origin = headers.get("origin");
  if (origin === null) return false;
  const host = URL.parse(origin)?.host;
  return host === undefined ||
    (host !== URL.parse(url)?.host && host !== headers.get("x-forwarded-host"));
}

function refusalResponse({ req }: Context, error: SerinError, log: Log): Response {
  const headers: Record<string, string> = error.code === "unauthenticated"
    ? { "www-authenticate": CHALLENGE }
    : {};
  const what = `${req.method} ${req.path}`;
  if (!isMlflowPath(req.path)) return errorResponse(error, { log, what, headers });
  const told = new SerinError(error.code, `${error.message}: ${error.hint}`);
  const response = toErrorResponse(told, log);
  for (const [name, value] of Object.entries(headers)) response.headers.set(name, value);
  return response;
}
