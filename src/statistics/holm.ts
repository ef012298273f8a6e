/**
 * Holm's step-down correction (Holm, Scandinavian Journal of Statistics 6, 1979): whoever rejects
 * where the adjusted p-value is at most α makes a false claim in the whole family with a chance of at
 * most α, whatever the dependence.
 *
 * @returns adjusted p-values, in the order given
 *
 * @example Three tests
 * ```ts
 * import { holmAdjust } from "./mod.ts";
 * console.assert(holmAdjust([0.01, 0.04, 0.03]).join() === "0.03,0.06,0.06");
 * ```
 */
export function holmAdjust(pValues: readonly number[]): number[] {
  const order = pValues.map((_, i) => i).sort((a, b) => pValues[a] - pValues[b]);
  const adjusted = new Array<number>(pValues.length);
  let least = 0;
  order.forEach((index, rank) => {
    least = Math.max(least, Math.min(1, pValues[index] * (pValues.length - rank)));
    adjusted[index] = least;
  });
  return adjusted;
}
