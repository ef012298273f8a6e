import { SerinError } from "../core/mod.ts";
import { type Dataset, getColumn } from "../dataset/mod.ts";
import type { Units } from "../statistics/mod.ts";
import type { GateSpec } from "./gate_spec.ts";

/**
 * Which rows gate.yaml says belong together.
 *
 * @returns undefined where every row stands for itself, as far as gate.yaml says
 * @throws {SerinError} `configuration` for a column that the data do not have
 */
export function readUnits(
  data: Dataset,
  { block_rows, block_column }: Pick<GateSpec["test"], "block_rows" | "block_column">,
): Units | undefined {
  if (block_column !== undefined) return columnUnits(data, block_column);
  return block_rows === "auto" || block_rows === 1 ? undefined : blocksOf(data.rows, block_rows);
}

function blocksOf(rows: number, blockRows: number): Units {
  const of = Uint32Array.from({ length: rows }, (_, row) => Math.floor(row / blockRows));
  return { of, count: Math.ceil(rows / blockRows) };
}

function columnUnits(data: Dataset, name: string): Units {
  try {
    const column = getColumn(data, name);
    const keys = column.kind === "numeric" ? column.values : column.codes;
    return renumber(Array.from(keys, String));
  } catch (thrown) {
    if (!(thrown instanceof SerinError)) throw thrown;
    throw new SerinError(
      "configuration",
      `gate.yaml: test.block_column: the data have no column "${name}"`,
      { hint: thrown.hint, cause: thrown },
    );
  }
}

function renumber(keys: readonly (string | number)[]): Units {
  const known = new Map<string | number, number>();
  const of = Uint32Array.from(keys, (key) => {
    const found = known.get(key);
    if (found !== undefined) return found;
    known.set(key, known.size);
    return known.size - 1;
  });
  return { of, count: known.size };
}

/** The units of those rows only. */
export function selectUnits(units: Units | undefined, rows: Uint32Array): Units | undefined {
  return units === undefined ? undefined : renumber(Array.from(rows, (row) => units.of[row]));
}

/**
 * Takes each class's own mean off: a file that is sorted by the target is no series.
 *
 * @param truth 0 or 1 a row
 */
export function withinClasses(parts: Float64Array, truth: Float64Array): Float64Array {
  const sum = [0, 0], count = [0, 0];
  parts.forEach((x, row) => {
    sum[truth[row]] += x;
    count[truth[row]]++;
  });
  return parts.map((x, row) => x - sum[truth[row]] / count[truth[row]]);
}

/** Fewer blocks are no basis for an interval. */
const BLOCKS_MIN = 40;
/** Standard errors by which blocks must vary more than independent rows would make them. */
const EXCESS_ERRORS_MIN = 3.5;

/** Rows that proved to be alike, and what is made of it. */
export interface Dependence {
  /** So many rows tell as much as one independent row. */
  readonly designEffect: number;
  readonly blockRows: number;
  readonly units: Units;
}

/**
 * Whether rows that follow each other are alike in how well they are answered, as those of a time
 * series are: each then tells less than a row of its own, and intervals would be too narrow. The
 * variance of the mean is estimated from blocks of 2, 4, 8, … rows (batch means; Kish's design
 * effect); the size that shows most dependence is taken, which errs on the safe side.
 *
 * @param series what each row says, in the order of the data: of the candidate, of the difference
 * @returns undefined where rows are independent as far as can be seen
 */
export function findDependence(series: readonly Float64Array[]): Dependence | undefined {
  const found = series.flatMap((parts) => dependenceOf(parts) ?? []);
  if (found.length === 0) return undefined;
  const blockRows = Math.max(...found.map(({ blockRows }) => blockRows));
  const designEffect = Math.max(...found.map(({ designEffect }) => designEffect));
  return { designEffect, blockRows, units: blocksOf(series[0].length, blockRows) };
}

function dependenceOf(parts: Float64Array) {
  const n = parts.length, alone = varianceOf(parts);
  let found: { designEffect: number; blockRows: number } | undefined;
  if (!(alone > 0)) return undefined;
  for (let blockRows = 2; n / blockRows >= BLOCKS_MIN; blockRows *= 2) {
    const sums = new Float64Array(Math.floor(n / blockRows));
    parts.subarray(0, sums.length * blockRows).forEach((x, row) => {
      sums[Math.floor(row / blockRows)] += x;
    });
    const designEffect = varianceOf(sums) / (blockRows * alone);
    const isSeen = designEffect - 1 > EXCESS_ERRORS_MIN * Math.sqrt(2 / sums.length);
    if (isSeen && designEffect > (found?.designEffect ?? 1)) found = { designEffect, blockRows };
  }
  return found;
}

function varianceOf(values: Float64Array): number {
  const mean = values.reduce((sum, x) => sum + x, 0) / values.length;
  return values.reduce((sum, x) => sum + (x - mean) ** 2, 0) / (values.length - 1);
}
