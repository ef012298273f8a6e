import { Hono } from "hono";
import type { AliasChange, ServingReplica } from "../../control/mod.ts";
import { type Log, SerinError } from "../../core/mod.ts";
import type { Registry } from "../../registry/mod.ts";
import type { RolloutEngine } from "../../rollout/mod.ts";
import { errorResponse } from "../error_response.ts";

const QUERY = ["alias", "limit"];

/** What is looked at. */
export interface ObservedParts {
  readonly engine: Pick<RolloutEngine, "replicas">;
  readonly registry: { readonly models: Pick<Registry["models"], "aliasChanges"> };
}

/**
 * The routes that only tell: which replicas serve what, and how aliases were moved. Errors as in
 * `rolloutRoutes`.
 *
 * @returns a hono app, to be mounted with `app.route("/", …)`
 */
export function observationRoutes(
  { engine, registry }: ObservedParts,
  { log }: { log: Log },
): Hono {
  const app = new Hono();
  app.onError((thrown, c) => errorResponse(thrown, { log, what: `${c.req.method} ${c.req.path}` }));
  app.get("/api/serin/v1/replicas", (c) => {
    const replicas: ServingReplica[] = engine.replicas();
    return c.json({ replicas });
  });
  app.get("/api/serin/v1/models/:name/history", (c) => {
    const { alias, limit, ...unknown } = c.req.query();
    checkNoneUnknown(Object.keys(unknown));
    const options = { alias, limit: limit === undefined ? undefined : wholeNumber(limit) };
    const changes = registry.models.aliasChanges(c.req.param("name"), options)
      .map(({ timeMs, ...change }): AliasChange => ({ ...change, time: timeMs }));
    return c.json({ changes });
  });
  return app;
}

function checkNoneUnknown(names: readonly string[]): void {
  if (names.length === 0) return;
  throw new SerinError("invalid_input", `Unknown in the query: ${names.join(", ")}`, {
    hint: `it may hold ${QUERY.join(" and ")}`,
  });
}

function wholeNumber(text: string): number {
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw new SerinError("invalid_input", `limit must be a whole number: "${text.slice(0, 100)}"`);
}
