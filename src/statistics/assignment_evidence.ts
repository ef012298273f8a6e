import { assert } from "../core/mod.ts";
import { logWeightedSum } from "./log_sum.ts";

/**
 * Evidence that bad events fall on the canary more often than its share of traffic says.
 *
 * Whoever routes knows the coin: the arm that served a bad event was drawn with the known share w.
 * Given an event, and a ratio rho = P(event | canary) / P(event | stable), the canary served it
 * with probability q(w, rho) = w rho / (1 - w + w rho). An e-process E has P(E ever reaches
 * 1/alpha) <= alpha as long as rho <= rho0 (Ville 1939), whatever the traffic, the base rate or the
 * moments at which it is looked at. (Lindon and Malek, NeurIPS 2022, arXiv 2011.03567; mixtures:
 * Robbins 1970; several starts: Shin, Ramdas, Rinaldo, "E-detectors", NEJSDS 2023.)
 */

/** Ratios that the mixture bets on, and how much on each. */
export const RATIO_GRID: readonly number[] = [1.25, 1.6, 2.2, 3.5, 7, 20, 100];
export const RATIO_PRIOR: readonly number[] = [.10, .20, .25, .20, .10, .10, .05];

/** Bad events of the assignments that were drawn at one share. */
export interface StepEvents {
  /** Probability, above 0 and below 1, with which an assignment went to the canary. */
  readonly share: number;
  /** Bad events that the canary served. */
  readonly canary: number;
  /** Bad events that the stable version served. */
  readonly stable: number;
}

/**
 * How much one event adds to the log evidence for `ratio` against `nullRatio`.
 *
 * @param share the canary's share when the event's assignment was drawn
 * @returns natural logarithms, one for an event of each arm
 */
export function logFactors(
  share: number,
  ratio: number,
  nullRatio = 1,
): { canary: number; stable: number } {
  assert(share >= 0 && share < 1, `A share must be at least 0 and below 1: it is ${share}`);
  const q = (share * ratio) / (1 - share + share * ratio);
  const q0 = (share * nullRatio) / (1 - share + share * nullRatio);
  return {
    // At share 0 an event of the canary cannot be; the limit of the quotient keeps it finite.
    canary: share === 0 ? Math.log(ratio / nullRatio) : Math.log(q / q0),
    stable: Math.log((1 - q) / (1 - q0)),
  };
}

/**
 * Weights of the starts: more than half on the first step, the rest evenly on later ones, so that a
 * regression that begins late is not drowned by the good time before it.
 */
export function defaultStartWeights(steps: number): number[] {
  assert(steps >= 1, `A rollout needs at least one step: current value is ${steps}`);
  if (steps === 1) return [1];
  return Array.from({ length: steps }, (_, i) => i === 0 ? 0.55 : 0.45 / (steps - 1));
}

/**
 * The mixture e-process of one metric, kept as one log number for each (start, ratio). It depends
 * on event counts only, so totals in any order give what single events would have given.
 *
 * @example Four errors of four canary requests at a 5 % share
 * ```ts
 * import { AssignmentEvidence } from "./mod.ts";
 * const evidence = new AssignmentEvidence([0.55, 0.15, 0.15, 0.15]);
 * evidence.add(0, { share: 0.05, canary: 4, stable: 0 });
 * console.assert(Math.exp(evidence.logValue()) > 1000);
 * ```
 */
export class AssignmentEvidence {
  readonly #startWeights: readonly number[];
  readonly #nullRatio: number;
  readonly #logs: Float64Array;
  readonly #weights: Float64Array;
  readonly #factors = new Map<number, { canary: Float64Array; stable: Float64Array }>();

  /**
   * @param startWeights one for each step start; together 1
   * @param nullRatio the largest ratio that is tolerated; default 1
   */
  constructor(startWeights: readonly number[], nullRatio = 1) {
    this.#startWeights = startWeights;
    this.#nullRatio = nullRatio;
    this.#logs = new Float64Array(startWeights.length * RATIO_GRID.length);
    this.#weights = Float64Array.from(
      startWeights.flatMap((start) => RATIO_PRIOR.map((prior) => start * prior)),
    );
  }

  /**
   * Counts events for every start up to `step`.
   *
   * @param step the latest start that takes them, 0-based
   */
  add(step: number, { share, canary, stable }: StepEvents): void {
    assert(
      step >= 0 && step < this.#startWeights.length,
      `No start ${step} among ${this.#startWeights.length}`,
    );
    if (canary === 0 && stable === 0) return;
    const factors = this.#factorsAt(share), width = RATIO_GRID.length;
    for (let j = 0; j <= step; j++) {
      for (let k = 0; k < width; k++) {
        this.#logs[j * width + k] += canary * factors.canary[k] + stable * factors.stable[k];
      }
    }
  }

  /** @returns the natural logarithm of the evidence; 0 before any event */
  logValue(): number {
    return logWeightedSum(this.#logs, this.#weights);
  }

  #factorsAt(share: number): { canary: Float64Array; stable: Float64Array } {
    let found = this.#factors.get(share);
    if (found === undefined) {
      const each = RATIO_GRID.map((ratio) =>
        logFactors(share, ratio * this.#nullRatio, this.#nullRatio)
      );
      found = {
        canary: Float64Array.from(each, (factor) => factor.canary),
        stable: Float64Array.from(each, (factor) => factor.stable),
      };
      this.#factors.set(share, found);
    }
    return found;
  }
}

/**
 * The evidence of totals: start j takes the events of steps j and later.
 *
 * @param steps events by step, in the order of the steps
 * @param startWeights one for each step of the plan (steps not reached yet may be left out of
 * `steps`)
 * @returns natural logarithm
 */
export function logAssignmentEvidence(
  steps: readonly StepEvents[],
  startWeights: readonly number[] = defaultStartWeights(steps.length),
  nullRatio = 1,
): number {
  const evidence = new AssignmentEvidence(startWeights, nullRatio);
  steps.forEach((events, step) => evidence.add(step, events));
  return evidence.logValue();
}

/**
 * Where the evidence comes from: the start whose own part of the mixture is the largest.
 *
 * @param steps as for {@linkcode logAssignmentEvidence}
 * @returns 0-based; 0 where all is even
 */
export function strongestStart(
  steps: readonly StepEvents[],
  startWeights: readonly number[] = defaultStartWeights(steps.length),
): number {
  const parts = steps.map((_, start) =>
    Math.log(startWeights[start]) +
    logAssignmentEvidence(steps.slice(start), [1, ...zeros(steps.length - start - 1)])
  );
  return parts.indexOf(Math.max(...parts));
}

function zeros(count: number): number[] {
  return new Array<number>(count).fill(0);
}
