import { z } from "zod";
import {
  accessHint,
  ERROR_CODES,
  type ErrorCode,
  messageOf,
  registryUrl,
  SerinError,
} from "../core/mod.ts";
import { type AliasChange, aliasChangesAnswer } from "./alias_changes.ts";
import { replicasAnswer, type ServingReplica } from "./replicas.ts";
import {
  type RolloutStatus,
  rolloutStatusSchema,
  type RolloutSummary,
  rolloutSummarySchema,
  type StartRollout,
} from "./rollouts.ts";

const TIMEOUT_MS = 30_000;

/** How a registry is reached. */
export interface ControlClientOptions {
  /** E.g. "http://localhost:5000"; a path in front of /api is kept. */
  readonly baseUrl: string;
  readonly fetch: typeof globalThis.fetch;
  /** Sent as `Authorization: Bearer`. */
  readonly token?: string | undefined;
  /** Sent with every request, e.g. X-Serin-Authorization where a proxy eats Authorization. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** How long a request may take, milliseconds; default 30000. */
  readonly timeoutMs?: number | undefined;
}

/**
 * A client of serin's own REST API. Every method throws {SerinError} with the server's code and
 * message (`not_found`, `conflict`, `invalid_input`, `unauthenticated`, `permission_denied`, …), or
 * `unavailable` when the server is out of reach, fails, or is none of serin's.
 */
export interface ControlClient {
  /** @returns the newest rollouts first */
  listRollouts(): Promise<RolloutSummary[]>;
  getRollout(id: string): Promise<RolloutStatus>;
  startRollout(request: StartRollout): Promise<RolloutStatus>;
  abortRollout(id: string): Promise<RolloutStatus>;
  promoteRollout(id: string): Promise<RolloutStatus>;
  /** @returns the replicas that synced of late, live ones first */
  listReplicas(): Promise<ServingReplica[]>;
  /**
   * @param options.alias default all of the model's
   * @param options.limit rows, 1 to 1000; default 100
   * @returns the newest first
   */
  listAliasChanges(
    model: string,
    options?: { alias?: string | undefined; limit?: number | undefined },
  ): Promise<AliasChange[]>;
}

/**
 * Opens a client; nothing is sent yet.
 *
 * @throws {SerinError} `configuration` where the address is no http(s) URL
 *
 * @example The newest rollout of a model
 * ```ts
 * import { createControlClient } from "./mod.ts";
 * const fetch = () => Promise.resolve(Response.json({ rollouts: [] }));
 * const control = createControlClient({ baseUrl: "http://localhost:5000", fetch });
 * const newest = (await control.listRollouts()).find(({ model }) => model === "iris");
 * console.assert(newest === undefined);
 * ```
 */
export function createControlClient(options: ControlClientOptions): ControlClient {
  const call = openCall(options);
  const rollout = (id: string) => `rollouts/${encodeURIComponent(id)}`;
  return {
    listRollouts: async () => {
      const answer = z.object({ rollouts: z.array(rolloutSummarySchema) });
      return (await call("GET", "rollouts", answer)).rollouts;
    },
    getRollout: (id) => call("GET", rollout(id), rolloutStatusSchema),
    startRollout: (request) => call("POST", "rollouts", rolloutStatusSchema, request),
    abortRollout: (id) => call("POST", `${rollout(id)}/abort`, rolloutStatusSchema),
    promoteRollout: (id) => call("POST", `${rollout(id)}/promote`, rolloutStatusSchema),
    listReplicas: async () => (await call("GET", "replicas", replicasAnswer)).replicas,
    listAliasChanges: async (model, { alias, limit } = {}) => {
      const query = new URLSearchParams({
        ...(alias === undefined ? {} : { alias }),
        ...(limit === undefined ? {} : { limit: String(limit) }),
      });
      const route = `models/${encodeURIComponent(model)}/history?${query}`;
      return (await call("GET", route, aliasChangesAnswer)).changes;
    },
  };
}

/** Asks a route of serin's own API. */
export type Call = <T>(
  method: "GET" | "POST",
  route: string,
  answer: z.ZodType<T>,
  body?: unknown,
) => Promise<T>;

/**
 * @param hintOf what to do about a status that is a matter of tokens; default a registry's
 * @throws {SerinError} `configuration` where the address is no http(s) URL
 */
export function openCall(options: ControlClientOptions, hintOf = accessHint): Call {
  const { fetch, token, timeoutMs = TIMEOUT_MS } = options;
  const base = registryUrl(options.baseUrl);
  const headers: Record<string, string> = { ...options.headers };
  if (token !== undefined) headers.authorization = `Bearer ${token}`;
  return async (method, route, schema, body) => {
    const init: RequestInit = { method, headers, signal: AbortSignal.timeout(timeoutMs) };
    if (body !== undefined) {
      init.headers = { ...headers, "content-type": "application/json" };
      init.body = JSON.stringify(body);
    }
    let response: Response, text: string;
    try {
      response = await fetch(`${base}/api/serin/v1/${route}`, init);
      text = await response.text();
    } catch (cause) {
      // An injected fetch knows better what is in the way.
      if (cause instanceof SerinError) throw cause;
      throw new SerinError("unavailable", `Cannot reach ${base}: ${messageOf(cause)}`, {
        hint: "check that the server runs and that the address is right",
        cause,
      });
    }
    const json = parseOr(text, undefined);
    if (!response.ok) throw errorOf(base, { status: response.status, json, hintOf });
    const parsed = schema.safeParse(json);
    if (parsed.success) return parsed.data;
    throw new SerinError("unavailable", `${base} answered ${method} ${route} in another form`, {
      hint: "check that the address is of a serin registry of the same version",
      details: { problems: parsed.error.issues.map(({ path, message }) => ({ path, message })) },
      cause: parsed.error,
    });
  };
}

function parseOr<T>(text: string, otherwise: T): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return otherwise;
  }
}

const errorSchema = z.object({
  error: z.object({ code: z.string(), message: z.string(), hint: z.string().optional() }),
});

/** The server's error as it is; what is none of serin's by its status. */
function errorOf(
  base: string,
  { status, json, hintOf }: { status: number; json: unknown; hintOf: typeof accessHint },
): SerinError {
  const details = { status };
  const parsed = errorSchema.safeParse(json);
  if (parsed.success) {
    const { code, message, hint } = parsed.data.error;
    const known = Object.hasOwn(ERROR_CODES, code) ? code as ErrorCode : codeOf(status);
    return new SerinError(known, message, { hint: hintOf(status) ?? hint, details });
  }
  const code = codeOf(status);
  const hint = hintOf(status) ??
    (code === "not_found"
      ? "serin's own API is not there: the address must be of `serin registry`, not of another server"
      : "look at the server's log, and at what stands between");
  return new SerinError(code, `${base} answered ${status}`, { hint, details });
}

function codeOf(status: number): ErrorCode {
  if (status === 401) return "unauthenticated";
  if (status === 403) return "permission_denied";
  if (status === 404 || status === 405) return "not_found";
  return status >= 400 && status < 500 ? "invalid_input" : "unavailable";
}
