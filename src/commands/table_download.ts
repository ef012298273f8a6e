import { createHash } from "node:crypto";
import {
  backoffMs,
  type Clock,
  type ErrorCode,
  formatBytes,
  LIMITS,
  type Log,
  messageOf,
  type Random,
  SerinError,
  systemClock,
  SystemRandom,
  withDeadline,
} from "../core/mod.ts";

/** What a test may replace. */
export interface DownloadParts {
  readonly fetch?: typeof globalThis.fetch;
  readonly clock?: Clock;
  readonly random?: Random;
  readonly sleep?: (ms: number) => Promise<void>;
  readonly bytesMax?: number;
  /** How long the answer, and then each part of its body, may take. */
  readonly quietMsMax?: number;
}

/** How {@linkcode downloadTable} goes about it. */
export interface DownloadOptions extends DownloadParts {
  /** What errors and the log call the address. */
  readonly name: string;
  /** Sent as a bearer token, to this address and to no other. */
  readonly token: string | undefined;
  /** How long it is tried again. */
  readonly waitMs: number;
  readonly log: Log;
}

const RETRY = { firstMs: 500, capMs: 15_000 };
const QUIET_MS_MAX = 60_000;
/** An error's body is a sentence; a page is cut off. */
const ERROR_BYTES_MAX = 64 * 1024;
const SAID_CHARACTERS_MAX = 500;
const FIRST_BYTES = 1024 * 1024;

const STATUSES: Readonly<Record<number, ErrorCode>> = {
  401: "unauthenticated",
  403: "permission_denied",
  404: "not_found",
  409: "conflict",
  410: "not_found",
  413: "too_large",
  429: "limit_exceeded",
};

/**
 * Fetches a CSV file whole. What is out of reach, fails (5xx) or breaks off is tried again, anything
 * else is not. A redirect is not followed: the token is for this address.
 *
 * @throws {SerinError} `unavailable`, `timeout`, `limit_exceeded` when the time is over;
 *   `unauthenticated`, `permission_denied`, `not_found`, `conflict`, `invalid_input`, `too_large`, or
 *   `invalid_data` for a page
 */
export async function downloadTable(
  url: URL,
  options: DownloadOptions,
): Promise<Uint8Array<ArrayBuffer>> {
  const { name, waitMs, log, clock = systemClock, random = new SystemRandom(), sleep = pause } =
    options;
  const deadline = clock.monotonic() + waitMs;
  for (let failures = 1;; failures++) {
    try {
      return await fetchOnce(url, options);
    } catch (thrown) {
      const left = deadline - clock.monotonic();
      if (!(thrown instanceof SerinError) || !thrown.retriable || left <= 0) throw thrown;
      if (failures === 1) {
        const seconds = Math.round(left / 1000);
        log.warn(`${name} is tried again, for ${seconds} s at most`, { error: thrown.message });
      }
      await sleep(Math.min(left, backoffMs(failures, random, RETRY)));
    }
  }
}

async function fetchOnce(url: URL, options: DownloadOptions): Promise<Uint8Array<ArrayBuffer>> {
  const { name, token, fetch = globalThis.fetch, quietMsMax = QUIET_MS_MAX } = options;
  const ending = new AbortController();
  const quiet = () =>
    new SerinError("timeout", `${name} was silent for ${quietMsMax / 1000} s`, {
      hint: "check the server that the address names",
    });
  // Compressed, a body's length could not be told from one that broke off.
  const headers: Record<string, string> = { "accept-encoding": "identity" };
  if (token !== undefined) headers.authorization = `Bearer ${token}`;
  try {
    const init: RequestInit = { headers, redirect: "manual", signal: ending.signal };
    const answer = await withDeadline(fetch(url, init), quietMsMax, quiet);
    if (answer.status !== 200) throw await refusalOf(answer, options, quiet);
    return await readTableBody(answer, options, quiet);
  } catch (thrown) {
    ending.abort();
    if (thrown instanceof SerinError) throw thrown;
    // A signed address is a secret too.
    const why = messageOf(thrown).replaceAll(url.href, name);
    throw new SerinError("unavailable", `Cannot fetch ${name}: ${why}`, {
      hint: "check that the server runs and that the address is right",
    });
  }
}

