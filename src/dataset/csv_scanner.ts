import { LIMITS, SerinError } from "../core/mod.ts";
import { parseDecimal, POWERS_OF_TEN } from "./decimal.ts";
import {
  HASH_FACTOR,
  HASH_START,
  hashBytes,
  MISSING_TEXTS,
  TextDictionary,
} from "./text_dictionary.ts";

const QUOTE = 34, COMMA = 44, LINE_FEED = 10, RETURN = 13, MINUS = 45, POINT = 46;
/** What is kept of a column: numbers, text, or nothing (its type is not settled, or not wanted). */
const NUMERIC = 0, TEXT = 1, SKIP = 2;

/** Where the scanner reads and what it calls the columns. */
export interface CsvText {
  /** The whole file; its last byte is a line feed. */
  readonly bytes: Uint8Array;
  /** What the file is called in error messages. */
  readonly source: string;
  readonly names: readonly string[];
  /** Where the first data record begins. */
  readonly start: number;
}

/**
 * One pass over the records of a CSV file. Every column starts as numeric; the first value that is
 * no number makes it text. Where numbers stood before that value their spelling is gone, so the
 * column is skipped for the rest of the pass and named in `unsettled`, for a second pass.
 */
export class CsvScanner {
  /** Records read. */
  rows = 0;
  readonly #text: CsvText;
  readonly #kinds: Uint8Array;
  readonly #numbers: Float64Array[];
  readonly #codes: Int32Array[];
  readonly #dictionaries: TextDictionary[];
  #capacity: number;
  /** Where the field that was read last ends: at a comma or a line's end. */
  #end = 0;

