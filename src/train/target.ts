import { SerinError } from "../core/mod.ts";
import type { Column } from "../dataset/mod.ts";

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
 * @throws {SerinError} `invalid_data` for missing values (the row is named), or not two classes
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
  const one = distinct.find((key) => valueOf(key) === classes[1]);
  return {
    values: Float64Array.from(keys, (key) => key === one ? 1 : 0),
    classes: classes as unknown as Classes,
  };
}

/**
 * A target that is a number.
 *
 * @throws {SerinError} `invalid_data` for text, missing (the row is named) or infinite values
 */
export function numericLabels(column: Column): Labels {
  if (column.kind === "text") {
    throw new SerinError(
      "invalid_data",
      `The target "${column.name}" is text: a regression needs numbers`,
      { hint: `a value seen is ${JSON.stringify(column.dictionary[0] ?? "")}` },
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
  return { values: column.values, classes: undefined };
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
