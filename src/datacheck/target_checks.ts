import { type Column, findNonNumber } from "../dataset/mod.ts";
import { type DataCheck, type DataLimits, judge } from "./data_check.ts";

/** Values that a sentence names. */
const NAMED_MAX = 5;

/** The target: there in every row, of the objective's kind, and not always the same. */
export function checkTarget(
  column: Column,
  objective: "binary" | "regression",
  limits: DataLimits,
): DataCheck[] {
  const missing = countMissing(column), name = JSON.stringify(column.name);
  const rows = column.kind === "numeric" ? column.values.length : column.codes.length;
  const checks = [
    judge("target.missing", {
      isWrong: missing > 0,
      sentence: missing === 0
        ? `the target ${name} has a value in every row`
        : `the target ${name} is missing in ${missing} of ${rows} rows, the first is data row ` +
          `${firstMissing(column)}: drop them or fill them in`,
    }),
  ];
  return objective === "binary"
    ? [...checks, ...checkClasses(column, limits)]
    : [...checks, ...checkNumber(column)];
}

function checkClasses(column: Column, { classRowsMin }: DataLimits): DataCheck[] {
  const counts = new Map<number, number>();
  const keys = column.kind === "numeric" ? column.values : column.codes;
  for (const key of keys) {
    if (column.kind === "numeric" ? key === key : key >= 0) {
      counts.set(key, (counts.get(key) ?? 0) + 1);
    }
  }
  const nameOf = (key: number) => column.kind === "numeric" ? String(key) : column.dictionary[key];
  const classes = [...counts].map(([key, rows]) => ({ name: nameOf(key), rows }))
    .sort((a, b) => b.rows - a.rows);
  const shown = classes.slice(0, NAMED_MAX).map(({ name, rows }) => `${name} (${rows} rows)`)
    .join(", ") + (classes.length > NAMED_MAX ? ", …" : "");
  const constant = judge("target.constant", {
    isWrong: classes.length < 2,
    sentence: `the target has ${plural(classes.length, "value")}` +
      (classes.length === 0 ? "" : `: ${shown}`),
  });
  if (classes.length < 2) return [constant];
  const rarest = classes[classes.length - 1];
  return [
    constant,
    judge("target.classes", {
      isWrong: classes.length !== 2,
      sentence: classes.length === 2
        ? "a binary target has two classes, and so has this"
        : `a binary target has two classes, this has ${classes.length}: ${shown}`,
    }),
    judge("target.class_rows", {
      isWrong: rarest.rows < classRowsMin,
      sentence: `the rarest class, ${rarest.name}, has ${plural(rarest.rows, "row")}; ` +
        `${classRowsMin} are needed`,
    }),
  ];
}

function checkNumber(column: Column): DataCheck[] {
  const text = findNonNumber(column);
  if (column.kind === "text") {
    const seen = text === undefined
      ? ""
      : `: data row ${text.row} has ${JSON.stringify(text.text)}`;
    return [{ id: "target.type", outcome: "refused", sentence: `the target is text${seen}` }];
  }
  let min = Infinity, max = -Infinity;
  for (const value of column.values) {
    if (value < min) min = value;
    if (value > max) max = value;
  }
  return [
    { id: "target.type", outcome: "passed", sentence: "the target is a number" },
    judge("target.constant", {
      isWrong: !(max > min),
      sentence: max > min
        ? `the target goes from ${min} to ${max}`
        : max === min
        ? `the target is ${max} in every row`
        : "the target has no value",
    }),
  ];
}

/** @returns rows without a value */
export function countMissing(column: Column): number {
  let count = 0;
  if (column.kind === "numeric") {
    for (const value of column.values) if (value !== value) count++;
  } else for (const code of column.codes) if (code < 0) count++;
  return count;
}

function firstMissing(column: Column): number {
  return column.kind === "numeric"
    ? column.values.findIndex((value) => value !== value)
    : column.codes.findIndex((code) => code < 0);
}

function plural(count: number, word: string): string {
  return `${count} ${word}${count === 1 ? "" : "s"}`;
}
