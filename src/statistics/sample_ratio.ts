import { logFactors } from "./assignment_evidence.ts";
import { logWeightedSum } from "./log_sum.ts";

/** Ratios between what should have been counted and what was. */
const RATIOS = [0.5, 0.8, 0.9, 0.95, 1.05, 1.1, 1.25, 2];
const PRIOR = RATIOS.map(() => 1 / RATIOS.length);

/** Assignments that were counted at one share. */
export interface StepAssignments {
  readonly share: number;
  readonly canary: number;
  readonly stable: number;
}

/**
 * Evidence that the counted assignments do not have the shares they were drawn with (sample ratio
 * mismatch): outcomes of one arm get lost, so the comparison cannot be trusted. Two-sided, valid at
 * every look (Lindon and Malek, NeurIPS 2022, arXiv 2011.03567).
 *
 * @param steps all assignments, by share
 * @returns natural logarithm of an e-process of "the shares are as drawn"
 *
 * @example Half of the canary's answers are missing
 * ```ts
 * import { logSampleRatioFault } from "./mod.ts";
 * const log = logSampleRatioFault([{ share: 0.5, canary: 500, stable: 1000 }]);
 * console.assert(log > Math.log(1e4));
 * ```
 */
export function logSampleRatioFault(steps: readonly StepAssignments[]): number {
  const logs = RATIOS.map((ratio) =>
    steps.reduce((sum, { share, canary, stable }) => {
      const factors = logFactors(share, ratio);
      return sum + canary * factors.canary + stable * factors.stable;
    }, 0)
  );
  return logWeightedSum(logs, PRIOR);
}
