/** Values of promtool's input series, a sample a minute. */

/** A stretch in which a counter grows evenly. */
export interface Phase {
  /** Growth a minute. */
  readonly rate: number;
  readonly minutes: number;
}

/**
 * A counter that begins at 0 and grows by each phase's rate in turn.
 *
 * @example Grows, then stands
 * ```ts
 * import { counter } from "./sample_values.ts";
 * const values = counter([{ rate: 60, minutes: 5 }, { rate: 0, minutes: 3 }]);
 * console.assert(values === "0+60x5 300+0x2");
 * ```
 */
export function counter(phases: readonly Phase[]): string {
  let total = 0;
  return phases.map(({ rate, minutes }, i) => {
    const from = i === 0 ? 0 : total + rate;
    total += rate * minutes;
    return `${from}+${rate}x${i === 0 ? minutes : minutes - 1}`;
  }).join(" ");
}

/** A gauge that keeps its value. */
export function gauge(value: number, minutes: number): string {
  return `${value}+0x${minutes}`;
}

/** Minutes in which there is no sample. */
export function missing(minutes: number): string {
  return `_x${minutes}`;
}

/** After some minutes the series is known to have ended. */
export function endsAfter(values: string): string {
  return `${values} stale`;
}
