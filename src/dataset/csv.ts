import { LIMITS, SerinError } from "../core/mod.ts";
import { CsvScanner, type CsvText, lineAt, QuoteError, readField } from "./csv_scanner.ts";
import type { Column, Dataset } from "./dataset.ts";

/** How {@linkcode readCsv} names things. */
export interface CsvOptions {
  /** What the file is called in error messages; default "CSV". */
  readonly source?: string;
}

/**
 * Reads a table from CSV: RFC 4180 with a header line; comma, double quotes with "" for a quote, LF
 * or CRLF, an optional byte-order mark, UTF-8. Types are inferred over the whole file: a column is
 * numeric when each of its values is a decimal number or missing, else text with its spelling kept.
 * Missing are the empty field, NA, NaN, nan and null.
 *
 * @param source the file's bytes, or a stream of them (gathered in memory first)
 * @throws {SerinError} `invalid_data` naming line and column; `too_large` past a limit
 *
 * @example A column of numbers with one missing, and one of text
 * ```ts
 * import { readCsv } from "./mod.ts";
 * const dataset = await readCsv(new TextEncoder().encode("price,city\n1.5,Sydney\nNA,Perth\n"));
 * const [price, city] = dataset.columns;
 * console.assert(dataset.rows === 2 && price.kind === "numeric" && Number.isNaN(price.values[1]));
 * console.assert(city.kind === "text" && city.dictionary[city.codes[1]] === "Perth");
 * ```
 */
export async function readCsv(
  source: Uint8Array | ReadableStream<Uint8Array>,
  options: CsvOptions = {},
): Promise<Dataset> {
  return parseCsv(source instanceof Uint8Array ? source : await gather(source), options);
}

/** {@linkcode readCsv} of bytes that are there already, without a promise. */
export function parseCsv(bytes: Uint8Array, options: CsvOptions = {}): Dataset {
  const source = options.source ?? "CSV";
  refuseOtherFormats(bytes, source);
  const text = readHeader(withLineFeed(bytes), source);
  const first = new CsvScanner(text, expectedRows(text));
  first.scan();
  if (first.rows === 0) {
    throw new SerinError("invalid_data", `${source}: there is no row below the header`);
  }
  const unsettled = first.unsettled();
  let second: CsvScanner | undefined;
  if (unsettled.size > 0) {
    second = new CsvScanner(text, first.rows, unsettled);
    second.scan();
  }
  const columns = text.names.map((name, k): Column => {
    const values = first.numbers(k);
    if (values !== undefined) return { kind: "numeric", name, values };
    return { kind: "text", name, ...(first.codes(k) ?? second!.codes(k)!) };
  });
  return { rows: first.rows, columns };
}

function readHeader(bytes: Uint8Array, source: string): CsvText {
  const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  let p = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? 3 : 0;
  const names: string[] = [], taken = new Set<string>();
  const fail = (what: string, position: number, hint?: string): never => {
    const line = lineAt(bytes, position);
    const where = `${source}: line ${line}, column ${names.length + 1} of the header`;
    throw new SerinError("invalid_data", `${where}: ${what}`, { hint, details: { line } });
  };
  for (;; p++) {
    if (names.length === LIMITS.csvColumnsMax) {
      throw new SerinError(
        "too_large",
        `${source}: the header has more than ${LIMITS.csvColumnsMax} columns`,
      );
    }
    const start = p;
    let name = "";
    try {
      const field = readField(bytes, p);
      p = field.end;
      name = decoder.decode(field.content);
    } catch (thrown) {
      if (thrown instanceof QuoteError) fail(thrown.message, thrown.position);
      if (thrown instanceof TypeError) {
        fail("the name is not valid UTF-8", start, "save the file as UTF-8");
      }
      throw thrown;
    }
    if (name.trim() === "") {
      const index = names.length === 0 ? "; pandas writes its index there: index=False" : "";
      fail("the name is empty", start, `give every column a name${index}`);
    }
    if (taken.has(name)) {
      fail(`the name "${name}" stands there twice`, start, "rename one of the two columns");
    }
    taken.add(name);
    names.push(name);
    if (bytes[p] !== 44) break;
  }
  refuseOtherSeparators(bytes, names, source);
  return { bytes, source, names, start: p + (bytes[p] === 13 ? 2 : 1) };
}

/** A header without commas but with what other programs write between values; not where quoted. */
function refuseOtherSeparators(bytes: Uint8Array, names: readonly string[], source: string): void {
  const separator = names.length === 1 ? /[;\t|]/.exec(names[0])?.[0] : undefined;
  if (separator === undefined || bytes[0] === 34 || bytes[3] === 34) return;
  throw new SerinError(
    "invalid_data",
    `${source}: line 1: the header has one column, ${JSON.stringify(names[0])}`,
    {
      hint: `save the file with commas: it seems to have ${JSON.stringify(separator)} between ` +
        "values (a single name that holds it stands in double quotes)",
      details: { line: 1 },
    },
  );
}

/** The scanner's loops stop at a line feed, so that they need not look for the end of the bytes. */
function withLineFeed(bytes: Uint8Array): Uint8Array {
  if (bytes[bytes.length - 1] === 10) return bytes;
  const ended = new Uint8Array(bytes.length + 1);
  ended.set(bytes);
  ended[bytes.length] = 10;
  return ended;
}

/** From the lines of the first 64 KiB, a tenth more. */
function expectedRows({ bytes, start }: CsvText): number {
  const end = Math.min(bytes.length, start + 65536);
  let lines = 1;
  for (let p = start; p < end; p++) if (bytes[p] === 10) lines++;
  const bytesPerLine = Math.max((end - start) / lines, 1);
  return Math.ceil((bytes.length - start) / bytesPerLine * 1.1) + 16;
}

function refuseOtherFormats(bytes: Uint8Array, source: string): void {
  const starts = (...magic: number[]) => magic.every((byte, i) => bytes[i] === byte);
  let what: string | undefined;
  if (bytes.length === 0) what = "is empty";
  else if (starts(0x50, 0x41, 0x52, 0x31)) what = "is a Parquet file, not CSV";
  else if (starts(0x1f, 0x8b)) what = "is compressed by gzip, not CSV: unpack it first";
  else if (starts(0x50, 0x4b, 3, 4)) what = "is a ZIP archive or a workbook, not CSV";
  else if (bytes.indexOf(10) < 0 && bytes.subarray(0, -1).includes(13)) {
    what = "has line ends of CR alone: save it with LF or CRLF";
  } else if (starts(0xff, 0xfe) || starts(0xfe, 0xff)) what = "is UTF-16: save it as UTF-8";
  if (what !== undefined) throw new SerinError("invalid_data", `${source} ${what}`);
}

async function gather(stream: ReadableStream<Uint8Array>): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of stream) {
    chunks.push(chunk);
    length += chunk.length;
  }
  const bytes = new Uint8Array(length);
  let offset = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, offset);
    offset += chunk.length;
  }
  return bytes;
}
