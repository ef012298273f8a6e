/** Upper bounds of the histogram of a part's duration, seconds. */
export const RECONCILE_SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

/** How often a part of the work was done, and how long it took. */
export class PartStats {
  runs = 0;
  errors = 0;
  seconds = 0;
  /** Not cumulative; one more for what is above the last bound. */
  readonly counts: number[] = Array(RECONCILE_SECONDS.length + 1).fill(0);

  /** @param seconds how long it took */
  add(seconds: number, failed: boolean): void {
    this.runs++;
    if (failed) this.errors++;
    this.seconds += seconds;
    const bucket = RECONCILE_SECONDS.findIndex((bound) => seconds <= bound);
    this.counts[bucket < 0 ? RECONCILE_SECONDS.length : bucket]++;
  }
}
