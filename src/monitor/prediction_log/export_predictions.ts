import { messageOf, SerinError, storageError } from "../../core/mod.ts";
import type {
  LoggedRow,
  LoggedValue,
  PredictionFilter,
  PredictionReader,
} from "./prediction_reader.ts";

/** What an export wrote. */
export interface ExportedPredictions {
  readonly rows: number;
  readonly labelled: number;
  /** Rows that {@linkcode ExportOptions.accepts} left out. */
  readonly leftOut: number;
  readonly columns: readonly string[];
  /** When the first and the last row were answered, milliseconds since the epoch. */
  readonly firstMs: number | undefined;
  readonly lastMs: number | undefined;
}

/** How {@linkcode exportPredictions} writes. */
export interface ExportOptions extends PredictionFilter {
  /** The CSV file; replaced whole or not at all. */
  readonly path: string;
  /** What the column with the labels is called. */
  readonly target: string;
  /** Rows whose label it does not take are left out, and counted. Default all are taken. */
  readonly accepts?: ((label: string) => boolean) | undefined;
  /** So many of the newest rows will do: of older ones only few are written. Default all. */
  readonly newestRows?: number | undefined;
}

const CHUNK_CHARACTERS = 256 * 1024;
/** The process that exports may be one that answers: after so many rows, others have their turn. */
const ROWS_A_TURN = 2000;

/**
 * Writes logged rows as a CSV file that `serin train` takes: the model's columns, and the label.
 *
 * @throws {SerinError} `not_found` for a model without rows, `invalid_input` where a column is called as
 *   the target is, `storage`
 */
export async function exportPredictions(
  reader: PredictionReader,
  options: ExportOptions,
): Promise<ExportedPredictions> {
  const { path, target } = options;
  const columns = csvColumns(reader, options);
  const temporary = `${path}.${crypto.randomUUID()}.tmp`;
  const counts = { rows: 0, labelled: 0, leftOut: 0 };
  let firstMs: number | undefined, lastMs: number | undefined;
  try {
    const filter = { ...options, sinceMs: await beginOf(reader, options) };
    using file = await Deno.open(temporary, { write: true, createNew: true });
    let text = `${[...columns, target].map(quote).join(",")}\n`;
    for await (const row of inTurns(reader, filter)) {
      if (row.label !== undefined && options.accepts?.(row.label) === false) {
        counts.leftOut++;
        continue;
      }
      text += `${lineOf(row, columns)}\n`;
      counts.rows++;
      if (row.label !== undefined) counts.labelled++;
      firstMs ??= row.time;
      lastMs = row.time;
      if (text.length < CHUNK_CHARACTERS) continue;
      await writeAll(file, text);
      text = "";
    }
    await writeAll(file, text);
    await file.sync();
    await Deno.rename(temporary, path);
  } catch (thrown) {
    await Deno.remove(temporary).catch(() => {});
    if (thrown instanceof SerinError) throw thrown;
    throw storageError(`Cannot write ${path}: ${messageOf(thrown)}`, thrown);
  }
  return { ...counts, columns, firstMs, lastMs };
}

/** @returns from when on there are as many rows as are wanted */
async function beginOf(
  reader: PredictionReader,
  { newestRows, ...filter }: ExportOptions,
): Promise<number | undefined> {
  if (newestRows === undefined) return filter.sinceMs;
  let rows = 0, sinceMs = Infinity;
  for await (const { time } of inTurns(reader, { ...filter, newestFirst: true })) {
    sinceMs = Math.min(sinceMs, time);
    if (++rows >= newestRows) return sinceMs;
  }
  return filter.sinceMs;
}

/** Rows without a label take their time too, where they are left out. */
async function* inTurns(
  reader: PredictionReader,
  { labelled, ...filter }: PredictionFilter,
): AsyncGenerator<LoggedRow> {
  let seen = 0;
  for (const row of reader.rows(filter)) {
    if (++seen % ROWS_A_TURN === 0) await new Promise((done) => setTimeout(done, 0));
    if (labelled !== true || row.label !== undefined) yield row;
  }
}

function csvColumns(reader: PredictionReader, options: ExportOptions): string[] {
  const named = reader.columns(options.model);
  // Those with several values a row show their width in a row only.
  const first = reader.anyRow(options.model);
  const wide = first === undefined ? [] : [...first.inputs.keys()];
  const columns = named.flatMap((name) => {
    const parts = wide.filter((key) => key.startsWith(`${name}.`) && !wide.includes(name));
    return parts.length > 0 ? parts : [name];
  });
  if (!columns.includes(options.target)) return columns;
  throw new SerinError("invalid_input", `The model has a column "${options.target}" itself`, {
    hint: "choose another name for the labels with --target",
  });
}

function lineOf({ inputs, label }: LoggedRow, columns: readonly string[]): string {
  const cells = columns.map((name) => {
    const input = inputs.get(name);
    return input === undefined ? "" : cellOf(input);
  });
  cells.push(label === undefined ? "" : quote(label));
  return cells.join(",");
}

function cellOf({ value, datatype }: LoggedValue): string {
  if (typeof value === "string") return quote(value);
  if (Number.isNaN(value)) return "";
  return datatype === "FP32" ? float32Text(value) : String(value);
}

/** The shortest text that is the same number of 32 bits. */
function float32Text(value: number): string {
  for (const digits of [6, 7, 8]) {
    const text = Number(value.toPrecision(digits));
    if (Math.fround(text) === value) return String(text);
  }
  return String(value);
}

function quote(text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

async function writeAll(file: Deno.FsFile, text: string): Promise<void> {
  const bytes = new TextEncoder().encode(text);
  let written = 0;
  while (written < bytes.length) written += await file.write(bytes.subarray(written));
}
