import { normalQuantile } from "./distributions.ts";
import type { Estimate } from "./estimate.ts";
import { expectedCalibrationError } from "./quality.ts";

/** A calibration error with an interval, and how much of it chance alone would show. */
export interface CalibrationError extends Estimate {
  /** The error that perfectly calibrated predictions of these rows would show on average. */
  readonly byChance: number;
}

/**
 * Expected calibration error in bins of equal width, with an interval. What is measured is too large:
 * noise in a bin never cancels. So the lower end takes off what perfectly calibrated predictions
 * would show, and the upper end, measured upward already, only adds the noise's spread; both ends are
 * on the safe side.
 *
 * @param scores probabilities of class 1
 * @param labels 0 or 1
 */
export function calibrationError(
  scores: ArrayLike<number>,
  labels: ArrayLike<number>,
  { alpha, bins = 15 }: { alpha: number; bins?: number },
): CalibrationError {
  const n = scores.length, value = expectedCalibrationError(scores, labels, bins);
  const count = new Float64Array(bins), sum = new Float64Array(bins);
  const square = new Float64Array(bins), calibrated = new Float64Array(bins);
  for (let i = 0; i < n; i++) {
    const bin = Math.min(Math.max(Math.floor(scores[i] * bins), 0), bins - 1);
    const difference = scores[i] - labels[i];
    count[bin]++;
    sum[bin] += difference;
    square[bin] += difference * difference;
    calibrated[bin] += scores[i] * (1 - scores[i]);
  }
  // A bin's variance as calibrated labels would have it, or as it is seen: the larger.
  const errors = Array.from(count, (rows, bin) => {
    const seen = rows === 0 ? 0 : square[bin] - sum[bin] ** 2 / rows;
    return Math.sqrt(Math.max(seen, calibrated[bin])) / n;
  });
  const byChance = Math.sqrt(2 / Math.PI) * errors.reduce((sum, error) => sum + error, 0);
  const deviation = Math.hypot(...errors);
  const half = normalQuantile(1 - alpha / 2) * deviation;
  return { value, lower: Math.max(0, value - byChance - half), upper: value + half, byChance };
}

/** How a logistic curve through the predictions' log odds fits the labels. */
export interface CalibrationCurve {
  /** 1 where right; below 1: predictions are too extreme, above 1: too cautious. */
  readonly slope: Estimate;
  /** Log odds at a prediction of one half; 0 where right. */
  readonly intercept: Estimate;
}

const LOG_ODDS_MAX = 35;

/**
 * Cox's calibration slope and intercept: logistic regression of the labels on the log odds of the
 * predictions (Cox, "Two further applications of a model for binary regression", Biometrika 45,
 * 1958), by Newton's method, with Wald intervals.
 *
 * @returns NaN with infinite bounds where there is no fit: one class, separated classes, or one score
 */
export function calibrationCurve(
  scores: ArrayLike<number>,
  labels: ArrayLike<number>,
  alpha: number,
): CalibrationCurve {
  const x = Float64Array.from(scores, (p) => {
    const odds = Math.log(p) - Math.log1p(-p);
    return Math.max(-LOG_ODDS_MAX, Math.min(LOG_ODDS_MAX, odds));
  });
  let slope = 1, intercept = 0;
  for (let round = 0; round < 100; round++) {
    const { g0, g1, h00, h01, h11 } = derivatives(x, labels, { slope, intercept });
    const determinant = h00 * h11 - h01 * h01;
    if (!(determinant > 1e-12 * h00 * h11)) return unknown();
    const step0 = (h11 * g0 - h01 * g1) / determinant, step1 = (h00 * g1 - h01 * g0) / determinant;
    // Far from the answer Newton may overshoot; half a unit at a time does not.
    const short = Math.min(1, 2 / Math.max(Math.abs(step0), Math.abs(step1)));
    intercept += short * step0;
    slope += short * step1;
    if (Math.abs(slope) > 1e3 || Math.abs(intercept) > 1e4) return unknown();
    if (Math.abs(step0) + Math.abs(step1) > 1e-10) continue;
    const z = normalQuantile(1 - alpha / 2);
    const around = (value: number, variance: number) => {
      const half = z * Math.sqrt(variance);
      return { value, lower: value - half, upper: value + half };
    };
    return {
      slope: around(slope, h00 / determinant),
      intercept: around(intercept, h11 / determinant),
    };
  }
  return unknown();
}

function derivatives(
  x: Float64Array,
  labels: ArrayLike<number>,
  { slope, intercept }: { slope: number; intercept: number },
) {
  let g0 = 0, g1 = 0, h00 = 0, h01 = 0, h11 = 0;
  for (let i = 0; i < x.length; i++) {
    const p = 1 / (1 + Math.exp(-(intercept + slope * x[i]))), rest = labels[i] - p;
    const weight = p * (1 - p);
    g0 += rest;
    g1 += rest * x[i];
    h00 += weight;
    h01 += weight * x[i];
    h11 += weight * x[i] * x[i];
  }
  return { g0, g1, h00, h01, h11 };
}

function unknown(): CalibrationCurve {
  const nothing = { value: NaN, lower: -Infinity, upper: Infinity };
  return { slope: nothing, intercept: nothing };
}
