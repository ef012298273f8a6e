import { backoffMs, messageOf, type Random, SerinError, VERSION } from "../core/mod.ts";
import type { RawRequest } from "./kubernetes_client.ts";
import type { Sleep } from "./sleep.ts";
import { type Attempt, parseStatus, statusError } from "./status_error.ts";

/** How an API server is reached. */
export interface TransportOptions {
  /** E.g. `https://10.0.0.1:6443`; a path is kept. */
  readonly server: string;
  /** Carries the TLS settings. */
  readonly fetch: typeof globalThis.fetch;
  /** The `Authorization` header of each request; `renewed` after a 401, to read the token anew. */
  readonly authorize: (renewed: boolean) => Promise<string | undefined>;
  readonly sleep: Sleep;
  readonly random: Random;
  /** How long an answer may take, milliseconds. */
  readonly timeoutMs: number;
}

/** Times that a request is sent again when the server says that it is too busy. */
const BUSY_RETRIES_MAX = 3;
const RETRY_AFTER_MS_MAX = 10_000;

/** Sends requests with credentials; gives failures the codes of serin. */
export class Transport {
  readonly #options: TransportOptions;
  readonly #base: string;

  /** @throws {SerinError} `configuration` where the address is no http(s) URL */
  constructor(options: TransportOptions) {
    const url = URL.parse(options.server);
    if (url === null || !/^https?:$/.test(url.protocol) || url.username !== "") {
      throw new SerinError("configuration", "Not an address of a Kubernetes API server", {
        hint: "give it as https://host:port, without a user in it",
        details: { host: url?.host },
      });
    }
    this.#options = options;
    this.#base = options.server.replace(/\/+$/, "");
  }

  /**
   * Any request. A 401 is tried once more with credentials read anew.
   *
   * @throws {SerinError} `unavailable`, `timeout`
   */
  async raw(method: string, path: string, init: RawRequest = {}): Promise<Response> {
    const answer = await this.#send(method, path, init, await this.#options.authorize(false));
    if (answer.status !== 401 || init.body instanceof ReadableStream) return answer;
    const authorization = await this.#options.authorize(true);
    if (authorization === undefined) return answer;
    await answer.body?.cancel();
    return await this.#send(method, path, init, authorization);
  }

  /**
   * A request of the API: waits where the server asks for it.
   *
   * @returns the answer's JSON
   * @throws {SerinError} as `statusError`, `unavailable`, `timeout`
   */
  async json(
    method: string,
    path: string,
    attempt: Attempt,
    init: RawRequest = {},
  ): Promise<unknown> {
    const { timeoutMs, sleep } = this.#options, timeout = AbortSignal.timeout(timeoutMs);
    for (let busy = 0, waited = 0;; busy++) {
      const answer = await this.raw(method, path, { ...init, signal: timeout });
      const text = await this.#read(answer, attempt);
      if (answer.ok) return parseAnswer(text, attempt);
      const wait = busy < BUSY_RETRIES_MAX ? this.#waitOf(answer, busy) : undefined;
      waited += wait ?? 0;
      // Time must be left for an answer, or the end would be said to be a server that is silent.
      if (wait === undefined || waited > timeoutMs / 2) {
        throw statusError(answer.status, parseStatus(text), attempt);
      }
      await sleep(wait);
    }
  }

  /** 429 and 503 with `Retry-After`: the server has not begun with the request. */
  #waitOf(answer: Response, busy: number): number | undefined {
    const asked = Number(answer.headers.get("retry-after") ?? NaN);
    if ((answer.status !== 429 && answer.status !== 503) || !(asked >= 0)) return undefined;
    const jittered = backoffMs(busy + 1, this.#options.random, { firstMs: 200, capMs: 2000 });
    return Math.min(RETRY_AFTER_MS_MAX, asked * 1000 + jittered);
  }

  async #read(answer: Response, attempt: Attempt): Promise<string> {
    try {
      return await answer.text();
    } catch (cause) {
      throw this.#unreachable(cause, `${attempt.verb} ${attempt.what}`);
    }
  }

  async #send(
    method: string,
    path: string,
    { headers, body, signal }: RawRequest,
    authorization: string | undefined,
  ): Promise<Response> {
    try {
      return await this.#options.fetch(`${this.#base}${path}`, {
        method,
        // Credentials are for this server alone.
        redirect: "manual",
        headers: {
          accept: "application/json",
          // Also the name of the field manager where a write names none.
          "user-agent": `serin/${VERSION}`,
          ...headers,
          ...(authorization === undefined ? {} : { authorization }),
        },
        ...(body === undefined ? {} : { body }),
        ...(signal === undefined ? {} : { signal }),
      });
    } catch (cause) {
      throw this.#unreachable(cause, `${method} ${path.split("?")[0]}`);
    }
  }

  #unreachable(cause: unknown, what: string): SerinError {
    if (cause instanceof DOMException && cause.name === "TimeoutError") {
      const limit = this.#options.timeoutMs;
      return new SerinError("timeout", `${this.#base} did not answer ${what} in ${limit} ms`, {
        cause,
      });
    }
    const why = messageOf(cause), isTls = /certificate/i.test(why);
    return new SerinError("unavailable", `Cannot reach ${this.#base}: ${why}`, {
      hint: isTls
        ? "the server's certificate must be signed by the kubeconfig's certificate-authority-data"
        : "check that the cluster runs, and that the kubeconfig (or --kube-api) is of this one",
      cause,
    });
  }
}

function parseAnswer(text: string, attempt: Attempt): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new SerinError(
      "unavailable",
      `Cannot ${attempt.verb} ${attempt.what}: the answer is no JSON`,
      { hint: "check that the address is of a Kubernetes API server", cause },
    );
  }
}
