import { assert } from "../core/mod.ts";
import { studentCdf, studentQuantile } from "./distributions.ts";
import type { PairedDifference } from "./estimate.ts";

/** Rows that must differ from 0 before their variance is believed. */
const DIFFERING_ROWS_MIN = 10;

/** How {@linkcode meanInterval} is computed. */
export interface MeanOptions {
  /** Chance that the interval misses the mean, both sides together. */
  readonly alpha: number;
  /**
   * The most that one row that was not seen may be: where fewer than ten rows differ from 0, the
   * interval is widened by what so few may hide (rule of three). Default 1.
   */
  readonly scale?: number;
}

/**
 * The mean of one number a row with its interval, and the p-value of a mean of 0. Each end is the
 * wider of two: Student's t, and Hall's transformation of it, which takes the skewness out (Hall, "On
 * the removal of skewness by transformation", JRSS-B 54, 1992: as right as the bootstrap-t, without
 * chance). Losses are skewed: Student's alone misses too often on the long side.
 *
 * @param values one a row, e.g. the loss of one model less the loss of another
 * @returns infinite bounds and p = 1 with fewer than two rows
 *
 * @example Four paired differences
 * ```ts
 * import { meanInterval } from "./mod.ts";
 * const { value, lower } = meanInterval([0.1, 0.3, 0.2, 0.2], { alpha: 0.05 });
 * console.assert(Math.abs(value - 0.2) < 1e-12 && lower < 0.071);
 * ```
 */
export function meanInterval(values: ArrayLike<number>, options: MeanOptions): PairedDifference {
  const { alpha, scale = 1 } = options, n = values.length;
  assert(alpha > 0 && alpha < 1, `alpha must be between 0 and 1: current value is ${alpha}`);
  const { mean, deviation, skewness, differing } = moments(values);
  if (n < 2) return { value: mean, lower: -Infinity, upper: Infinity, p: 1, deviation: NaN };
  const error = deviation / Math.sqrt(n);
  const hidden = differing < Math.min(DIFFERING_ROWS_MIN, n / 4)
    ? scale * -Math.log(alpha / 2) / n
    : 0;
  const quantile = studentQuantile(1 - alpha / 2, n - 1);
  const [low, high] = [quantile, -quantile].map((t) => hallInverse(t, skewness, n));
  return {
    value: mean,
    lower: mean - error * Math.max(quantile, low) - hidden,
    upper: mean + error * Math.max(quantile, -high) + hidden,
    p: hidden > 0 ? 1 : pValue(mean, { error, skewness, n }),
    deviation,
  };
}

function moments(values: ArrayLike<number>) {
  const n = values.length;
  let sum = 0, differing = 0;
  for (let i = 0; i < n; i++) {
    sum += values[i];
    if (values[i] !== 0) differing++;
  }
  const mean = sum / n;
  let square = 0, cube = 0;
  for (let i = 0; i < n; i++) {
    const d = values[i] - mean;
    square += d * d;
    cube += d * d * d;
  }
  // Rounding alone is no deviation.
  const isConstant = square <= n * (1e-15 * mean) ** 2;
  const deviation = isConstant ? 0 : Math.sqrt(square / Math.max(n - 1, 1));
  return { mean, deviation, differing, skewness: isConstant ? 0 : cube / n / deviation ** 3 };
}

/** Hall's g: monotone, with g(T) nearly symmetric; T is the studentised mean. */
function hall(t: number, skewness: number, n: number): number {
  const s = skewness / Math.sqrt(n);
  return t + s * t * t / 3 + s * s * t * t * t / 27 + s / 6;
}

/** Its inverse, in closed form. */
function hallInverse(x: number, skewness: number, n: number): number {
  const s = skewness / Math.sqrt(n);
  if (Math.abs(s) < 1e-9) return x;
  return 3 / s * (Math.cbrt(1 + s * (x - s / 6)) - 1);
}

/** Two-sided, for a mean of 0: the larger of the two tests'. */
function pValue(mean: number, at: { error: number; skewness: number; n: number }): number {
  const { error, skewness, n } = at;
  if (error === 0) return mean === 0 ? 1 : 0;
  const t = mean / error;
  const twoSided = (x: number) => 2 * studentCdf(-Math.abs(x), n - 1);
  const corrected = hall(t, skewness, n);
  return corrected * t <= 0 ? 1 : Math.max(twoSided(t), twoSided(corrected));
}
