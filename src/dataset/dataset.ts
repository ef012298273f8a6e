import { didYouMean, SerinError } from "../core/mod.ts";
import { parseDecimal } from "./decimal.ts";

/** A column of numbers; NaN where a value is missing. */
export interface NumericColumn {
  readonly kind: "numeric";
  readonly name: string;
  /** One double a row. */
  readonly values: Float64Array;
}

/** A column of text, dictionary coded. */
export interface TextColumn {
  readonly kind: "text";
  readonly name: string;
  /** One index into `dictionary` a row; -1 where a value is missing. */
  readonly codes: Int32Array;
  /** The distinct values; in the order of their first appearance where a reader made it. */
  readonly dictionary: readonly string[];
}

/** A column of a {@linkcode Dataset}. */
export type Column = NumericColumn | TextColumn;

/** A table in memory: named, typed columns of one length. */
export interface Dataset {
  readonly rows: number;
  readonly columns: readonly Column[];
}

/**
 * The column of that name.
 *
 * @throws {SerinError} `not_found`, with the nearest name as the hint
 */
export function getColumn(dataset: Dataset, name: string): Column {
  const column = dataset.columns.find((column) => column.name === name);
  if (column !== undefined) return column;
  const names = dataset.columns.map((column) => column.name);
  throw new SerinError("not_found", `The data has no column "${name}"`, {
    hint: spacedHint(name, names) ?? didYouMean(name, names) ??
      `its columns are ${names.slice(0, 20).join(", ")}`,
    details: { column: name },
  });
}

/** "a, b" in a header is a name with a space: the nearest by letters may be another column. */
function spacedHint(name: string, names: readonly string[]): string | undefined {
  const spaced = names.find((candidate) => candidate.trim() === name.trim());
  if (spaced === undefined) return undefined;
  return `its name has spaces around it: ${JSON.stringify(spaced)}`;
}

const encoder = new TextEncoder();

/** @returns whether the reader would have taken the text for a number */
export function isNumberText(text: string): boolean {
  const bytes = encoder.encode(text);
  return parseDecimal(bytes, 0, bytes.length) !== undefined;
}

/**
 * What made a column text.
 *
 * @returns its first value that is no number, and the row, counted from 0; undefined where there is none
 */
export function findNonNumber(column: Column): { row: number; text: string } | undefined {
  if (column.kind === "numeric") return undefined;
  const isText = column.dictionary.map((text) => !isNumberText(text));
  const row = column.codes.findIndex((code) => code >= 0 && isText[code]);
  return row < 0 ? undefined : { row, text: column.dictionary[column.codes[row]] };
}

/**
 * A run of consecutive rows; shares memory with the data set.
 *
 * @param start the first row, 0-based
 * @param end one past the last row; what lies past the end of the data is cut off
 */
export function sliceRows(dataset: Dataset, start: number, end: number): Dataset {
  const from = Math.min(Math.max(start, 0), dataset.rows);
  const to = Math.min(Math.max(end, from), dataset.rows);
  return {
    rows: to - from,
    columns: dataset.columns.map((column) =>
      column.kind === "numeric"
        ? { ...column, values: column.values.subarray(from, to) }
        : { ...column, codes: column.codes.subarray(from, to) }
    ),
  };
}
