import { SerinError, withDeadline } from "../core/mod.ts";

/** How long a caller may take to send a body. */
const BODY_MS_MAX = 30_000;

/**
 * Reads a request's body, bounded in bytes and in time (a slow client must not hold memory for ever).
 *
 * @param msMax how long each part of the body may take
 * @throws {SerinError} `too_large`, `timeout`, or `invalid_input` when the caller broke off
 */
export async function readBody(
  request: Request,
  bytesMax: number,
  msMax = BODY_MS_MAX,
): Promise<Uint8Array<ArrayBuffer>> {
  const declared = Number(request.headers.get("content-length") ?? 0);
  if (declared > bytesMax) throw tooLarge(declared, bytesMax);
  if (request.body === null) return new Uint8Array();
  // The common case: a small body of a declared length is read in one go.
  if (declared > 0) return await withinTime(request.bytes(), msMax);
  const chunks: Uint8Array[] = [];
  let size = 0;
  const reader = request.body.getReader();
  try {
    for (;;) {
      const { done, value } = await withinTime(reader.read(), msMax);
      if (done) break;
      size += value.length;
      if (size > bytesMax) throw tooLarge(size, bytesMax);
      chunks.push(value);
    }
  } catch (thrown) {
    reader.cancel().catch(() => {});
    throw thrown;
  }
  const body = new Uint8Array(size);
  let at = 0;
  for (const chunk of chunks) {
    body.set(chunk, at);
    at += chunk.length;
  }
  return body;
}

/**
 * @returns the body as JSON
 * @throws {SerinError} `invalid_input` with the parser's complaint
 */
export function parseJson(body: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(body));
  } catch (cause) {
    const text = cause instanceof Error ? cause.message : String(cause);
    throw new SerinError("invalid_input", `The body is no JSON: ${text}`, {
      hint: "send one JSON document, encoded as UTF-8",
      cause,
    });
  }
}

async function withinTime<T>(work: Promise<T>, msMax: number): Promise<T> {
  const late = () => new SerinError("timeout", `The body did not arrive within ${msMax} ms`);
  try {
    return await withDeadline(work, msMax, late);
  } catch (thrown) {
    if (thrown instanceof SerinError) throw thrown;
    throw new SerinError("invalid_input", "The connection broke before the whole body arrived", {
      cause: thrown,
    });
  }
}

function tooLarge(bytes: number, bytesMax: number): SerinError {
  return new SerinError(
    "too_large",
    `The body has at least ${bytes} bytes, at most ${bytesMax} are taken`,
  );
}
