import { assert } from "../core/mod.ts";
import { normalCdf, normalQuantile } from "./distributions.ts";
import type { Estimate, PairedDifference } from "./estimate.ts";

/**
 * The area under a ROC curve with what each row adds to it: its structural components (DeLong,
 * DeLong, Clarke-Pearson, "Comparing the areas under two or more correlated receiver operating
 * characteristic curves", Biometrics 44, 1988).
 */
export interface AucComponents {
  readonly auc: number;
  /** For each positive, in the order of the rows: the share of negatives that it scores above. */
  readonly positives: Float64Array;
  /** For each negative: the share of positives that score above it. */
  readonly negatives: Float64Array;
}

/**
 * Structural components by midranks, in O(n log n) (Sun and Xu, "Fast implementation of DeLong's
 * algorithm", IEEE Signal Processing Letters 21, 2014).
 *
 * @param scores higher means more likely 1; no NaN
 * @param labels 0 or 1, both must be there
 */
export function aucComponents(
  scores: ArrayLike<number>,
  labels: ArrayLike<number>,
): AucComponents {
  const n = scores.length;
  assert(n === labels.length, `One label a score: ${labels.length} for ${n}`);
  const positive: number[] = [], negative: number[] = [];
  for (let i = 0; i < n; i++) (labels[i] > 0.5 ? positive : negative).push(i);
  assert(positive.length > 0 && negative.length > 0, "an AUC needs rows of both classes");
  const of = (rows: readonly number[]) => Float64Array.from(rows, (row) => scores[row]);
  const all = midranks(Float64Array.from(scores));
  const ranksWithin = { positive: midranks(of(positive)), negative: midranks(of(negative)) };
  const positives = Float64Array.from(
    positive,
    (row, i) => (all[row] - ranksWithin.positive[i]) / negative.length,
  );
  const negatives = Float64Array.from(
    negative,
    (row, j) => 1 - (all[row] - ranksWithin.negative[j]) / positive.length,
  );
  return { auc: mean(positives), positives, negatives };
}

/**
 * An AUC with its interval, symmetric on the scale of log(AUC / (1 - AUC)) so that it stays within 0
 * and 1.
 */
export function aucInterval(components: AucComponents, alpha: number): Estimate {
  const { auc, positives, negatives } = components;
  const error = Math.sqrt(
    variance(positives) / positives.length +
      variance(negatives) / negatives.length,
  );
  if (auc <= 0 || auc >= 1) {
    // No pair is in the wrong order: rule of three on the smaller class.
    const hidden = Math.min(1, -Math.log(alpha / 2) / Math.min(positives.length, negatives.length));
    return auc >= 1
      ? { value: 1, lower: 1 - hidden, upper: 1 }
      : { value: 0, lower: 0, upper: hidden };
  }
  const half = normalQuantile(1 - alpha / 2) * error / (auc * (1 - auc));
  const centre = Math.log(auc / (1 - auc));
  const back = (x: number) => 1 / (1 + Math.exp(-x));
  return { value: auc, lower: back(centre - half), upper: back(centre + half) };
}

/**
 * DeLong's paired test of two AUCs on the same rows.
 *
 * @param candidate and `champion`: components of the same rows
 * @returns candidate less champion
 *
 * @example The better ranking
 * ```ts
 * import { aucComponents, delongTest } from "./mod.ts";
 * const labels = [0, 0, 0, 1, 1, 1];
 * const better = aucComponents([1, 2, 3, 4, 5, 6], labels);
 * const worse = aucComponents([1, 4, 3, 2, 5, 6], labels);
 * console.assert(Math.abs(delongTest(better, worse, 0.05).value - 2 / 9) < 1e-12);
 * ```
 */
export function delongTest(
  candidate: AucComponents,
  champion: AucComponents,
  alpha: number,
): PairedDifference {
  assert(
    candidate.positives.length === champion.positives.length &&
      candidate.negatives.length === champion.negatives.length,
    "both AUCs must be of the same rows",
  );
  const positives = candidate.positives.map((x, i) => x - champion.positives[i]);
  const negatives = candidate.negatives.map((x, i) => x - champion.negatives[i]);
  const value = candidate.auc - champion.auc;
  const square = variance(positives) / positives.length + variance(negatives) / negatives.length;
  const rows = positives.length + negatives.length;
  const hidden = hiddenBy(positives, alpha) + hiddenBy(negatives, alpha);
  const error = Math.sqrt(square), half = normalQuantile(1 - alpha / 2) * error + hidden;
  const p = error === 0 || hidden > 0 ? 1 : 2 * normalCdf(-Math.abs(value) / error);
  return {
    value,
    lower: Math.max(-1, value - half),
    upper: Math.min(1, value + half),
    p,
    deviation: error * Math.sqrt(rows),
  };
}

/** Components that must differ before their variance is believed, as in `meanInterval`. */
const DIFFERING_MIN = 10;

/** What the rows that were not seen may add where hardly any differs (rule of three). */
function hiddenBy(differences: Float64Array, alpha: number): number {
  const differing = differences.reduce((count, x) => count + (x !== 0 ? 1 : 0), 0);
  const { length } = differences;
  return differing < Math.min(DIFFERING_MIN, length / 4) ? -Math.log(alpha / 2) / length : 0;
}

/** Ranks from 1; equal values share the mean of theirs. */
function midranks(values: Float64Array): Float64Array {
  const n = values.length, ranks = new Float64Array(n);
  const order = Uint32Array.from({ length: n }, (_, i) => i).sort((a, b) => values[a] - values[b]);
  for (let start = 0; start < n;) {
    let end = start + 1;
    while (end < n && values[order[end]] === values[order[start]]) end++;
    for (let k = start; k < end; k++) ranks[order[k]] = (start + 1 + end) / 2;
    start = end;
  }
  return ranks;
}

function mean(values: Float64Array): number {
  let sum = 0;
  for (const value of values) sum += value;
  return sum / values.length;
}

function variance(values: Float64Array): number {
  if (values.length < 2) return Infinity;
  const centre = mean(values);
  let sum = 0;
  for (const value of values) sum += (value - centre) ** 2;
  return sum / (values.length - 1);
}
