import type { GateSpec } from "./gate_spec.ts";

/** Why a set of rows is too small for any statement, and how many would do. */
export interface SizeFloor {
  readonly why: string;
  readonly rowsNeeded: number;
}

/**
 * Below some rows, and some of each class, the approximations behind intervals do not hold.
 *
 * @param truth 0 or 1 a row where `isBinary`
 * @returns undefined where there are enough
 */
export function sizeFloor(
  truth: Float64Array,
  isBinary: boolean,
  { rows_min, class_rows_min }: Pick<GateSpec["test"], "rows_min" | "class_rows_min">,
): SizeFloor | undefined {
  const rows = truth.length;
  const positives = truth.reduce((sum, y) => sum + y, 0);
  const fewer = isBinary ? Math.min(positives, rows - positives) : Infinity;
  if (rows >= rows_min && fewer >= class_rows_min) return undefined;
  const forClass = fewer >= class_rows_min
    ? 0
    : Math.ceil(rows * class_rows_min / Math.max(fewer, 1));
  const why = rows < rows_min
    ? `${rows} rows, at least ${rows_min} are needed`
    : `${fewer} rows of the rarer class, at least ${class_rows_min} are needed`;
  return { why, rowsNeeded: Math.max(rows_min, forClass) };
}
