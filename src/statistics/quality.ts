import { assert } from "../core/mod.ts";

/**
 * Quality of predictions against known labels. Every function takes one score and one label a row
 * and gives one number; NaN where the number is not defined (no rows, a NaN score, one class only
 * for {@linkcode auc}). Classification scores are probabilities of class 1, labels are 0 or 1.
 */

/** A quality metric: scores and labels of the same length in, one number out. */
export type QualityMetric = (scores: ArrayLike<number>, labels: ArrayLike<number>) => number;

/** Probabilities are kept this far from 0 and 1 in {@linkcode logLoss}, as scikit-learn does. */
const PROBABILITY_MIN = 2.220446049250313e-16;

/**
 * Area under the ROC curve: the chance that a random positive scores above a random negative, ties
 * counting half (Mann and Whitney 1947; Hanley and McNeil 1982).
 *
 * @param scores any real numbers, higher means more likely 1
 * @param labels 0 or 1 (anything above 0.5 counts as 1)
 * @returns 0 to 1; NaN with one class only
 *
 * @example One pair of four is in the wrong order
 * ```ts
 * import { auc } from "./mod.ts";
 * console.assert(auc([0.1, 0.4, 0.35, 0.8], [0, 0, 1, 1]) === 0.75);
 * ```
 */
export function auc(scores: ArrayLike<number>, labels: ArrayLike<number>): number {
  const n = checkedLength(scores, labels);
  let positives = 0;
  for (let i = 0; i < n; i++) {
    if (Number.isNaN(scores[i])) return NaN;
    if (labels[i] > 0.5) positives++;
  }
  if (positives === 0 || positives === n) return NaN;
  const positive = new Float64Array(positives), negative = new Float64Array(n - positives);
  for (let i = 0, p = 0, q = 0; i < n; i++) {
    if (labels[i] > 0.5) positive[p++] = scores[i];
    else negative[q++] = scores[i];
  }
  positive.sort();
  negative.sort();
  // For each positive: how many negatives lie below it, and how many tie with it.
  let wins = 0, below = 0, notAbove = 0;
  for (const score of positive) {
    while (below < negative.length && negative[below] < score) below++;
    while (notAbove < negative.length && negative[notAbove] <= score) notAbove++;
    wins += (below + notAbove) / 2;
  }
  return wins / (positive.length * negative.length);
}

/**
 * Mean negative log likelihood of a binary label in nats; probabilities are clipped to
 * [2.2e-16, 1 - 2.2e-16].
 *
 * @param scores probabilities of class 1
 * @param labels 0 or 1; fractions between are taken as soft labels
 * @returns at least 0; NaN without rows
 */
export function logLoss(scores: ArrayLike<number>, labels: ArrayLike<number>): number {
  const n = checkedLength(scores, labels);
  let sum = 0;
  for (let i = 0; i < n; i++) {
    const p = Math.min(Math.max(scores[i], PROBABILITY_MIN), 1 - PROBABILITY_MIN);
    const y = labels[i];
    sum -= (y > 0 ? y * Math.log(p) : 0) + (y < 1 ? (1 - y) * Math.log1p(-p) : 0);
  }
  return sum / n;
}

/**
 * Brier score: the mean squared distance of a probability from its 0/1 label (Brier 1950, the
 * binary half form, 0 to 1).
 *
 * @param scores probabilities of class 1
 * @param labels 0 or 1
 */
export function brier(scores: ArrayLike<number>, labels: ArrayLike<number>): number {
  return meanSquare(scores, labels);
}

/**
 * Share of rows whose class is right, class 1 being predicted from `threshold` upward.
 *
 * @param scores probabilities of class 1 (or 0/1 classes)
 * @param labels 0 or 1
 * @param threshold the least score that predicts class 1; default 0.5
 */
export function accuracy(
  scores: ArrayLike<number>,
  labels: ArrayLike<number>,
  threshold = 0.5,
): number {
  const n = checkedLength(scores, labels);
  let right = 0;
  for (let i = 0; i < n; i++) {
    if (Number.isNaN(scores[i])) return NaN;
    if ((scores[i] >= threshold) === (labels[i] > 0.5)) right++;
  }
  return right / n;
}

/** Root of the mean squared error, in the label's unit. */
export function rmse(scores: ArrayLike<number>, labels: ArrayLike<number>): number {
  return Math.sqrt(meanSquare(scores, labels));
}

/** Mean absolute error, in the label's unit. */
export function mae(scores: ArrayLike<number>, labels: ArrayLike<number>): number {
  const n = checkedLength(scores, labels);
  let sum = 0;
  for (let i = 0; i < n; i++) sum += Math.abs(scores[i] - labels[i]);
  return sum / n;
}

/**
 * Expected calibration error: |mean score - share of class 1| in bins of equal width over [0, 1],
 * weighted by rows (Naeini, Cooper, Hauskrecht, AAAI 2015; Guo et al., ICML 2017).
 *
 * @param scores probabilities of class 1
 * @param labels 0 or 1
 * @param bins how many bins; default 15
 * @returns 0 to 1; NaN without rows
 */
export function expectedCalibrationError(
  scores: ArrayLike<number>,
  labels: ArrayLike<number>,
  bins = 15,
): number {
  assert(bins >= 1, `Calibration needs at least one bin: current value is ${bins}`);
  const n = checkedLength(scores, labels);
  // Within a bin the rows cancel out of weight and mean: only the sum of (score - label) is needed.
  const gap = new Float64Array(bins);
  for (let i = 0; i < n; i++) {
    if (Number.isNaN(scores[i])) return NaN;
    const bin = Math.min(Math.max(Math.floor(scores[i] * bins), 0), bins - 1);
    gap[bin] += scores[i] - labels[i];
  }
  return gap.reduce((sum, x) => sum + Math.abs(x), 0) / n;
}

function meanSquare(scores: ArrayLike<number>, labels: ArrayLike<number>): number {
  const n = checkedLength(scores, labels);
  let sum = 0;
  for (let i = 0; i < n; i++) sum += (scores[i] - labels[i]) ** 2;
  return sum / n;
}

function checkedLength(scores: ArrayLike<number>, labels: ArrayLike<number>): number {
  assert(
    scores.length === labels.length,
    `Scores and labels must be of one length: ${scores.length} and ${labels.length}`,
  );
  return scores.length;
}
