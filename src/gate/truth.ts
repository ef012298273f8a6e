import { SerinError } from "../core/mod.ts";
import { type Column, type Dataset, getColumn } from "../dataset/mod.ts";

/** A class of a binary target, as a number or as text. */
export type Class = number | string;

/** What really happened, a row. */
export interface Truth {
  /** 1 where the positive class came true, or the number itself. */
  readonly values: Float64Array;
  /** Negative and positive class; undefined for a regression. */
  readonly classes: readonly [Class, Class] | undefined;
}

/** How many classes an error shows. */
const SHOWN_MAX = 6;

/**
 * Reads the target of the data.
 *
 * @param positive the class that counts as 1; default the later of the two in order
 * @throws {SerinError} `not_found` where there is no such column (with the nearest name),
 *   `invalid_data` where values are missing, are no numbers, or not of two classes
 */
export function readTruth(
  data: Dataset,
  { objective, target, positive }: {
    objective: "binary" | "regression";
    target: string;
    positive?: Class | undefined;
  },
): Truth {
  const column = getColumn(data, target);
  refuseMissing(column);
  if (objective === "regression") {
    if (column.kind === "numeric") return { values: column.values, classes: undefined };
    throw new SerinError(
      "invalid_data",
      `The target "${target}" is text: a regression is judged by numbers`,
      { hint: "set objective: binary in gate.yaml where it is a class" },
    );
  }
  const [negative, positiveClass] = classesOf(column, positive);
  const values = column.kind === "numeric"
    ? column.values.map((value) => value === positiveClass ? 1 : 0)
    : Float64Array.from(column.codes, (code) => column.dictionary[code] === positiveClass ? 1 : 0);
  return { values, classes: [negative, positiveClass] };
}

function classesOf(column: Column, positive: Class | undefined): [Class, Class] {
  const found = column.kind === "numeric"
    ? [...new Set(column.values)].sort((a, b) => a - b)
    : [...new Set(column.codes)].map((code) => column.dictionary[code]).sort();
  if (found.length !== 2) {
    const shown = found.slice(0, SHOWN_MAX).join(", ") + (found.length > SHOWN_MAX ? ", …" : "");
    throw new SerinError(
      "invalid_data",
      `The target "${column.name}" has ${found.length} class${found.length === 1 ? "" : "es"} ` +
        `(${shown}): two are needed to tell models apart`,
      {
        hint: found.length === 1
          ? "take rows in which both outcomes happened"
          : "set objective: regression in gate.yaml where it is a number",
      },
    );
  }
  const [first, second] = found;
  if (positive === undefined) return [first, second];
  // YAML's 1 and "1" are one class, as in the file.
  const isPositive = (value: Class) => String(value) === String(positive);
  if (isPositive(second)) return [first, second];
  if (isPositive(first)) return [second, first];
  throw new SerinError(
    "configuration",
    `gate.yaml: "positive" is no class of the target "${column.name}": current value is ` +
      JSON.stringify(positive),
    { hint: `the data has ${JSON.stringify(first)} and ${JSON.stringify(second)}` },
  );
}

function refuseMissing(column: Column): void {
  const { length } = column.kind === "numeric" ? column.values : column.codes;
  let first = -1, missing = 0;
  for (let row = 0; row < length; row++) {
    const isMissing = column.kind === "numeric"
      ? !Number.isFinite(column.values[row])
      : column.codes[row] < 0;
    if (isMissing && missing++ === 0) first = row;
  }
  if (missing === 0) return;
  throw new SerinError(
    "invalid_data",
    `The target "${column.name}" has no finite value in data row ${first} (counted from 0)` +
      (missing > 1 ? ` and in ${missing - 1} more` : ""),
    { hint: "remove the rows whose outcome is not known", details: { row: first, missing } },
  );
}
