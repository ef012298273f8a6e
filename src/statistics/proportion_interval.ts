import { assert } from "../core/mod.ts";
import { normalQuantile } from "./distributions.ts";
import type { Estimate } from "./estimate.ts";

/**
 * A share with Wilson's score interval (Wilson, JASA 22, 1927), which holds near 0 and 1 as well.
 *
 * @example 9 of 10
 * ```ts
 * import { proportionInterval } from "./mod.ts";
 * const { lower, upper } = proportionInterval(9, 10, 0.05);
 * console.assert(lower > 0.59 && upper < 0.983);
 * ```
 */
export function proportionInterval(hits: number, trials: number, alpha: number): Estimate {
  assert(trials >= 1 && hits >= 0 && hits <= trials, `${hits} of ${trials} is no share`);
  const z = normalQuantile(1 - alpha / 2), square = z * z / trials, share = hits / trials;
  const middle = (share + square / 2) / (1 + square);
  const half = z / (1 + square) *
    Math.sqrt(share * (1 - share) / trials + square / (4 * trials));
  return { value: share, lower: Math.max(0, middle - half), upper: Math.min(1, middle + half) };
}
