import { didYouMean } from "../core/mod.ts";
import { type Dataset, datasetDigest } from "../dataset/mod.ts";
import { checkFeature } from "./column_checks.ts";
import {
  type DataCheck,
  type DataLimits,
  judge,
  percent,
  type ReferenceData,
} from "./data_check.ts";
import type { DataReport } from "./data_report.ts";
import { findDuplicateRows } from "./duplicate_rows.ts";
import { checkTarget } from "./target_checks.ts";

/** A reference with more rows than so many times those of the data makes one look twice. */
const FEWER_ROWS_FACTOR = 2;

/** What is checked, and against what. */
export interface DataCheckRequest {
  readonly dataset: Dataset;
  /** What the table is called in the report. */
  readonly source: string;
  readonly target: string;
  readonly objective: "binary" | "regression";
  /** Columns that the model will not use. */
  readonly ignored: readonly string[];
  /** What the last model was trained on; undefined: no model yet. */
  readonly reference: ReferenceData | undefined;
  readonly limits: DataLimits;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/**
 * Checks a table before it is trained on: enough rows, none too often, a target that can be learnt,
 * features that are numbers and mostly there, the columns and the ranges that the last model knew.
 *
 * @example A target that is always the same
 * ```ts
 * import { readCsv } from "../dataset/mod.ts";
 * import { checkData, DATA_LIMITS } from "./mod.ts";
 * const dataset = await readCsv(new TextEncoder().encode("a,y\n1,0\n2,0\n"));
 * const { outcome } = checkData({
 *   ...{ dataset, source: "rows.csv", target: "y", objective: "binary", ignored: [] },
 *   ...{ reference: undefined, limits: DATA_LIMITS, now: 0 },
 * });
 * console.assert(outcome === "refused");
 * ```
 */
export function checkData(request: DataCheckRequest): DataReport {
  const { dataset, source, target, reference, now } = request;
  const checks = [...checkRows(request), ...checkSchema(request), ...checkColumns(request)];
  return {
    outcome: checks.some(({ outcome }) => outcome === "refused") ? "refused" : "passed",
    time: now,
    source,
    reference: reference?.source,
    rows: dataset.rows,
    digest: datasetDigest(dataset),
    target,
    checks,
  };
}

function checkRows({ dataset, reference, limits }: DataCheckRequest): DataCheck[] {
  const { rows } = dataset, { count, first } = findDuplicateRows(dataset);
  const share = count / rows;
  const checks = [
    judge("rows", {
      isWrong: rows < limits.rowsMin,
      sentence: `${rows} rows; ${limits.rowsMin} are needed`,
    }),
    judge("duplicates", {
      isWrong: share > limits.duplicatesMax,
      sentence: `${percent(share)} of the rows repeat an earlier one` +
        (first === undefined ? "" : `, the first is data row ${first}`) +
        (share > limits.duplicatesMax ? `; ${percent(limits.duplicatesMax)} at most` : ""),
    }),
  ];
  if (reference === undefined || reference.rows === 0) return checks;
  return [
    ...checks,
    judge("rows.reference", {
      isWrong: rows * FEWER_ROWS_FACTOR < reference.rows,
      outcome: "warned",
      sentence: `${rows} rows, the reference was trained on ${reference.rows}`,
    }),
  ];
}

/** Names: the target, what is ignored, what the last model took. */
function checkSchema({ dataset, target, ignored, reference }: DataCheckRequest): DataCheck[] {
  const names = dataset.columns.map(({ name }) => name), checks: DataCheck[] = [];
  const hint = (name: string, among: readonly string[] = names) => {
    const meant = didYouMean(name, among);
    return meant === undefined ? "" : ` (${meant})`;
  };
  const quoted = JSON.stringify(target);
  checks.push(judge("target.present", {
    isWrong: !names.includes(target),
    sentence: names.includes(target)
      ? `the target ${quoted} is a column`
      : `there is no column ${quoted}, the target${hint(target)}; the columns are ${listed(names)}`,
  }));
  for (const name of ignored) {
    if (names.includes(name)) continue;
    const sentence = `features.ignore names it, and it is no column${hint(name)}`;
    checks.push({ id: `column.${name}.present`, outcome: "refused", sentence });
  }
  const features = featuresOf(dataset, target, ignored).map(({ name }) => name);
  if (features.length === 0) {
    const sentence = "no column is left to predict from";
    checks.push({ id: "columns", outcome: "refused", sentence });
  }
  if (reference === undefined) return checks;
  const known = reference.columns.map(({ name }) => name);
  const spare = features.filter((name) => !known.includes(name));
  for (const name of known.filter((name) => !features.includes(name))) {
    const isIgnored = ignored.includes(name);
    const sentence = isIgnored
      ? "the reference used it, and features.ignore names it now"
      : `the reference used it, and it is no column${hint(name, spare)}`;
    const outcome = isIgnored ? "warned" : "refused";
    checks.push({ id: `column.${name}.dropped`, outcome, sentence });
  }
  for (const name of spare) {
    const sentence = "new: the reference did not use it, and callers do not send it yet";
    checks.push({ id: `column.${name}.new`, outcome: "warned", sentence });
  }
  return checks;
}

function checkColumns(request: DataCheckRequest): DataCheck[] {
  const { dataset, target, objective, ignored, reference, limits } = request;
  const label = dataset.columns.find(({ name }) => name === target);
  const features = featuresOf(dataset, target, ignored);
  const known = new Map(reference?.columns.map((column) => [column.name, column]));
  return [
    ...(label === undefined ? [] : checkTarget(label, objective, limits)),
    ...features.flatMap((column) => checkFeature(column, known.get(column.name), limits)),
  ];
}

function featuresOf({ columns }: Dataset, target: string, ignored: readonly string[]) {
  return columns.filter(({ name }) => name !== target && !ignored.includes(name));
}

function listed(names: readonly string[]): string {
  return names.slice(0, 20).join(", ") + (names.length > 20 ? ", …" : "");
}
