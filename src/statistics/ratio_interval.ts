import { assert } from "../core/mod.ts";
import type { StepEvents } from "./assignment_evidence.ts";
import { logWeightedSum } from "./log_sum.ts";

/** An estimate with bounds that hold at every look. */
export interface RatioInterval {
  /** The likeliest ratio; 0 or Infinity where only one arm has events. */
  readonly estimate: number;
  readonly lower: number;
  readonly upper: number;
}

/** Logarithms of the ratios that the two-sided mixture bets on: e^-6 to e^6, dense near 1. */
const GRID = Array.from({ length: 241 }, (_, i) => {
  const x = (i - 120) / 120;
  return 6 * Math.sign(x) * Math.abs(x) ** 1.5;
});
const GRID_PRIOR = GRID.map(() => 1 / GRID.length);
const LOG_RATIO_MAX = 30;

/**
 * The ratio P(event | canary) / P(event | stable) with an interval that is valid at every moment:
 * all ratios r whose mixture likelihood ratio M / L(r) has stayed below 1/alpha (Robbins 1970; the
 * confidence sequence of Lindon and Malek 2022, with a discrete prior). L is concave in
 * log r, so what is left is an interval. It assumes one ratio throughout, and is for display.
 *
 * @param steps bad events by share
 * @param alpha the chance that the true ratio ever leaves the interval
 * @returns undefined before the first event
 *
 * @example Six against two at equal shares
 * ```ts
 * import { ratioInterval } from "./mod.ts";
 * const { estimate, lower, upper } = ratioInterval([{ share: 0.5, canary: 6, stable: 2 }], 0.05)!;
 * console.assert(Math.abs(estimate - 3) < 1e-6 && lower < 1 && upper > 10);
 * ```
 */
export function ratioInterval(
  steps: readonly StepEvents[],
  alpha: number,
): RatioInterval | undefined {
  assert(alpha > 0 && alpha < 1, `alpha must be between 0 and 1: current value is ${alpha}`);
  const canary = steps.reduce((sum, step) => sum + step.canary, 0);
  const stable = steps.reduce((sum, step) => sum + step.stable, 0);
  if (canary + stable === 0) return undefined;
  const logLikelihood = (x: number) => logLikelihoodAt(steps, x);
  const mode = canary === 0
    ? -LOG_RATIO_MAX
    : stable === 0
    ? LOG_RATIO_MAX
    : bisect((x) => slopeAt(steps, x) > 0, -LOG_RATIO_MAX, LOG_RATIO_MAX);
  const mixture = logWeightedSum(GRID.map(logLikelihood), GRID_PRIOR);
  const kept = (x: number) => mixture - logLikelihood(x) < Math.log(1 / alpha);
  const lower = kept(-LOG_RATIO_MAX) ? 0 : Math.exp(bisect((x) => !kept(x), -LOG_RATIO_MAX, mode));
  const upper = kept(LOG_RATIO_MAX) ? Infinity : Math.exp(bisect(kept, mode, LOG_RATIO_MAX));
  const estimate = canary === 0 ? 0 : stable === 0 ? Infinity : Math.exp(mode);
  return { estimate, lower, upper };
}

function logLikelihoodAt(steps: readonly StepEvents[], logRatio: number): number {
  let sum = 0;
  for (const { share, canary, stable } of steps) {
    if (canary === 0 && stable === 0) continue;
    const scaled = share * Math.exp(logRatio), total = Math.log(1 - share + scaled);
    sum += canary * (Math.log(share) + logRatio - total) + stable * (Math.log1p(-share) - total);
  }
  return sum;
}

/** The derivative: canary events less those expected at this ratio. Falls as the ratio grows. */
function slopeAt(steps: readonly StepEvents[], logRatio: number): number {
  let sum = 0;
  for (const { share, canary, stable } of steps) {
    const scaled = share * Math.exp(logRatio);
    sum += canary - (canary + stable) * scaled / (1 - share + scaled);
  }
  return sum;
}

/** @returns where `holds`, true at `low`, turns false on the way to `high` */
function bisect(holds: (x: number) => boolean, low: number, high: number): number {
  for (let i = 0; i < 60; i++) {
    const middle = (low + high) / 2;
    if (holds(middle)) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}
