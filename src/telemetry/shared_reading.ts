import type { Clock } from "../core/mod.ts";

/** A scrape asks for one metric after another: within this time the answer is the same one. */
const KEPT_MS = 200;

/** @returns reads the source at most once a scrape, so that its metrics are of the same moment */
export function sharedReading<T>(read: () => T, clock: Clock): () => T {
  let kept: { at: number; value: T } | undefined;
  return () => {
    const at = clock.monotonic();
    if (kept === undefined || at - kept.at >= KEPT_MS) kept = { at, value: read() };
    return kept.value;
  };
}
