import { assert } from "../core/mod.ts";

/**
 * How alike neighbours are: the correlation of a series with itself, `lag` places on.
 *
 * @returns -1 to 1; about 0 ± 2/√n where the order of the rows means nothing, 0 for a constant
 *
 * @example A series that goes up and down
 * ```ts
 * import { autocorrelation } from "./mod.ts";
 * console.assert(autocorrelation([1, -1, 1, -1, 1, -1]) < -0.8);
 * ```
 */
export function autocorrelation(values: ArrayLike<number>, lag = 1): number {
  const n = values.length;
  assert(lag >= 1, `A lag must be at least 1: current value is ${lag}`);
  let mean = 0;
  for (let i = 0; i < n; i++) mean += values[i] / n;
  let together = 0, square = 0;
  for (let i = 0; i < n; i++) {
    square += (values[i] - mean) ** 2;
    if (i >= lag) together += (values[i] - mean) * (values[i - lag] - mean);
  }
  return square > 0 ? together / square : 0;
}