  /**
   * @param rowsExpected an estimate; the columns grow past it
   * @param textOnly columns to read, all as text; the others are skipped. Undefined: infer types
   */
  constructor(text: CsvText, rowsExpected: number, textOnly?: ReadonlySet<number>) {
    this.#text = text;
    this.#capacity = rowsExpected;
    const columns = text.names.map((_, k) => k);
    this.#kinds = Uint8Array.from(
      columns,
      (k) => textOnly === undefined ? NUMERIC : textOnly.has(k) ? TEXT : SKIP,
    );
    this.#numbers = columns.map((k) =>
      new Float64Array(this.#kinds[k] === NUMERIC ? rowsExpected : 0)
    );
    this.#codes = columns.map((k) => new Int32Array(this.#kinds[k] === TEXT ? rowsExpected : 0));
    this.#dictionaries = columns.map(() => new TextDictionary());
  }

  /** The columns whose type changed after numbers had been read. */
  unsettled(): Set<number> {
    return new Set(this.#text.names.keys().filter((k) => this.#kinds[k] === SKIP));
  }

  /** The numbers of a column, or undefined where it is not numeric. */
  numbers(k: number): Float64Array | undefined {
    return this.#kinds[k] === NUMERIC ? this.#numbers[k].subarray(0, this.rows) : undefined;
  }

  /** Codes and dictionary of a column, or undefined where it is not text. */
  codes(k: number): { codes: Int32Array; dictionary: readonly string[] } | undefined {
    if (this.#kinds[k] !== TEXT) return undefined;
    const codes = this.#codes[k].subarray(0, this.rows);
    return { codes, dictionary: this.#dictionaries[k].texts };
  }

  /**
   * Reads all records. The loop over plain decimals stands inline: it is where the time goes.
   *
   * @throws {SerinError} `invalid_data` naming line and column; `too_large` past a limit
   */
  scan(): void {
    const { bytes, names } = this.#text;
    const columns = names.length, last = columns - 1, kinds = this.#kinds, end = bytes.length;
    const numbers = this.#numbers;
    let p = this.#text.start, row = 0;
    while (p < end) {
      if (row === this.#capacity) this.#grow();
      const recordStart = p;
      if (columns > 1 && isLineEnd(bytes, p) && this.#onlyBlankLinesFrom(p)) break;
      for (let k = 0; k <= last; k++) {
        let c = bytes[p];
        if (kinds[k] === NUMERIC) {
          const start = p;
          let mantissa = 0, digits = 0, fraction = 0;
          if (c === MINUS) c = bytes[++p];
          while ((c - 48) >>> 0 < 10) {
            mantissa = mantissa * 10 + (c - 48);
            digits++;
            c = bytes[++p];
          }
          if (c === POINT) {
            const pointAt = p;
            c = bytes[++p];
            while ((c - 48) >>> 0 < 10) {
              mantissa = mantissa * 10 + (c - 48);
              c = bytes[++p];
            }
            fraction = p - pointAt - 1;
            digits += fraction;
          }
          // A mantissa below 2^53 is exact and one division rounds once (Clinger 1990).
          if (
            digits > 0 && mantissa < 9007199254740992 && fraction <= 22 &&
            (c === COMMA || c === LINE_FEED || (c === RETURN && bytes[p + 1] === LINE_FEED))
          ) {
            const value = fraction > 0 ? mantissa / POWERS_OF_TEN[fraction] : mantissa;
            numbers[k][row] = bytes[start] === MINUS ? -value : value;
          } else {
            this.rows = row;
            this.#slowNumber(start, k);
            p = this.#end;
          }
        } else if (kinds[k] === TEXT) {
          this.#codes[k][row] = this.#textCode(p, k);
          p = this.#end;
        } else {
          this.#field(p, k);
          p = this.#end;
        }
        c = bytes[p];
        if (k < last) {
          if (c !== COMMA) this.#ragged(recordStart);
          p++;
        } else if (c === COMMA) this.#ragged(recordStart);
      }
      p += bytes[p] === RETURN ? 2 : 1;
      if (p - recordStart > LIMITS.csvLineBytesMax) this.#tooLong(recordStart);
      row++;
    }
    this.rows = row;
  }

  /** A field that is not a plain decimal: missing, quoted, long, exponent, or text. */
  #slowNumber(start: number, k: number): void {
    const content = this.#field(start, k);
    const value = parseDecimal(content, 0, content.length) ??
      (isMissing(content) ? NaN : undefined);
    if (value !== undefined) {
      this.#numbers[k][this.rows] = value;
      return;
    }
    const before = this.#numbers[k].subarray(0, this.rows);
    if (before.some((number) => number === number)) this.#kinds[k] = SKIP;
    else {
      this.#kinds[k] = TEXT;
      this.#codes[k] = new Int32Array(this.#capacity).fill(-1);
      this.#codes[k][this.rows] = this.#textCode(start, k);
    }
    this.#numbers[k] = new Float64Array(0);
  }

  #textCode(start: number, k: number): number {
    const { bytes } = this.#text;
    try {
      if (bytes[start] === QUOTE) {
        const content = this.#field(start, k);
        return this.#dictionaries[k].find(content, 0, content.length, hashBytes(content));
      }
      let p = start, hash = HASH_START, c = bytes[p];
      while (c !== COMMA && c !== LINE_FEED && !(c === RETURN && bytes[p + 1] === LINE_FEED)) {
        hash = Math.imul(hash ^ c, HASH_FACTOR);
        c = bytes[++p];
      }
      this.#end = p;
      return this.#dictionaries[k].find(bytes, start, p, hash);
    } catch (thrown) {
      if (!(thrown instanceof TypeError)) throw thrown;
      throw this.#error(start, k, "the text is not valid UTF-8", "save the file as UTF-8");
    }
  }

  /** The content of the field that begins at `start`, unquoted; sets `#end`. */
  #field(start: number, k: number): Uint8Array {
    const { bytes } = this.#text;
    try {
      const field = readField(bytes, start);
      this.#end = field.end;
      return field.content;
    } catch (thrown) {
      if (!(thrown instanceof QuoteError)) throw thrown;
      throw this.#error(thrown.position, k, thrown.message, QUOTE_HINT);
    }
  }

  #onlyBlankLinesFrom(p: number): boolean {
    const { bytes } = this.#text;
    while (p < bytes.length && (bytes[p] === LINE_FEED || bytes[p] === RETURN)) p++;
    return p === bytes.length;
  }

  #grow(): void {
    this.#capacity = Math.ceil(this.#capacity * 1.5) + 16;
    for (let k = 0; k < this.#kinds.length; k++) {
      if (this.#kinds[k] === NUMERIC) {
        const larger = new Float64Array(this.#capacity);
        larger.set(this.#numbers[k]);
        this.#numbers[k] = larger;
      } else if (this.#kinds[k] === TEXT) {
        const larger = new Int32Array(this.#capacity);
        larger.set(this.#codes[k]);
        this.#codes[k] = larger;
      }
    }
  }

  #ragged(recordStart: number): never {
    const { bytes, names, source } = this.#text;
    let fields = 0, p = recordStart;
    for (;;) {
      this.#field(p, Math.min(fields, names.length - 1));
      p = this.#end;
      fields++;
      if (bytes[p] !== COMMA) break;
      p++;
    }
    const line = lineAt(bytes, recordStart);
    const where = fields < names.length
      ? `, column "${names[fields]}" is missing`
      : `, no column after "${names.at(-1)}"`;
    throw new SerinError(
      "invalid_data",
      `${source}: line ${line}: ${fields} field${fields === 1 ? "" : "s"} where the header has ` +
        `${names.length}${where}`,
      { hint: "a value that holds a comma must stand in double quotes", details: { line, fields } },
    );
  }

  #tooLong(recordStart: number): never {
    const line = lineAt(this.#text.bytes, recordStart);
    throw new SerinError(
      "too_large",
      `${this.#text.source}: line ${line} has more than ${LIMITS.csvLineBytesMax} bytes`,
      { hint: "look for a double quote that is never closed", details: { line } },
    );
  }

  #error(position: number, k: number, what: string, hint?: string): SerinError {
    const line = lineAt(this.#text.bytes, position), column = this.#text.names[k];
    return new SerinError(
      "invalid_data",
      `${this.#text.source}: line ${line}, column "${column}": ${what}`,
      { hint, details: { line, column } },
    );
  }
}

const QUOTE_HINT = 'a double quote within a quoted value is written twice: ""';

/** A quoted field that breaks RFC 4180. */
export class QuoteError extends Error {
  readonly position: number;

  constructor(message: string, position: number) {
    super(message);
    this.position = position;
  }
}

/**
 * The field that begins at `start` (RFC 4180, section 2): its content without quotes, and where it
 * ends, which is at a comma or at a line's end.
 *
 * @param bytes must end with a line feed
 * @throws {QuoteError} when a quote is not closed, or something stands behind the closing one
 */
export function readField(
  bytes: Uint8Array,
  start: number,
): { content: Uint8Array; end: number } {
  let p = start;
  if (bytes[p] !== QUOTE) {
    while (bytes[p] !== COMMA && !isLineEnd(bytes, p)) p++;
    return { content: bytes.subarray(start, p), end: p };
  }
  let escapes = 0;
  for (p++;; p++) {
    if (p >= bytes.length) throw new QuoteError("the double quote is never closed", start);
    if (bytes[p] !== QUOTE) continue;
    if (bytes[p + 1] !== QUOTE) break;
    escapes++;
    p++;
  }
  let content = bytes.subarray(start + 1, p);
  if (escapes > 0) content = unescapeQuotes(content, escapes);
  p++;
  if (bytes[p] !== COMMA && !isLineEnd(bytes, p)) {
    throw new QuoteError(
      `a comma or the line's end must follow the closing double quote: seen is ` +
        JSON.stringify(String.fromCharCode(bytes[p])),
      p,
    );
  }
  return { content, end: p };
}

/** @returns the 1-based line that the position is on */
export function lineAt(bytes: Uint8Array, position: number): number {
  let line = 1;
  for (let p = 0; p < position; p++) if (bytes[p] === LINE_FEED) line++;
  return line;
}

function isLineEnd(bytes: Uint8Array, p: number): boolean {
  return bytes[p] === LINE_FEED || (bytes[p] === RETURN && bytes[p + 1] === LINE_FEED);
}

function unescapeQuotes(content: Uint8Array, escapes: number): Uint8Array {
  const plain = new Uint8Array(content.length - escapes);
  for (let from = 0, to = 0; from < content.length; from++) {
    plain[to++] = content[from];
    if (content[from] === QUOTE) from++;
  }
  return plain;
}

function isMissing(content: Uint8Array): boolean {
  return content.length <= 4 && MISSING_TEXTS.has(String.fromCharCode(...content));
}
