import { mix32 } from "../core/mod.ts";
import type { Column, Dataset } from "../dataset/mod.ts";

const FACTOR = 0x01000193;

/**
 * Counts rows that are equal to an earlier one in every column. Rows are told apart by 53 bits of a
 * hash: of a million different rows, two are taken for equal once in 18,000 data sets.
 *
 * @returns how many, and the first of them, counted from 0
 */
export function findDuplicateRows({ rows, columns }: Dataset): {
  count: number;
  first: number | undefined;
} {
  const low = new Int32Array(rows).fill(0x811c9dc5 | 0), high = new Int32Array(rows);
  for (const column of columns) hashInto(column, low, high);
  const seen = new Set<number>();
  let count = 0, first: number | undefined;
  for (let row = 0; row < rows; row++) {
    const key = (mix32(low[row]) >>> 0) * 2 ** 21 + (mix32(high[row] ^ low[row]) >>> 11);
    if (seen.has(key)) {
      count++;
      first ??= row;
    } else seen.add(key);
  }
  return { count, first };
}

function hashInto(column: Column, low: Int32Array, high: Int32Array): void {
  if (column.kind === "text") {
    for (let row = 0; row < low.length; row++) add(low, high, row, column.codes[row], 1);
    return;
  }
  const value = new Float64Array(1), halves = new Int32Array(value.buffer);
  for (let row = 0; row < low.length; row++) {
    // Adding 0 makes -0 of 0; a missing value has one spelling only.
    value[0] = column.values[row] + 0;
    add(low, high, row, halves[0], halves[1]);
  }
}

function add(low: Int32Array, high: Int32Array, row: number, a: number, b: number): void {
  low[row] = Math.imul(mix32(low[row] ^ a), FACTOR) ^ b;
  high[row] = Math.imul(mix32(high[row] ^ b), FACTOR) ^ a;
}
