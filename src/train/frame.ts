import { didYouMean, SerinError } from "../core/mod.ts";
import {
  type Dataset,
  findNonNumber,
  getColumn,
  isNumberText,
  MISSING_TEXTS,
  type TextColumn,
} from "../dataset/mod.ts";
import { RESERVED_NAMES } from "./graph.ts";
import type { LabelledRows } from "./trainer.ts";

const MISSING_SPELT = [...MISSING_TEXTS].filter((text) => text !== "").join(", ");

/** The features of a data set, as the model will see them. */
export interface Frame {
  readonly names: readonly string[];
  /** One float32 a row; NaN is missing. */
  readonly values: readonly Float32Array[];
}

/**
 * All columns but the target and the ignored ones, rounded to float32 as the ONNX graph's inputs are.
 *
 * @throws {SerinError} `not_found` for an ignored column that is not there, `invalid_data` for text
 * columns (categories are not supported yet), names that the graph uses, or no feature at all
 */
export function selectFeatures(
  dataset: Dataset,
  target: string,
  ignore: readonly string[],
): Frame {
  const names = dataset.columns.map((column) => column.name);
  for (const name of ignore) {
    if (!names.includes(name)) {
      throw new SerinError("not_found", `features.ignore names "${name}", which is no column`, {
        hint: didYouMean(name, names) ?? `the columns are ${names.slice(0, 20).join(", ")}`,
      });
    }
  }
  const used = dataset.columns.filter(({ name }) => name !== target && !ignore.includes(name));
  refuseTexts(used.filter((column) => column.kind === "text"), ignore);
  const reserved = used.find(({ name }) => RESERVED_NAMES.test(name));
  if (reserved !== undefined) {
    throw new SerinError(
      "invalid_data",
      `The column "${reserved.name}" has a name that the model uses for itself`,
      { hint: "rename the column or ignore it" },
    );
  }
  if (used.length === 0) {
    throw new SerinError("invalid_data", `No column is left to predict "${target}" from`);
  }
  return {
    names: used.map((column) => column.name),
    values: used.map((column) => Float32Array.from(column.kind === "numeric" ? column.values : [])),
  };
}

/** Names each text column and the value that makes it text, which may be a number misspelt. */
function refuseTexts(columns: readonly TextColumn[], ignore: readonly string[]): void {
  if (columns.length === 0) return;
  const names = columns.map((column) => column.name);
  const list = columns.map((column) => {
    const found = findNonNumber(column);
    const seen = found === undefined
      ? ""
      : ` (data row ${found.row} has ${JSON.stringify(found.text)})`;
    return `${JSON.stringify(column.name)} is text${seen}`;
  });
  const ignored = JSON.stringify([...ignore, ...names]).replaceAll('","', '", "');
  const misspelt = columns.some(({ dictionary }) => dictionary.some(isNumberText))
    ? `write a missing number as an empty field, ${MISSING_SPELT}; or `
    : "";
  throw new SerinError(
    "invalid_data",
    `Text columns cannot be features yet: ${list.join(", ")}`,
    {
      hint: `${misspelt}ignore ${names.length === 1 ? "it" : "them"} in train.yaml: ` +
        `features: {ignore: ${ignored}}`,
      details: { columns: names },
    },
  );
}

/** Some rows of a frame with their labels. */
export function takeRows(frame: Frame, labels: Float64Array, rows: Uint32Array): LabelledRows {
  const features = frame.values.map((values) => {
    const taken = new Float32Array(rows.length);
    for (let i = 0; i < rows.length; i++) taken[i] = values[rows[i]];
    return taken;
  });
  return { rows: rows.length, features, labels: Float64Array.from(rows, (row) => labels[row]) };
}

/** The column to predict, or an error that names the nearest. */
export function getTarget(dataset: Dataset, target: string) {
  try {
    return getColumn(dataset, target);
  } catch (thrown) {
    if (!(thrown instanceof SerinError)) throw thrown;
    throw new SerinError("not_found", `The data has no target column "${target}"`, {
      hint: thrown.hint,
      details: thrown.details,
    });
  }
}
