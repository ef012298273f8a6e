import { type Context, Hono } from "hono";
import { LIMITS, type Log, messageOf, SerinError } from "../../core/mod.ts";
import { type DecisionRecord, parseWebhook, type Retrainer } from "../../retrain/mod.ts";
import type { AccessTokens } from "../access/access_tokens.ts";
import { parseJson, readBody } from "../body.ts";
import { errorResponse } from "../error_response.ts";
import { challengeOf, checkAccess, type RetrainRole } from "./retrain_access.ts";

const LIST_DEFAULT = 50, LIST_MAX = 1000;
const QUERY = ["model", "limit"];

/** What the routes stand on. */
export interface RetrainRoutesOptions {
  readonly retrainer: Pick<Retrainer, "receive" | "approve" | "explain" | "rowsOf">;
  readonly list: (query: { model: string | undefined; limit: number }) => DecisionRecord[];
  /** Undefined: whoever reaches the port may use it. */
  readonly tokens: AccessTokens<RetrainRole> | undefined;
  /** Told of each webhook: "taken", or the code of the error that it was answered with. */
  readonly onWebhook: (outcome: string) => void;
  readonly log: Log;
}

/**
 * `POST /v1/alerts` takes Alertmanager's webhook; `/api/serin/v1/retrainings` tells what was decided
 * and takes approvals; `…/ID/rows.csv` are the rows of one, for the Job that trains on them. All want
 * the admin's token, where there is one; for the webhook its own will do. Errors as in `rolloutRoutes`.
 *
 * @returns a hono app, to be mounted with `app.route("/", …)`
 */
export function retrainRoutes(options: RetrainRoutesOptions): Hono {
  const { retrainer, list, log } = options;
  const app = new Hono();
  app.notFound((c) =>
    errorResponse(
      new SerinError("not_found", `No route ${c.req.method} ${c.req.path}`, {
        hint: "Alertmanager's webhook is POST /v1/alerts",
      }),
      { log, what: c.req.path },
    )
  );
  app.onError((thrown, c) => {
    const error = thrown instanceof SerinError ? thrown : undefined;
    if (c.req.path === "/v1/alerts") options.onWebhook(error?.code ?? "internal");
    if (error !== undefined && error.status < 500) {
      log.warn("a request was refused", { path: c.req.path, error: messageOf(thrown) });
    }
    const what = `${c.req.method} ${c.req.path}`;
    return errorResponse(thrown, { log, what, headers: challengeOf(thrown) });
  });
  const checked = async (c: Context, next: () => Promise<void>) => {
    const isWebhook = c.req.method === "POST" && c.req.path === "/v1/alerts";
    checkAccess(c.req.raw, options.tokens, isWebhook ? "webhook" : "admin");
    await next();
  };
  app.use("/v1/alerts", checked);
  app.use("/api/serin/v1/retrainings", checked);
  app.use("/api/serin/v1/retrainings/*", checked);
  app.post("/v1/alerts", async (c) => {
    const body = parseJson(await readBody(c.req.raw, LIMITS.webhookBodyBytesMax));
    const decided = await retrainer.receive(parseWebhook(body));
    options.onWebhook("taken");
    return c.json({
      decisions: decided.map(({ id, model, decision, reason }) => ({
        id,
        model,
        decision,
        reason,
      })),
    });
  });
  app.get("/api/serin/v1/retrainings", (c) => {
    const { model, limit, ...unknown } = c.req.query();
    checkNoneUnknown(Object.keys(unknown));
    return c.json({ retrainings: list({ model, limit: readLimit(limit) }) });
  });
  app.get("/api/serin/v1/retrainings/:id", (c) => c.json(retrainer.explain(c.req.param("id"))));
  app.post(
    "/api/serin/v1/retrainings/:id/approve",
    (c) => c.json(retrainer.approve(c.req.param("id"))),
  );
  app.get("/api/serin/v1/retrainings/:id/rows.csv", async (c) => {
    const { bytes, sha256, open } = await retrainer.rowsOf(c.req.param("id"));
    const headers = {
      "content-type": "text/csv; charset=utf-8",
      "content-length": String(bytes),
      etag: `"${sha256}"`,
      "repr-digest": `sha-256=:${Uint8Array.fromHex(sha256).toBase64()}:`,
      // Personal data, as a rule; compressed, they would have no length.
      "cache-control": "no-store, no-transform",
    };
    // HEAD comes here too: nothing is opened for it.
    return new Response(c.req.method === "HEAD" ? null : await open(), { headers });
  });
  return app;
}

function checkNoneUnknown(names: readonly string[]): void {
  if (names.length === 0) return;
  throw new SerinError("invalid_input", `Unknown in the query: ${names.join(", ")}`, {
    hint: `it may hold ${QUERY.join(" and ")}`,
  });
}

function readLimit(text: string | undefined): number {
  if (text === undefined) return LIST_DEFAULT;
  const limit = /^\d{1,6}$/.test(text) ? Number(text) : NaN;
  if (limit >= 1 && limit <= LIST_MAX) return limit;
  throw new SerinError("invalid_input", `limit must be 1 to ${LIST_MAX}: "${text.slice(0, 100)}"`);
}
