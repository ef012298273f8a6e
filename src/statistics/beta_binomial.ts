import { assert } from "../core/mod.ts";
import { logGamma } from "./log_sum.ts";

/**
 * Upper bound of a proportion that holds at every look: Robbins' mixture with a uniform prior,
 * i.e. all p with Beta(k + 1, n - k + 1) / (p^k (1-p)^(n-k)) < 1/alpha (Robbins 1970; Howard,
 * Ramdas, McAuliffe, Sekhon, Ann. Stat. 2021, conjugate mixtures).
 *
 * @param events how many had the event; at most `trials`
 * @param trials how many could have had it
 * @param alpha the chance that the truth ever lies above
 * @returns 0 to 1; 1 without trials
 *
 * @example No error in a thousand requests
 * ```ts
 * import { proportionUpper } from "./mod.ts";
 * console.assert(proportionUpper(0, 1000, 0.025) < 0.011);
 * ```
 */
export function proportionUpper(events: number, trials: number, alpha: number): number {
  assert(events >= 0 && events <= trials, `Cannot have ${events} events in ${trials} trials`);
  assert(alpha > 0 && alpha < 1, `alpha must be between 0 and 1: current value is ${alpha}`);
  if (trials === 0 || events === trials) return 1;
  const others = trials - events, needed = Math.log(1 / alpha);
  const mixture = logGamma(events + 1) + logGamma(others + 1) - logGamma(trials + 2);
  let low = events / trials, high = 1;
  for (let i = 0; i < 60; i++) {
    const p = (low + high) / 2;
    const likelihood = (events > 0 ? events * Math.log(p) : 0) + others * Math.log1p(-p);
    if (mixture - likelihood < needed) low = p;
    else high = p;
  }
  return high;
}

/** Lower bound of a proportion that holds at every look; see {@linkcode proportionUpper}. */
export function proportionLower(events: number, trials: number, alpha: number): number {
  return 1 - proportionUpper(trials - events, trials, alpha);
}

/** Events among trials, of each arm. */
export interface ArmCounts {
  readonly canaryEvents: number;
  readonly canaryTrials: number;
  readonly stableEvents: number;
  readonly stableTrials: number;
}

/**
 * The most by which the canary's rate may exceed the stable version's, valid at every look: upper
 * bound of the one less lower bound of the other, each at alpha/2.
 *
 * @returns a difference of proportions, -1 to 1
 */
export function rateDifferenceUpper(counts: ArmCounts, alpha: number): number {
  return proportionUpper(counts.canaryEvents, counts.canaryTrials, alpha / 2) -
    proportionLower(counts.stableEvents, counts.stableTrials, alpha / 2);
}
