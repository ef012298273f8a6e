import { assert } from "../core/mod.ts";
import type { PairedDifference } from "./estimate.ts";
import { meanInterval, type MeanOptions } from "./mean_interval.ts";

/** Which rows belong together: a day of a time series, the rows of one person. */
export interface Units {
  /** The number of its unit, from 0, a row. */
  readonly of: ArrayLike<number>;
  readonly count: number;
}

/**
 * {@linkcode meanInterval} where rows of a unit are alike and only units are independent: the
 * variance is that of the units' sums (Liang and Zeger, Biometrika 73, 1986; the same as
 * statsmodels' `cov_type="cluster"`), with as many degrees of freedom as there are units less one.
 *
 * @param values one a row
 * @returns as meanInterval; `deviation` is that of rows which would be as telling and independent
 *
 * @example Rows that say the same twice say it once
 * ```ts
 * import { clusteredMean, meanInterval } from "./mod.ts";
 * const once = meanInterval([0.1, 0.4, 0.2], { alpha: 0.05 });
 * const units = { of: [0, 0, 1, 1, 2, 2], count: 3 };
 * const twice = clusteredMean([0.1, 0.1, 0.4, 0.4, 0.2, 0.2], units, { alpha: 0.05 });
 * console.assert(Math.abs(once.lower - twice.lower) < 1e-9);
 * ```
 */
export function clusteredMean(
  values: ArrayLike<number>,
  { of, count }: Units,
  options: MeanOptions,
): PairedDifference {
  const n = values.length;
  assert(of.length === n, `One unit a row: ${of.length} units for ${n} rows`);
  let sum = 0;
  for (let i = 0; i < n; i++) sum += values[i];
  const mean = sum / n, parts = new Float64Array(count);
  for (let i = 0; i < n; i++) parts[of[i]] += values[i] - mean;
  // One number a unit, whose plain mean has the mean and the variance that are wanted.
  const scaled = parts.map((part) => mean + part * count / n);
  const result = meanInterval(scaled, options);
  return { ...result, deviation: result.deviation * Math.sqrt(n / count) };
}
