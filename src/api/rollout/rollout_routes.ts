import { type Context, Hono } from "hono";
import { z } from "zod";
import { LIMITS, type Log, SerinError } from "../../core/mod.ts";
import {
  labelsRequestSchema,
  type RolloutEngine,
  rolloutPlanSchema,
  syncRequestSchema,
} from "../../rollout/mod.ts";
import type { LabelCounts } from "../../telemetry/mod.ts";
import { parseJson, readBody } from "../body.ts";
import { errorResponse } from "../error_response.ts";

const PROBLEMS_MAX = 50;

/** `POST /api/serin/v1/rollouts`, the body. */
export const startRolloutSchema = z.strictObject({
  model: z.string().min(1).max(255),
  /** The version to try. */
  challenger: z.union([z.string().min(1).max(32), z.int().min(1)]).transform(String),
  /** The served alias; default the one that replicas serve the model by. */
  alias: z.string().min(1).max(255).optional(),
  plan: rolloutPlanSchema.optional(),
});

/** What the routes need of the engine. */
export type RolloutApi = Pick<
  RolloutEngine,
  "sync" | "labels" | "list" | "status" | "start" | "abort" | "promote"
>;

/** What the routes stand on beside the engine. */
export interface RolloutRoutesOptions {
  readonly log: Log;
  /** Told what came of labels. */
  readonly labels: LabelCounts;
}

/**
 * The routes of sync, labels and rollouts. Errors are `{"error": {"code", "message", "hint"}}` with
 * the code's status; all problems of a body are in its message.
 *
 * @returns a hono app, to be mounted with `app.route("/", …)`
 */
export function rolloutRoutes(engine: RolloutApi, { log, labels }: RolloutRoutesOptions): Hono {
  const app = new Hono();
  app.onError((thrown, c) => errorResponse(thrown, { log, what: `${c.req.method} ${c.req.path}` }));
  app.post("/api/serin/v1/sync", async (c) => {
    const request = await readChecked(c, syncRequestSchema, LIMITS.syncBodyBytesMax);
    return c.json(await engine.sync(request));
  });
  app.post("/v1/labels", async (c) => {
    try {
      const request = await readChecked(c, labelsRequestSchema, LIMITS.labelsBodyBytesMax);
      const answer = await engine.labels(request);
      labels.answered(answer);
      return c.json(answer);
    } catch (thrown) {
      labels.failed(thrown instanceof SerinError ? thrown.code : "internal");
      throw thrown;
    }
  });
  app.get("/api/serin/v1/rollouts", (c) => c.json({ rollouts: engine.list() }));
  app.get("/api/serin/v1/rollouts/:id", (c) => c.json(engine.status(c.req.param("id"))));
  app.post("/api/serin/v1/rollouts", async (c) => {
    const request = await readChecked(c, startRolloutSchema, LIMITS.syncBodyBytesMax);
    return c.json(await engine.start(request), 201);
  });
  app.post(
    "/api/serin/v1/rollouts/:id/abort",
    async (c) => c.json(await engine.abort(c.req.param("id"))),
  );
  app.post(
    "/api/serin/v1/rollouts/:id/promote",
    async (c) => c.json(await engine.promote(c.req.param("id"))),
  );
  return app;
}

async function readChecked<S extends z.ZodType>(
  c: Context,
  schema: S,
  bytesMax: number,
): Promise<z.output<S>> {
  const parsed = schema.safeParse(parseJson(await readBody(c.req.raw, bytesMax)));
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map(({ path, message }) =>
    path.length === 0 ? message : `${path.map(String).join(".")}: ${message}`
  );
  throw new SerinError(
    "invalid_input",
    `The body has ${problems.length} problem${problems.length === 1 ? "" : "s"}: ` +
      problems.slice(0, PROBLEMS_MAX).join("; "),
  );
}
