import { type Context, Hono } from "hono";
import { LIMITS, type Log, messageOf, SerinError } from "../../core/mod.ts";
import type { AccessTokens } from "../access/access_tokens.ts";
import { readBody } from "../body.ts";
import { errorResponse } from "../error_response.ts";
import { challengeOf, checkAccess, type RetrainRole } from "./retrain_access.ts";

/** How far a log has come: the numbers of its last block and its last label. */
interface Cursor {
  readonly block: number;
  readonly label: number;
}

/** What takes the prediction logs of replicas. */
export interface PredictionStore {
  cursorOf(log: string): Cursor;
  take(packed: Uint8Array<ArrayBuffer>): {
    readonly cursor: Cursor;
    readonly refused: readonly { readonly id: number; readonly message: string }[];
  };
}

/** What the routes stand on. */
export interface PredictionRoutesOptions {
  /** Undefined: none are taken. */
  readonly predictions: PredictionStore | undefined;
  /** Undefined: whoever reaches the port may send. */
  readonly tokens: AccessTokens<RetrainRole> | undefined;
  /** Told of each batch: "taken", or the code of the error that it was answered with. */
  readonly onBatch: (outcome: string) => void;
  readonly log: Log;
}

/** Where prediction logs are sent to. */
export const PREDICTIONS_PATH = "/api/serin/v1/predictions";

const BATCH_TYPE = "application/octet-stream";

/**
 * `POST /api/serin/v1/predictions` takes a part of a replica's prediction log (its form is
 * `encodeBatch`'s) and answers how far it has the log now; `GET …?log=ID` tells it without sending. Both
 * want a token, where there is one: a replica's will do. Errors as in `rolloutRoutes`.
 *
 * @returns a hono app, to be mounted with `app.route("/", …)`
 */
export function predictionRoutes(options: PredictionRoutesOptions): Hono {
  const { tokens, onBatch, log } = options;
  const app = new Hono();
  let reading = 0;
  app.onError((thrown, c) => {
    const error = thrown instanceof SerinError ? thrown : undefined;
    if (c.req.method === "POST") onBatch(error?.code ?? "internal");
    if (error !== undefined && error.status < 500) {
      log.warn("a request was refused", { path: c.req.path, error: messageOf(thrown) });
    }
    const what = `${c.req.method} ${c.req.path}`;
    return errorResponse(thrown, { log, what, headers: challengeOf(thrown) });
  });
  const open = (c: Context): PredictionStore => {
    checkAccess(c.req.raw, tokens, "replica");
    if (options.predictions !== undefined) return options.predictions;
    throw new SerinError("not_found", "This process takes no prediction logs", {
      hint: "start serin retrain serve with --prediction-log DIR",
    });
  };
  app.get(PREDICTIONS_PATH, (c) => {
    const store = open(c);
    const { log: id, ...unknown } = c.req.query();
    if (id === undefined || Object.keys(unknown).length > 0) {
      throw new SerinError("invalid_input", "The query must name a log, and nothing else", {
        hint: `ask ${PREDICTIONS_PATH}?log=UUID`,
      });
    }
    return c.json({ cursor: store.cursorOf(id) });
  });
  app.post(PREDICTIONS_PATH, async (c) => {
    const store = open(c);
    checkType(c.req.header("content-type"));
    if (reading >= LIMITS.predictionBatchesMax) throw busy();
    reading++;
    try {
      const packed = await readBody(c.req.raw, LIMITS.predictionBatchBytesMax);
      const answer = store.take(packed as Uint8Array<ArrayBuffer>);
      onBatch("taken");
      return c.json(answer);
    } finally {
      reading--;
    }
  });
  return app;
}

/** A page of another origin cannot send this type without asking first. */
function checkType(type: string | undefined): void {
  if (type?.split(";")[0].trim() === BATCH_TYPE) return;
  throw new SerinError(
    "unsupported_media_type",
    `Predictions do not come as ${type ?? "nothing"}`,
    {
      hint: `send them as ${BATCH_TYPE}`,
    },
  );
}

function busy(): SerinError {
  const most = LIMITS.predictionBatchesMax;
  return new SerinError("limit_exceeded", `${most} batches are being taken, the most at once`, {
    hint: "send it again a little later",
  });
}
