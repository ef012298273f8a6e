import type { Random } from "../core/mod.ts";

/** Waits; a signal ends it early, without an error. */
export type Sleep = (milliseconds: number, signal?: AbortSignal) => Promise<void>;

/** Waits by the machine's timers. */
export const systemSleep: Sleep = (milliseconds, signal) =>
  new Promise((resolve) => {
    if (signal?.aborted) return resolve();
    const end = () => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", end);
      resolve();
    };
    const timer = setTimeout(end, milliseconds);
    signal?.addEventListener("abort", end);
  });

/**
 * Time to wait before the next attempt: twice as much each time up to the cap, of which a random half
 * is taken off, so that clients that failed together do not come back together.
 *
 * @param failures attempts that failed in a row, from 1
 * @returns milliseconds
 */
export function backoffMs(
  failures: number,
  random: Random,
  { firstMs = 500, capMs = 30_000 } = {},
): number {
  const full = Math.min(capMs, firstMs * 2 ** Math.min(failures - 1, 30));
  return full * (0.5 + random.uint32() / 2 ** 33);
}
