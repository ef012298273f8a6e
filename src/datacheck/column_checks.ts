import { type Column, findNonNumber, type NumericColumn } from "../dataset/mod.ts";
import {
  type DataCheck,
  type DataLimits,
  judge,
  percent,
  type ReferenceColumn,
} from "./data_check.ts";
import { countMissing } from "./target_checks.ts";

/** A feature: a number, mostly there, not always the same, in the range that the last model knew. */
export function checkFeature(
  column: Column,
  known: ReferenceColumn | undefined,
  limits: DataLimits,
): DataCheck[] {
  const id = `column.${column.name}`;
  return [
    checkType(id, column),
    checkMissing(id, column, known, limits),
    ...(column.kind === "numeric" ? checkValues(id, column, known, limits) : []),
  ];
}

function checkType(id: string, column: Column): DataCheck {
  if (column.kind === "numeric") {
    return { id: `${id}.type`, outcome: "passed", sentence: "a number" };
  }
  const found = findNonNumber(column);
  const seen = found === undefined
    ? ""
    : `: data row ${found.row} has ${JSON.stringify(found.text)}`;
  const sentence = `text${seen}; features are numbers: mend it, or name it in features.ignore`;
  return { id: `${id}.type`, outcome: "refused", sentence };
}

function checkMissing(
  id: string,
  column: Column,
  known: ReferenceColumn | undefined,
  { missingMax, missingRiseMax }: DataLimits,
): DataCheck {
  const rows = column.kind === "numeric" ? column.values.length : column.codes.length;
  const rate = countMissing(column) / rows, before = known?.missingRate;
  const isMuch = rate > missingMax;
  const isMore = before !== undefined && rate - before > missingRiseMax;
  const was = before === undefined ? "" : `, ${percent(before)} in the reference`;
  const limit = isMuch
    ? `; ${percent(missingMax)} at most`
    : isMore
    ? `; ${percent(missingRiseMax)} more at most`
    : "";
  return judge(`${id}.missing`, {
    isWrong: isMuch || isMore,
    sentence: `${percent(rate)} are missing${was}${limit}`,
  });
}

function checkValues(
  id: string,
  { values }: NumericColumn,
  known: ReferenceColumn | undefined,
  { outOfRangeMax }: DataLimits,
): DataCheck[] {
  const low = known?.min ?? -Infinity, high = known?.max ?? Infinity;
  let min = Infinity, max = -Infinity, present = 0, outside = 0;
  for (const given of values) {
    if (given !== given) continue;
    // As the model and its profile see it.
    const value = Math.fround(given);
    present++;
    if (value < min) min = value;
    if (value > max) max = value;
    if (value < low || value > high) outside++;
  }
  if (present === 0) return [];
  const constant = judge(`${id}.constant`, {
    isWrong: min === max,
    outcome: "warned",
    sentence: min === max
      ? `${min} in every row: it tells nothing`
      : `from ${short(min)} to ${short(max)}`,
  });
  if (known?.min === undefined) return [constant];
  const share = outside / present;
  return [
    constant,
    judge(`${id}.range`, {
      isWrong: share > outOfRangeMax,
      sentence: `${percent(share)} are outside of the reference's ${short(low)} to ${short(high)}` +
        (share > outOfRangeMax ? `; ${percent(outOfRangeMax)} at most` : ""),
    }),
  ];
}

function short(value: number): string {
  return String(Number(value.toPrecision(6)));
}
