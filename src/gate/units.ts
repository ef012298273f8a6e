import { SerinError } from "../core/mod.ts";
import { type Dataset, getColumn } from "../dataset/mod.ts";
import { autocorrelation, type Units } from "../statistics/mod.ts";
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

/** From here on neighbours are alike enough to say so; below, intervals are hardly off. */
const AUTOCORRELATION_MIN = 0.1;
/** Fewer blocks are no basis for an interval. */
const BLOCKS_MIN = 40;

/** Rows that proved to be alike, and what is made of it. */
export interface Dependence {
  readonly autocorrelation: number;
  readonly blockRows: number;
  readonly units: Units;
}

/**
 * Whether rows that follow each other are alike in how well they are answered, as those of a time
 * series are: each then tells less than a row of its own, and intervals would be too narrow.
 *
 * @param series what each row says, in the order of the data: of the candidate, of the difference
 * @returns blocks that are large enough to be unlike, or as large as leaves forty of them;
 *   undefined where rows are independent as far as can be seen
 */
export function findDependence(series: readonly Float64Array[]): Dependence | undefined {
  const found = series.flatMap((parts) => dependenceOf(parts) ?? []);
  if (found.length === 0) return undefined;
  const blockRows = Math.max(...found.map(({ blockRows }) => blockRows));
  const seen = Math.max(...found.map(({ autocorrelation }) => autocorrelation));
  return { autocorrelation: seen, blockRows, units: blocksOf(series[0].length, blockRows) };
}

function dependenceOf(parts: Float64Array) {
  const seen = autocorrelation(parts), n = parts.length;
  if (seen < AUTOCORRELATION_MIN || seen * Math.sqrt(n) < 4) return undefined;
  let blockRows = 2;
  for (; n / (2 * blockRows) >= BLOCKS_MIN; blockRows *= 2) {
    const sums = new Float64Array(Math.floor(n / blockRows));
    parts.subarray(0, sums.length * blockRows).forEach((x, row) => {
      sums[Math.floor(row / blockRows)] += x;
    });
    if (autocorrelation(sums) < AUTOCORRELATION_MIN) break;
  }
  return { autocorrelation: seen, blockRows };
}