/** @throws {SerinError} `too_large`, `invalid_data`, or `unavailable` where it is not whole */
async function readTableBody(
  answer: Response,
  { name, quietMsMax = QUIET_MS_MAX, bytesMax = LIMITS.dataBytesMax }: DownloadOptions,
  quiet: () => SerinError,
): Promise<Uint8Array<ArrayBuffer>> {
  const { headers } = answer, type = headers.get("content-type") ?? "";
  const isEncoded = headers.has("content-encoding");
  const declared = isEncoded ? NaN : Number(headers.get("content-length") ?? NaN);
  if (declared > bytesMax) throw tooLarge(name, declared, bytesMax);
  if (/^(text\/html|application\/xhtml)/i.test(type)) throw pageError(name, type);
  let bytes = new Uint8Array(Number.isNaN(declared) ? Math.min(bytesMax, FIRST_BYTES) : declared);
  let size = 0;
  const reader = (answer.body ?? new Blob().stream()).getReader();
  for (;;) {
    const { done, value } = await withDeadline(reader.read(), quietMsMax, quiet);
    if (done) break;
    const end = size + value.length;
    if (end > bytesMax) throw tooLarge(name, end, bytesMax);
    if (end > bytes.length) {
      const larger = new Uint8Array(Math.min(bytesMax, Math.max(end, 2 * bytes.length)));
      larger.set(bytes.subarray(0, size));
      bytes = larger;
    }
    bytes.set(value, size);
    size = end;
  }
  const body = bytes.subarray(0, size);
  checkWhole(body, { name, declared, digest: isEncoded ? null : headers.get("repr-digest") });
  if (/^\s*<(!doctype|html)/i.test(new TextDecoder().decode(body.subarray(0, 100)))) {
    throw pageError(name, "HTML");
  }
  return body;
}

/** @param digest the header `Repr-Digest` (RFC 9530) */
function checkWhole(
  body: Uint8Array,
  { name, declared, digest }: { name: string; declared: number; digest: string | null },
): void {
  const broken = (why: string) =>
    new SerinError("unavailable", `What ${name} sent is not whole: ${why}`, {
      hint: "look at the server, or at what stands in front of it",
    });
  if (!Number.isNaN(declared) && body.length !== declared) {
    throw broken(`${body.length} bytes of ${declared}`);
  }
  const expected = /(?:^|,)\s*sha-256=:([\w+/=]+):/.exec(digest ?? "")?.[1];
  if (expected === undefined) return;
  const seen = createHash("sha256").update(body).digest("base64");
  if (seen !== expected) throw broken(`its SHA-256 is ${seen}, and not ${expected}`);
}

async function refusalOf(
  answer: Response,
  { name, token, quietMsMax = QUIET_MS_MAX }: DownloadOptions,
  quiet: () => SerinError,
): Promise<SerinError> {
  const { status } = answer, to = URL.parse(answer.headers.get("location") ?? "", answer.url);
  if (status >= 300 && status < 400) {
    await answer.body?.cancel();
    const where = to === null ? "" : ` to ${to.origin}${to.pathname}`;
    return new SerinError("invalid_input", `${name} leads on${where}, which is not followed`, {
      hint: "give the address that it leads to: a token is sent to the address of --data only",
    });
  }
  const said = saidBy(await withDeadline(readText(answer), quietMsMax, quiet));
  const code = STATUSES[status] ?? (status >= 500 ? "unavailable" : "invalid_input");
  const message = `${name} answered ${status}${said === "" ? "" : `: ${said}`}`;
  const hint = status === 401 || status === 403
    ? token === undefined
      ? "give its token with --data-token-file FILE, or in the environment as SERIN_DATA_TOKEN" +
        " (--data-token-origin names who gets it)"
      : "the token of --data-token-file or SERIN_DATA_TOKEN is another one, or may not read this"
    : status >= 500
    ? "look at the server's log, or at what stands in front of it"
    : "check the address";
  return new SerinError(code, message, { hint, details: { status } });
}

async function readText(answer: Response): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const chunk of answer.body ?? []) {
    text += decoder.decode(chunk, { stream: true });
    if (text.length > ERROR_BYTES_MAX) break;
  }
  return text;
}

/** @returns the sentence of serin's own errors, and of those like them; "" for others */
function saidBy(text: string): string {
  try {
    const message = JSON.parse(text)?.error?.message;
    return typeof message === "string" ? message.slice(0, SAID_CHARACTERS_MAX) : "";
  } catch {
    return "";
  }
}

function tooLarge(name: string, bytes: number, bytesMax: number): SerinError {
  const what = `${name} has at least ${formatBytes(bytes)}, at most ${formatBytes(bytesMax)}`;
  return new SerinError("too_large", `${what} are taken`, {
    hint: "train on fewer rows, or on a file",
  });
}

function pageError(name: string, type: string): SerinError {
  return new SerinError("invalid_data", `${name} is a page (${type}), no CSV`, {
    hint: "it may be a login's: check the address, and whether it wants a token",
  });
}

function pause(ms: number): Promise<void> {
  return new Promise((done) => setTimeout(done, ms));
}
