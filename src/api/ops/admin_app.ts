import { Hono } from "hono";
import type { Metrics } from "../../telemetry/mod.ts";
import { type AccessTokens, credentialsOf } from "../access/access_tokens.ts";

/**
 * Who may read `/status`: everybody, who has the token, or nobody (an address that others reach, and
 * no token).
 */
export type StatusAccess = "open" | "closed" | AccessTokens;

/** What the admin port tells. */
export interface AdminAppOptions {
  readonly metrics: Metrics;
  /** Every isolate answered of late and every model is warm. */
  readonly ready: () => { ready: boolean; reasons: string[] };
  /** What is held and routed, for people. */
  readonly status: () => unknown;
  readonly statusAccess: StatusAccess;
}

/**
 * The admin port: liveness, readiness, metrics and status, for probes, Prometheus and people. The
 * first three are open to all who reach it.
 */
export function adminApp(options: AdminAppOptions): Hono {
  const app = new Hono();
  app.get("/livez", (c) => c.text("ok\n"));
  app.get("/readyz", (c) => {
    const { ready, reasons } = options.ready();
    return c.json({ ready, reasons }, ready ? 200 : 503);
  });
  app.get(
    "/metrics",
    async (c) =>
      c.body(await options.metrics.text(), 200, { "content-type": options.metrics.contentType }),
  );
  app.get("/status", (c) => {
    const refused = refusalOf(c.req.raw.headers, options.statusAccess);
    if (refused === undefined) return c.json(options.status() as Record<string, unknown>);
    if (refused.status === 401) c.header("www-authenticate", 'Basic realm="serin"');
    return c.json({ error: refused.error, hint: refused.hint }, refused.status);
  });
  app.notFound((c) =>
    c.json({ error: `No route ${c.req.path}: /livez, /readyz, /metrics, /status` }, 404)
  );
  return app;
}

/** @returns undefined for whoever may read the status */
function refusalOf(
  headers: Headers,
  access: StatusAccess,
): { status: 401 | 403; error: string; hint: string } | undefined {
  if (access === "open") return undefined;
  if (access === "closed") {
    return {
      status: 403,
      error: "The status is closed: others reach this address, and serve has no control token",
      hint: "start serve with --control-token-file or SERIN_CONTROL_TOKEN",
    };
  }
  const credentials = credentialsOf(headers);
  if (credentials !== undefined && access.roleOf(credentials.token) !== undefined) return undefined;
  return {
    status: 401,
    error: credentials === undefined ? "The status wants a token" : "The token is another one",
    hint: "send serve's control token, or else its registry's, as Authorization: Bearer TOKEN",
  };
}
