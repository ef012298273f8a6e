import { SerinError } from "../core/mod.ts";
import { type Column, type Dataset, getColumn } from "../dataset/mod.ts";
import type { GateSpec } from "./gate_spec.ts";
import { limitNumber } from "./number_text.ts";

/** Some of the rows, that have something in common. */
export interface Slice {
  readonly column: string;
  /** What they have in common, e.g. `Perth`, `0.25 to 0.5`, `missing`. */
  readonly value: string;
  readonly rows: Uint32Array;
}

/**
 * Cuts the data by every column of gate.yaml's `slices`.
 *
 * @throws {SerinError} `configuration` for a column that the data do not have
 */
export function sliceData(data: Dataset, spec: GateSpec["slices"]): Slice[] {
  return spec.columns.flatMap((entry) => {
    const { column: name, bins = spec.bins } = typeof entry === "string"
      ? { column: entry }
      : entry;
    const column = findColumn(data, name);
    return column.kind === "numeric"
      ? numericSlices(name, column.values, bins)
      : textSlices(column, spec.values_max);
  });
}

function findColumn(data: Dataset, name: string): Column {
  try {
    return getColumn(data, name);
  } catch (thrown) {
    if (!(thrown instanceof SerinError)) throw thrown;
    throw new SerinError("configuration", `gate.yaml: slices: ${lowerFirst(thrown.message)}`, {
      hint: thrown.hint,
      cause: thrown,
    });
  }
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}

/** Bins of about equally many rows; equal values stay together; few distinct values: one each. */
function numericSlices(column: string, values: Float64Array, bins: number): Slice[] {
  const present = values.filter((x) => !Number.isNaN(x)).sort();
  const distinct = [...new Set(present)];
  const bounds = distinct.length <= bins ? distinct : [
    ...new Set(
      Array.from(
        { length: bins },
        (_, i) => present[Math.ceil(present.length * (i + 1) / bins) - 1],
      ),
    ),
  ];
  const groups = bounds.map((): number[] => []), missing: number[] = [];
  values.forEach((x, row) => {
    if (Number.isNaN(x)) missing.push(row);
    else groups[bounds.findIndex((bound) => x <= bound)].push(row);
  });
  const slices = groups.map((rows, i): Slice => {
    const low = i === 0 ? distinct[0] : bounds[i - 1];
    const value = distinct.length <= bins || low === bounds[i]
      ? limitNumber(bounds[i])
      : i === 0
      ? `${limitNumber(low)} to ${limitNumber(bounds[i])}`
      : `above ${limitNumber(low)} to ${limitNumber(bounds[i])}`;
    return { column, value, rows: Uint32Array.from(rows) };
  });
  if (missing.length > 0) {
    slices.push({ column, value: "missing", rows: Uint32Array.from(missing) });
  }
  return slices;
}

function textSlices(
  { name, codes, dictionary }: Extract<Column, { kind: "text" }>,
  valuesMax: number,
): Slice[] {
  const groups = new Map<number, number[]>();
  codes.forEach((code, row) => {
    const rows = groups.get(code);
    if (rows === undefined) groups.set(code, [row]);
    else rows.push(row);
  });
  const missing = groups.get(-1);
  groups.delete(-1);
  const largest = [...groups].sort(([, a], [, b]) => b.length - a.length);
  const slices = largest.slice(0, valuesMax).map(([code, rows]): Slice => ({
    column: name,
    value: dictionary[code],
    rows: Uint32Array.from(rows),
  }));
  const rest = largest.slice(valuesMax).flatMap(([, rows]) => rows);
  const add = (value: string, rows: number[]) =>
    slices.push({ column: name, value, rows: Uint32Array.from(rows) });
  if (rest.length > 0) add(`${largest.length - valuesMax} rarer values`, rest);
  if (missing !== undefined) add("missing", missing);
  return slices;
}
