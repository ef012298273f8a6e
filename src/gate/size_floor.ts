import type { Units } from "../statistics/mod.ts";
import type { GateSpec } from "./gate_spec.ts";

/** Why a set of rows is too small for any statement, and how many would do. */
export interface SizeFloor {
  readonly why: string;
  readonly rowsNeeded: number;
}

/** Units (blocks) below which their spread cannot be told. */
const UNITS_MIN = 20;

/**
 * Below some rows, some of each class and some units, the approximations behind intervals do not hold.
 *
 * @param truth 0 or 1 a row where `isBinary`
 * @returns undefined where there are enough
 */
export function sizeFloor(
  truth: Float64Array,
  units: Units | undefined,
  { isBinary, rows_min, class_rows_min }:
    & Pick<GateSpec["test"], "rows_min" | "class_rows_min">
    & { isBinary: boolean },
): SizeFloor | undefined {
  const rows = truth.length;
  const positives = truth.reduce((sum, y) => sum + y, 0);
  const fewer = isBinary ? Math.min(positives, rows - positives) : Infinity;
  const least = [
    { seen: rows, least: rows_min, what: "rows" },
    { seen: fewer, least: class_rows_min, what: "rows of the rarer class" },
    { seen: units?.count ?? Infinity, least: UNITS_MIN, what: "blocks" },
  ];
  const short = least.filter(({ seen, least }) => seen < least);
  if (short.length === 0) return undefined;
  const [{ seen, least: wanted, what }] = short;
  return {
    why: `${seen} ${what}, at least ${wanted} are needed`,
    rowsNeeded: Math.ceil(
      Math.max(...short.map(({ seen, least }) => rows * least / Math.max(seen, 1))),
    ),
  };
}
