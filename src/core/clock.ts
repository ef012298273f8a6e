/** Time, injected: a test gives its own. */
export interface Clock {
  /** Wall-clock time in milliseconds since the epoch; may jump. For records and for people. */
  now(): number;
  /** Milliseconds since an arbitrary moment; never goes back. For durations and deadlines. */
  monotonic(): number;
}

/** The machine's clock. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
};
