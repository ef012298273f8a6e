import { type Context, Hono } from "hono";
import { LIMITS, type Log, messageOf, SerinError } from "../../core/mod.ts";
import { toFeeds } from "../../inference/mod.ts";
import type { InferenceStats } from "../../telemetry/inference_stats.ts";
import { parseJson, readBody } from "../body.ts";
import type { DataPlane, InferenceAnswer } from "./data_plane.ts";
import { formatInvocation, parseInvocation } from "./invocations.ts";
import {
  checkOutputs,
  formatOipAnswer,
  modelMetadata,
  parseOipRequest,
  serverMetadata,
} from "./oip.ts";

/** The caller's sticky key: the same key gets the same version on every replica. */
export const KEY_HEADER = "x-serin-key";

/** What the data port answers from. */
export interface InferenceAppOptions {
  readonly dataPlane: DataPlane;
  readonly stats: InferenceStats;
  readonly log: Log;
  /** Repeats the main isolate's state. */
  readonly ready: () => boolean;
  /** The process is about to end: each answer closes its connection; default never. */
  readonly closing?: () => boolean;
  /** The model of `/invocations`; undefined where several are served and none was named. */
  readonly defaultModel: () => string | undefined;
  /** Forwards labels, a body as it came; the answer goes back as it is. */
  readonly labels: (body: Uint8Array<ArrayBuffer>) => Promise<unknown>;
}

/**
 * The data port: Open Inference Protocol v2 REST, MLflow's scoring protocol, labels.
 *
 * @returns a hono app; errors are JSON with `error`, `code` and `hint`
 */
export function inferenceApp(options: InferenceAppOptions): Hono {
  const app = new Hono();
  app.use(async (c, next) => {
    await next();
    c.res.headers.set("x-request-id", requestId(c));
    if (options.closing?.()) c.res.headers.set("connection", "close");
    options.stats.status(c.res.status);
  });
  const log = throttle(options.log, 1000);
  app.onError((thrown, c) => failure(thrown, c, log));
  app.notFound((c) =>
    c.json({ error: `No route ${c.req.method} ${c.req.path}`, code: "not_found" }, 404)
  );
  healthRoutes(app, options);
  oipRoutes(app, options);
  scoringRoutes(app, options);
  app.post("/v1/labels", async (c) => {
    const body = await readBody(c.req.raw, LIMITS.labelsBodyBytesMax);
    return c.json(await options.labels(body) as Record<string, unknown>);
  });
  return app;
}

function healthRoutes(app: Hono, { ready }: InferenceAppOptions): void {
  const readiness = (c: Context) =>
    ready() ? c.json({ ready: true }) : c.json({ ready: false }, 503);
  app.get("/v2/health/live", (c) => c.json({ live: true }));
  app.get("/v2/health/ready", readiness);
  app.get("/ping", readiness);
  app.get("/health", readiness);
}

function oipRoutes(app: Hono, { dataPlane }: InferenceAppOptions): void {
  app.get("/v2", (c) => c.json(serverMetadata()));
  app.get("/v2/models", (c) => c.json({ models: dataPlane.models().map(({ model }) => model) }));
  for (const path of ["/v2/models/:model", "/v2/models/:model/versions/:version"] as const) {
    app.get(path, (c) => {
      const served = dataPlane.find(c.req.param("model"), c.req.param("version"));
      const held = dataPlane.models().find(({ model }) => model === served.model);
      return c.json(modelMetadata(served, held?.versions.map(({ version }) => version) ?? []));
    });
    app.get(`${path}/ready`, (c) => {
      dataPlane.find(c.req.param("model"), c.req.param("version"));
      return c.json({ name: c.req.param("model"), ready: true });
    });
    app.post(`${path}/infer`, async (c) => {
      if (c.req.header("inference-header-content-length") !== undefined) throw binaryExtension();
      const body = await readBody(c.req.raw, LIMITS.inferenceBodyBytesMax);
      const request = parseOipRequest(parseJson(body));
      const model = c.req.param("model");
      const answer = await dataPlane.infer({
        model,
        version: c.req.param("version"),
        key: keyOf(c),
        decode: (signature) => {
          checkOutputs(signature, request.outputs);
          return toFeeds(signature, request.inputs);
        },
      });
      setHeaders(c, answer);
      return c.json(formatOipAnswer(model, answer, request.id, request.outputs));
    });
  }
}

function scoringRoutes(app: Hono, { dataPlane, defaultModel }: InferenceAppOptions): void {
  app.post("/invocations", async (c) => {
    const model = c.req.query("model") ?? defaultModel();
    if (model === undefined && dataPlane.models().length === 0) {
      throw new SerinError("not_found", "No model is served here", {
        hint: "serve was started without one: name it with --model",
      });
    }
    if (model === undefined) {
      throw new SerinError("invalid_input", "Several models are served: which one is meant?", {
        hint: "POST /invocations?model=NAME",
      });
    }
    const body = await readBody(c.req.raw, LIMITS.inferenceBodyBytesMax);
    const invocation = parseInvocation(c.req.header("content-type") ?? "", body);
    const answer = await dataPlane.infer({
      model,
      version: undefined,
      key: keyOf(c),
      decode: (signature) => toFeeds(signature, invocation.inputs),
    });
    setHeaders(c, answer);
    return c.json(formatInvocation(answer, invocation.answerAs));
  });
}

/** @returns undefined for a header that is empty too, as proxies and clients make of what is not there */
function keyOf(c: Context): string | undefined {
  return c.req.header(KEY_HEADER) || undefined;
}

function setHeaders(c: Context, answer: InferenceAnswer): void {
  c.header("x-serin-model-version", answer.version);
  if (answer.token !== undefined) c.header("x-serin-prediction", answer.token);
}

/** The caller's id where it is one, else a new one: for tracing only, it decides nothing. */
function requestId(c: Context): string {
  const given = c.req.header("x-request-id");
  if (
    given !== undefined && given.length <= LIMITS.requestIdCharactersMax &&
    /^[\x21-\x7e]+$/.test(given)
  ) {
    return given;
  }
  return crypto.randomUUID();
}

/** At most one line each `everyMs`: a version that fails every request must not fill the disk. */
function throttle(log: Log, everyMs: number): Pick<Log, "warn" | "error"> {
  let nextAt = -Infinity, left = 0;
  const once = (write: Log["warn"]): Log["warn"] => (message, fields) => {
    if (performance.now() < nextAt) return void left++;
    write(message, left > 0 ? { ...fields, alsoFailed: left } : fields);
    nextAt = performance.now() + everyMs;
    left = 0;
  };
  return { warn: once(log.warn), error: once(log.error) };
}

function failure(thrown: unknown, c: Context, log: Pick<Log, "warn" | "error">): Response {
  if (thrown instanceof SerinError) {
    const { message, code, hint, status } = thrown;
    if (status >= 500 && code !== "not_ready") log.warn("a request failed", { code, message });
    if (thrown.retriable) c.header("retry-after", "1");
    return c.json({ error: message, code, hint }, status as 400);
  }
  log.error("a request met a defect of serin", { error: messageOf(thrown) });
  return c.json({ error: "serin failed in a way that it should not", code: "internal" }, 500);
}

function binaryExtension(): SerinError {
  return new SerinError(
    "unsupported_media_type",
    "The binary tensor extension is not read by this version of serin",
    { hint: "send JSON (tritonclient: binary_data=False on inputs and outputs)" },
  );
}
