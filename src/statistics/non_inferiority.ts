import { assert } from "../core/mod.ts";
import { logFactors, type StepEvents } from "./assignment_evidence.ts";

/**
 * Evidence that the canary is *not* worse by the factor `margin`: the likelihood ratio of "equal"
 * against "margin times as often", w/q(w, margin) for each event of the canary and
 * (1-w)/(1-q(w, margin)) for each of the stable version. Valid at every look for every true ratio
 * that is at least the margin; shown when it reaches 1/beta. (Each metric has to show it, without a
 * correction: Berger 1982, intersection-union tests.)
 *
 * @param steps bad events by share
 * @param margin above 1
 * @returns natural logarithm
 *
 * @example Equal counts at equal shares speak against a doubling
 * ```ts
 * import { logNonInferiority } from "./mod.ts";
 * const log = logNonInferiority([{ share: 0.5, canary: 30, stable: 30 }], 2);
 * console.assert(log > Math.log(1 / 0.05));
 * ```
 */
export function logNonInferiority(steps: readonly StepEvents[], margin: number): number {
  assert(margin > 1, `A margin must be above 1: current value is ${margin}`);
  let sum = 0;
  for (const { share, canary, stable } of steps) {
    const factors = logFactors(share, 1, margin);
    sum += canary * factors.canary + stable * factors.stable;
  }
  return sum;
}

/**
 * How many more events it takes, on average, to show a canary that is as good as the stable version
 * to be non-inferior: what is missing, divided by the Kullback-Leibler divergence of one event.
 *
 * @param options.share the share from now on
 * @param options.margin as in {@linkcode logNonInferiority}
 * @param options.beta the chance of showing it wrongly
 * @param options.logValue the evidence so far; default 0
 * @returns whole events, of both arms together; 0 when it is shown
 */
export function eventsToPromote(
  { share, margin, beta, logValue = 0 }: {
    share: number;
    margin: number;
    beta: number;
    logValue?: number;
  },
): number {
  const factors = logFactors(share, 1, margin);
  const information = share * factors.canary + (1 - share) * factors.stable;
  return wholeEvents(Math.log(1 / beta) - logValue, information);
}

/**
 * How many more events it takes, on average, to roll back a canary whose ratio is `ratio`.
 *
 * @param options.logValue the evidence so far; default 0
 * @returns whole events, of both arms together; Infinity for a ratio of at most 1
 */
export function eventsToRollBack(
  { share, ratio, alpha, logValue = 0 }: {
    share: number;
    ratio: number;
    alpha: number;
    logValue?: number;
  },
): number {
  if (!(ratio > 1)) return Infinity;
  const bounded = Math.min(ratio, 1e6), factors = logFactors(share, bounded);
  const q = (share * bounded) / (1 - share + share * bounded);
  const information = q * factors.canary + (1 - q) * factors.stable;
  return wholeEvents(Math.log(1 / alpha) - logValue, information);
}

function wholeEvents(missing: number, information: number): number {
  if (missing <= 0) return 0;
  return information > 0 ? Math.ceil(missing / information) : Infinity;
}
