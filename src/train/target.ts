import { SerinError } from "../core/mod.ts";
import { type Column, findNonNumber, type NumericColumn } from "../dataset/mod.ts";

/** The two values of a binary target; the second is the one whose probability is predicted. */
export type Classes = readonly [number, number] | readonly [string, string];

/** The column to predict, as numbers. */
export interface Labels {
  /** 0 or 1, or the number itself. */
  readonly values: Float64Array;
  /** Undefined for regression. */
  readonly classes: Classes | undefined;
}

/** How many values an error message shows. */
const SHOWN_MAX = 10;

/**
 * A binary target: two numbers or two texts, in ascending order; the greater is class 1.
 *
 * @throws {SerinError} `invalid_data` for missing values (the row is named), not two classes, or two
 * that float32 cannot tell apart
 */
export function binaryLabels(column: Column): Labels {
  refuseMissing(column);
  const keys = column.kind === "numeric" ? column.values : column.codes;
  const distinct = [...new Set<number>(keys)];
  const valueOf = (key: number) => column.kind === "numeric" ? key : column.dictionary[key];
  const classes = distinct.map(valueOf).sort(ascending);
  if (classes.length !== 2) {
    const shown = classes.slice(0, SHOWN_MAX).join(", ") +
      (classes.length > SHOWN_MAX ? ", …" : "");
    const one = classes.length === 1;
    throw new SerinError(
      "invalid_data",
      `The target "${column.name}" has ${classes.length} class${one ? "" : "es"} (${shown}): ` +
        "a binary objective needs two",
      {
        hint: one
          ? "take more rows, or another target"
          : column.kind === "numeric"
          ? "set objective: regression to predict the number; more than two classes come later"
          : "more than two classes come later",
      },
    );
  }
  refuseEqualLabels(column.name, classes);
  const one = distinct.find((key) => valueOf(key) === classes[1]);
  return {
    values: Float64Array.from(keys, (key) => key === one ? 1 : 0),
    classes: classes as unknown as Classes,
  };
}

/** The model's `label` is int64 for whole numbers, else float32. */
function refuseEqualLabels(name: string, [a, b]: readonly (number | string)[]): void {
  if (typeof a === "string" || typeof b === "string") return;
  if (Number.isSafeInteger(a) && Number.isSafeInteger(b)) return;
  const [x, y] = [Math.fround(a), Math.fround(b)];
  if (Number.isFinite(x) && Number.isFinite(y) && x !== y) return;
  throw new SerinError(
    "invalid_data",
    `The target "${name}" has the classes ${a} and ${b}: a model cannot answer both as float32`,
    { hint: "write the classes as 0 and 1, or as text" },
  );
}

/**
 * A target that is a number.
 *
 * @throws {SerinError} `invalid_data` for text, missing (the row is named) or infinite values, and for
 * values that float32 cannot tell apart
 */
export function numericLabels(column: Column): Labels {
  if (column.kind === "text") {
    throw new SerinError(
      "invalid_data",
      `The target "${column.name}" is text: a regression needs numbers`,
      { hint: textHint(column) },
    );
  }
  refuseMissing(column);
  const row = column.values.findIndex((value) => !Number.isFinite(Math.fround(value)));
  if (row >= 0) {
    throw new SerinError(
      "invalid_data",
      `The target "${column.name}" is too large for float32 in data row ${row}: ` +
        `current value is ${column.values[row]}`,
    );
  }
  refuseUnresolved(column);
  return { values: column.values, classes: undefined };
}

function textHint(column: Column): string {
  const found = findNonNumber(column);
  if (found === undefined) return "write the numbers without quotes of another kind";
  return `data row ${found.row} has ${JSON.stringify(found.text)}; a binary objective takes text`;
}

/** Rounding to float32 may take this share of the target's variance. */
const ROUNDING_SHARE_MAX = 1e-4;

/** A model answers in float32: years of milliseconds, say, differ by less than that can tell apart. */
function refuseUnresolved({ name, values }: NumericColumn): void {
  if (values.every((value) => value === values[0])) return;
  let mean = 0;
  for (const value of values) mean += value / values.length;
  let variance = 0, rounding = 0;
  for (const value of values) {
    variance += (value - mean) ** 2;
    rounding += (value - Math.fround(value)) ** 2;
  }
  if (rounding <= ROUNDING_SHARE_MAX * variance) return;
  const step = Math.abs(mean) * 2 ** -23;
  throw new SerinError(
    "invalid_data",
    `The target "${name}" varies too little for its size: around ${mean} a float32 tells values ` +
      `${step.toPrecision(2)} apart, and its standard deviation is ` +
      Math.sqrt(variance / values.length).toPrecision(2),
    { hint: `subtract a constant from the target, e.g. ${Math.round(mean)}` },
  );
}

function refuseMissing(column: Column): void {
  let first = -1, missing = 0;
  const { length } = column.kind === "numeric" ? column.values : column.codes;
  for (let row = 0; row < length; row++) {
    const isMissing = column.kind === "numeric"
      ? Number.isNaN(column.values[row])
      : column.codes[row] < 0;
    if (!isMissing) continue;
    if (missing++ === 0) first = row;
  }
  if (missing === 0) return;
  throw new SerinError(
    "invalid_data",
    `The target "${column.name}" has no value in data row ${first} (counted from 0)` +
      (missing > 1 ? ` and in ${missing - 1} more` : ""),
    { hint: "remove the rows whose outcome is not known", details: { row: first, missing } },
  );
}

function ascending(a: number | string, b: number | string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
