import { ERROR_CODES, type ErrorCode, messageOf, SerinError } from "../../core/mod.ts";
import {
  BATCH_TYPE,
  type BatchAnswer,
  batchAnswerSchema,
  type LogCursor,
} from "./prediction_batch.ts";
import type { ReceiverPort } from "./prediction_sender.ts";

/** How long the receiver may take for one batch. */
const ANSWER_MS_MAX = 15_000;
const ROUTE = "api/serin/v1/predictions";

/** How to reach `serin retrain serve`. */
export interface RemoteReceiverOptions {
  /** Without slashes at its end. */
  readonly baseUrl: string;
  readonly fetch: typeof globalThis.fetch;
  /** Sent as a bearer token. */
  readonly token?: string | undefined;
}

/** `serin retrain serve`, over HTTP. */
export class RemoteReceiver implements ReceiverPort {
  readonly #options: RemoteReceiverOptions;

  constructor(options: RemoteReceiverOptions) {
    this.#options = options;
  }

  /** @throws {SerinError} what the receiver says, `unavailable` where it does not answer */
  async cursorOf(log: string, signal: AbortSignal): Promise<LogCursor> {
    return (await this.#ask(`?log=${encodeURIComponent(log)}`, {}, signal)).cursor;
  }

  /** @throws {SerinError} as {@linkcode RemoteReceiver.cursorOf} */
  async send(packed: Uint8Array<ArrayBuffer>, signal: AbortSignal): Promise<BatchAnswer> {
    const headers = { "content-type": BATCH_TYPE };
    return await this.#ask("", { method: "POST", headers, body: packed }, signal);
  }

  async #ask(
    query: string,
    init: RequestInit & { headers?: Record<string, string> },
    signal: AbortSignal,
  ): Promise<BatchAnswer> {
    const { baseUrl, fetch, token } = this.#options;
    const headers = { ...init.headers, ...token && { authorization: `Bearer ${token}` } };
    let response: Response, text: string;
    try {
      response = await fetch(`${baseUrl}/${ROUTE}${query}`, {
        ...init,
        headers,
        // The rows are for this address: what leads on may lead anywhere.
        redirect: "manual",
        signal: AbortSignal.any([signal, AbortSignal.timeout(ANSWER_MS_MAX)]),
      });
      text = await response.text();
    } catch (cause) {
      throw new SerinError("unavailable", `${baseUrl} does not answer: ${messageOf(cause)}`, {
        hint: "is serin retrain serve running there?",
        cause,
      });
    }
    if (response.status >= 300 && response.status < 400) throw leadsOn(baseUrl, response);
    const json = parse(text);
    if (!response.ok) throw errorOf(response.status, json, { baseUrl, text });
    const answer = batchAnswerSchema.safeParse(json);
    if (answer.success) return answer.data;
    throw new SerinError("unavailable", `${baseUrl} answers, and not as serin retrain serve does`, {
      hint: "check the address of --prediction-log-to",
      cause: answer.error,
    });
  }
}

function leadsOn(baseUrl: string, { status, headers }: Response): SerinError {
  const to = URL.parse(headers.get("location") ?? "", baseUrl);
  const where = to === null ? "" : ` to ${to.origin}${to.pathname}`;
  return new SerinError(
    "unavailable",
    `${baseUrl} answered ${status}: it leads on${where}, which is not followed`,
    { hint: "give the address that it leads to with --prediction-log-to" },
  );
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function errorOf(
  status: number,
  json: unknown,
  { baseUrl, text }: { baseUrl: string; text: string },
): SerinError {
  const error = (json as { error?: { code?: unknown; message?: unknown; hint?: unknown } })?.error;
  const code = typeof error?.code === "string" && error.code in ERROR_CODES
    ? error.code as ErrorCode
    : "unavailable";
  const said = typeof error?.message === "string" ? error.message : text.slice(0, 200);
  const hint = status === 401 || status === 403
    ? "give its replica token with --prediction-log-token-file or SERIN_PREDICTION_LOG_TOKEN"
    : typeof error?.hint === "string"
    ? error.hint
    : "check the address of --prediction-log-to";
  return new SerinError(code, `${baseUrl} answered ${status}: ${said}`, { hint });
}
