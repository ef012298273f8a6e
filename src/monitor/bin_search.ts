import type { ColumnReference } from "./model_profile.ts";
import { ABOVE, BELOW, NULLS, UNSEEN } from "./sketch_layout.ts";

const FLOAT32_MAX = 3.4028234663852886e38;

/** The values of a column in a request. BYTES are texts, which no profile describes yet. */
export type ColumnValues = ArrayLike<number> | ArrayLike<bigint>;

/** Counts values of one column by its reference's bins. */
export class BinSearch {
  /** Inner bounds, filled up with infinity to a power of two less one. */
  readonly #inner: Float64Array;
  readonly #firstStep: number;
  readonly #bins: number;
  readonly #lowest: number;
  readonly #highest: number;
  readonly #discrete: boolean;

  constructor({ edges, counts, discrete }: ColumnReference) {
    this.#bins = counts.length;
    const inner = edges.slice(1, -1);
    let size = 1;
    while (size - 1 < inner.length) size *= 2;
    this.#firstStep = size / 2;
    this.#inner = Float64Array.from({ length: size - 1 }, (_, i) => inner[i] ?? Infinity);
    // A profile writes infinity as the greatest float32.
    const lowest = edges[0] ?? Infinity, highest = edges.at(-1) ?? -Infinity;
    this.#lowest = lowest <= -FLOAT32_MAX ? -Infinity : lowest;
    this.#highest = highest >= FLOAT32_MAX ? Infinity : highest;
    this.#discrete = discrete;
  }

  /**
   * Adds values to `counts`: bins from `at` on, then nulls, below, above, unseen. What is out of range
   * counts in the outermost bin too: those are open to their side. No memory is asked for.
   *
   * @param stride values from one row's to the next row's
   */
  // kernel: runs for each value of each request
  count(
    counts: Uint32Array,
    at: number,
    values: ColumnValues,
    { rows, first = 0, stride = 1 }: { rows: number; first?: number; stride?: number },
  ): void {
    const inner = this.#inner, firstStep = this.#firstStep, extras = at + this.#bins;
    for (let row = 0, i = first; row < rows; row++, i += stride) {
      const value = Number(values[i]);
      if (value !== value) {
        counts[extras + NULLS]++;
        continue;
      }
      let bin = 0;
      for (let step = firstStep; step >= 1; step >>= 1) {
        bin += value > inner[bin + step - 1] ? step : 0;
      }
      if (this.#bins > 0) counts[at + bin]++;
      if (value < this.#lowest) counts[extras + BELOW]++;
      else if (value > this.#highest) counts[extras + ABOVE]++;
      else if (this.#discrete && value !== this.#upper(bin)) counts[extras + UNSEEN]++;
    }
  }

  #upper(bin: number): number {
    return bin < this.#bins - 1 ? this.#inner[bin] : this.#highest;
  }
}
