import { assert } from "../core/mod.ts";
import { normalQuantile } from "./distributions.ts";

/** What a test is to see, and how surely. */
export interface RowsQuestion {
  /** Standard deviation of one row's (paired) difference. */
  readonly deviation: number;
  /** The distance between the truth and the bound that is to be excluded; above 0. */
  readonly distance: number;
  /** Two-sided level of the interval. */
  readonly alpha: number;
  /** Chance that the interval excludes the bound. */
  readonly power: number;
}

/**
 * Rows that a paired test needs: ((z_{1-α/2} + z_power) · deviation / distance)².
 *
 * @returns whole rows, rounded up; Infinity where the distance is 0 or less
 *
 * @example A difference of 2 points where the two disagree on a tenth of the rows
 * ```ts
 * import { rowsNeeded } from "./mod.ts";
 * const question = { deviation: Math.sqrt(0.1), distance: 0.02, alpha: 0.05, power: 0.8 };
 * console.assert(rowsNeeded(question) === 1963);
 * ```
 */
export function rowsNeeded({ deviation, distance, alpha, power }: RowsQuestion): number {
  assert(power > 0 && power < 1, `Power must be between 0 and 1: current value is ${power}`);
  if (!(distance > 0)) return Infinity;
  const z = normalQuantile(1 - alpha / 2) + normalQuantile(power);
  return Math.ceil((z * deviation / distance) ** 2);
}
