import type { Random } from "./random.ts";

/**
 * Time to wait before the next attempt: twice as much each time up to the cap, of which a random half
 * is taken off, so that those that failed together do not come back together.
 *
 * @param failures attempts that failed in a row, from 1
 * @returns milliseconds
 *
 * @example Waits that grow
 * ```ts
 * import { backoffMs, SeededRandom } from "./mod.ts";
 * const random = new SeededRandom(1);
 * const waits = [1, 2, 9].map((n) => backoffMs(n, random, { firstMs: 100, capMs: 1000 }));
 * console.assert(waits[0] <= 100 && waits[1] >= 100 && waits[2] >= 500 && waits[2] <= 1000);
 * ```
 */
export function backoffMs(
  failures: number,
  random: Random,
  { firstMs, capMs }: { firstMs: number; capMs: number },
): number {
  const full = Math.min(capMs, firstMs * 2 ** Math.min(failures - 1, 30));
  return full * (0.5 + random.uint32() / 2 ** 33);
}
