import { z } from "zod";
import { type ControlClientOptions, openCall } from "./client.ts";

const brakeSchema = z.object({ brake: z.string(), passed: z.boolean(), text: z.string() });

const stepSchema = z.object({
  step: z.string(),
  /** How often it was begun: more than once after a crash. */
  attempts: z.number(),
  /** Milliseconds since the epoch. */
  startedMs: z.number(),
  endedMs: z.number().optional(),
  facts: z.record(z.string(), z.unknown()),
});

/** One decision of `GET /api/serin/v1/retrainings`. */
export const retrainingSchema = z.object({
  id: z.string(),
  /** "" for alerts about no model that is known. */
  model: z.string(),
  decision: z.string(),
  reason: z.string(),
  alerts: z.array(z.object({
    name: z.string(),
    fingerprint: z.string(),
    startsAt: z.string(),
    summary: z.string(),
  })),
  brakes: z.array(brakeSchema),
  firstMs: z.number(),
  lastMs: z.number(),
  times: z.number(),
  /** The retraining that began of it. */
  run: z.object({
    id: z.string(),
    state: z.string(),
    reason: z.string(),
    labels: z.number(),
    begunMs: z.number(),
    endedMs: z.number().optional(),
    steps: z.array(stepSchema),
  }).optional(),
});

/** A decision about alerts, and the retraining that began of it. */
export type Retraining = z.output<typeof retrainingSchema>;

/** A client of the process that retrains; errors as those of `ControlClient`. */
export interface RetrainClient {
  /** @returns decisions, the newest first */
  list(options?: { model?: string | undefined; limit?: number | undefined }): Promise<Retraining[]>;
  get(id: string): Promise<Retraining>;
  /** Lets a pending one begin. */
  approve(id: string): Promise<Retraining>;
}

/**
 * Opens a client; nothing is sent yet.
 *
 * @throws {SerinError} `configuration` where the address is no http(s) URL
 *
 * @example Those that wait for a person
 * ```ts
 * import { createRetrainClient } from "./mod.ts";
 * const fetch = () => Promise.resolve(Response.json({ retrainings: [] }));
 * const client = createRetrainClient({ baseUrl: "http://localhost:8083", fetch });
 * const pending = (await client.list()).filter(({ run }) => run?.state === "pending");
 * console.assert(pending.length === 0);
 * ```
 */
export function createRetrainClient(options: ControlClientOptions): RetrainClient {
  const call = openCall(options, retrainAccessHint);
  const route = (id: string) => `retrainings/${encodeURIComponent(id)}`;
  return {
    list: async ({ model, limit } = {}) => {
      const query = new URLSearchParams({
        ...(model === undefined ? {} : { model }),
        ...(limit === undefined ? {} : { limit: String(limit) }),
      });
      const answer = z.object({ retrainings: z.array(retrainingSchema) });
      return (await call("GET", `retrainings?${query}`, answer)).retrainings;
    },
    get: (id) => call("GET", route(id), retrainingSchema),
    approve: (id) => call("POST", `${route(id)}/approve`, retrainingSchema),
  };
}

/** Its tokens are not the registry's, and neither are the options that name them. */
function retrainAccessHint(status: number): string | undefined {
  const where = "with --token-file FILE, or in the environment as SERIN_RETRAIN_TOKEN";
  if (status === 401) return `give the token of serin retrain serve ${where}`;
  if (status !== 403) return undefined;
  return `this token may not do that: give the admin's ${where} (a replica's sends prediction logs, ` +
    "the webhook's posts alerts, and no more)";
}
