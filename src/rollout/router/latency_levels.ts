/** Stable requests that a level needs; until then there are no latency events. */
const SAMPLES_MIN = 200;
/** The newest samples that are kept. */
const SAMPLES_MAX = 4096;

/** The stable version's p90, p95 and p99, milliseconds. */
export type Levels = readonly [number, number, number];

/**
 * The latency levels of one model in one data isolate: fixed for a step from the isolate's own
 * stable requests of the step before, or, where those were too few (an isolate that has just started),
 * as soon as there are enough. They are known before they are used (predictable, hence the test stays
 * valid), and an isolate that is slow as a whole has slow levels.
 */
export class LatencyLevels {
  readonly #samples = new Float64Array(SAMPLES_MAX);
  #seen = 0;
  #levels: Levels | undefined;

  /** Adds the latency of a request that the stable version answered, milliseconds. */
  record(latencyMs: number): void {
    this.#samples[this.#seen++ % SAMPLES_MAX] = latencyMs;
  }

  /** The levels of the current step; undefined while there were too few requests. */
  get current(): Levels | undefined {
    return this.#levels;
  }

  /** Begins a step: its levels come from what was recorded since the last ones were fixed. */
  beginStep(): void {
    this.#levels = undefined;
    this.fixWhenEnough();
  }

  /** Fixes the step's levels if they are not and enough was recorded. */
  fixWhenEnough(): void {
    if (this.#levels !== undefined || this.#seen < SAMPLES_MIN) return;
    const count = Math.min(this.#seen, SAMPLES_MAX);
    this.#seen = 0;
    const sorted = this.#samples.slice(0, count).sort();
    const at = (q: number) => sorted[Math.min(count - 1, Math.floor(q * count))];
    this.#levels = [at(0.9), at(0.95), at(0.99)];
  }
}
