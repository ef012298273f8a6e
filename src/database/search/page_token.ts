import { SerinError } from "../../core/mod.ts";

/** @returns the token of the page that begins at `offset`: base64 of `{"offset": n}`, as MLflow's */
export function encodePageToken(offset: number): string {
  return btoa(`{"offset": ${offset}}`);
}

/**
 * @returns the offset that a page token stands for; 0 without a token
 * @throws {SerinError} `invalid_input` with MLflow's message
 */
export function decodePageToken(token: string | undefined): number {
  if (token === undefined || token === "") return 0;
  let text: string;
  try {
    // Python's decoder wants the padding, which atob forgives.
    if (token.length % 4 !== 0) throw new Error("padding");
    text = atob(token);
  } catch {
    throw new SerinError("invalid_input", "Invalid page token, could not base64-decode");
  }
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    throw new SerinError("invalid_input", `Invalid page token, decoded value=${text}`);
  }
  const offset = (parsed as { offset?: unknown } | null)?.offset;
  if (!offset) throw new SerinError("invalid_input", `Invalid page token, parsed value=${text}`);
  const number = Number(offset);
  if (!Number.isSafeInteger(number) || number < 0) {
    throw new SerinError("invalid_input", `Invalid page token, not stringable ${offset}`);
  }
  return number;
}

/** Rows of one page and the token of the next. */
export interface Page<T> {
  readonly items: T[];
  readonly nextPageToken: string | undefined;
}

/** @returns the page out of `limit + 1` rows that were asked for */
export function toPage<T>(rows: T[], limit: number, offset: number): Page<T> {
  if (rows.length <= limit) return { items: rows, nextPageToken: undefined };
  return { items: rows.slice(0, limit), nextPageToken: encodePageToken(offset + limit) };
}
