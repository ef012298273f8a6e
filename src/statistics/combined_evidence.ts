import { assert } from "../core/mod.ts";
import { logWeightedSum } from "./log_sum.ts";

/**
 * The weighted mean of e-processes of one filtration, itself an e-process under any dependence
 * (Vovk and Wang, "E-values: calibration, combination and applications", Ann. Stat. 2021).
 *
 * @param logs natural logarithms of the single e-processes
 * @param weights of each, together 1
 * @returns natural logarithm
 */
export function combineEvidence(logs: readonly number[], weights: readonly number[]): number {
  return logWeightedSum(logs, weights);
}

/**
 * Which metrics are shown worse, each by itself: closed testing with weighted means (e-Holm; Vovk
 * and Wang 2021). A metric is named when every group of metrics that it belongs to has a
 * mean of at least 1/alpha, so that naming a wrong one has at most the chance alpha.
 *
 * @param logs natural logarithms of the evidence, one a metric
 * @param weights above 0, one a metric; default equal
 * @param alpha the chance of any wrong name
 * @returns indexes of the guilty metrics, strongest first
 *
 * @example Only the second metric is to blame
 * ```ts
 * import { guiltyMetrics } from "./mod.ts";
 * const guilty = guiltyMetrics([Math.log(0.5), Math.log(5000), Math.log(2)], { alpha: 0.01 });
 * console.assert(guilty.join() === "1");
 * ```
 */
export function guiltyMetrics(
  logs: readonly number[],
  { alpha, weights = logs.map(() => 1) }: { alpha: number; weights?: readonly number[] },
): number[] {
  assert(alpha > 0 && alpha < 1, `alpha must be between 0 and 1: current value is ${alpha}`);
  const ascending = logs.map((_, i) => i).sort((a, b) => logs[a] - logs[b]);
  const needed = Math.log(1 / alpha);
  return ascending.filter((metric) => lowestGroupMean(metric, ascending, logs, weights) >= needed)
    .reverse();
}

/** The lowest mean among groups with `metric` is that of the metric and some weakest others. */
function lowestGroupMean(
  metric: number,
  ascending: readonly number[],
  logs: readonly number[],
  weights: readonly number[],
): number {
  const group = [metric];
  let lowest = logs[metric];
  for (const other of ascending) {
    if (other === metric) continue;
    group.push(other);
    const total = group.reduce((sum, i) => sum + weights[i], 0);
    const mean = logWeightedSum(group.map((i) => logs[i]), group.map((i) => weights[i] / total));
    lowest = Math.min(lowest, mean);
  }
  return lowest;
}
