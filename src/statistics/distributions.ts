import { assert } from "../core/mod.ts";
import { logGamma } from "./log_sum.ts";

/**
 * @returns P(Z ≤ x) of a standard normal variable; relative error about 1e-15 in both tails
 * (by the incomplete gamma function: Numerical Recipes, 3rd edition, section 6.2)
 */
export function normalCdf(x: number): number {
  if (Number.isNaN(x)) return NaN;
  const square = x * x / 2;
  if (square > 745) return x > 0 ? 1 : 0;
  const tail = square < 1.5 ? (1 - lowerGammaHalf(square)) / 2 : upperGammaHalf(square) / 2;
  return x > 0 ? 1 - tail : tail;
}

/** P(1/2, x), the regularised lower incomplete gamma function, by its series. */
function lowerGammaHalf(x: number): number {
  if (x === 0) return 0;
  let term = 2, sum = 2;
  for (let a = 1.5; term > sum * 1e-17; a++) {
    term *= x / a;
    sum += term;
  }
  return sum * Math.exp(-x + 0.5 * Math.log(x) - logGamma(0.5));
}

/** Q(1/2, x), the upper one, by Lentz's continued fraction. */
function upperGammaHalf(x: number): number {
  const a = 0.5, tiny = 1e-300;
  let b = x + 1 - a, c = 1 / tiny, d = 1 / b, h = d;
  for (let i = 1; i <= 500; i++) {
    const an = -i * (i - a);
    b += 2;
    d = 1 / (an * d + b || tiny);
    c = b + an / c || tiny;
    const step = d * c;
    h *= step;
    if (Math.abs(step - 1) < 1e-16) break;
  }
  return h * Math.exp(-x + a * Math.log(x) - logGamma(a));
}

const ACKLAM = {
  a: [-39.69683028665376, 220.9460984245205, -275.9285104469687, 138.357751867269],
  a2: [-30.66479806614716, 2.506628277459239],
  b: [-54.47609879822406, 161.5858368580409, -155.6989798598866, 66.80131188771972],
  b2: [-13.28068155288572, 1],
  c: [-0.007784894002430293, -0.3223964580411365, -2.400758277161838, -2.549732539343734],
  c2: [4.374664141464968, 2.938163982698783],
  d: [0.007784695709041462, 0.3224671290700398, 2.445134137142996, 3.754408661907416, 1],
} as const;

const polynomial = (coefficients: readonly number[], x: number) =>
  coefficients.reduce((sum, coefficient) => sum * x + coefficient, 0);

/**
 * @returns the x with P(Z ≤ x) = p (Acklam's rational approximation, one step of Halley's method:
 * error about 1e-15)
 */
export function normalQuantile(p: number): number {
  assert(p >= 0 && p <= 1, `A probability must be between 0 and 1: current value is ${p}`);
  if (p === 0 || p === 1) return p === 0 ? -Infinity : Infinity;
  if (p > 0.5) return -normalQuantile(1 - p);
  const { a, a2, b, b2, c, c2, d } = ACKLAM;
  let x: number;
  if (p < 0.02425) {
    const q = Math.sqrt(-2 * Math.log(p));
    x = polynomial([...c, ...c2], q) / polynomial(d, q);
  } else {
    const q = p - 0.5, r = q * q;
    x = polynomial([...a, ...a2], r) * q / polynomial([...b, ...b2], r);
  }
  const error = (normalCdf(x) - p) * Math.sqrt(2 * Math.PI) * Math.exp(x * x / 2);
  return x - error / (1 + x * error / 2);
}

/**
 * @returns I_x(a, b), the regularised incomplete beta function (continued fraction by Lentz's method:
 * Numerical Recipes, 3rd edition, section 6.4)
 */
export function incompleteBeta(x: number, a: number, b: number): number {
  if (x <= 0 || x >= 1) return x <= 0 ? 0 : 1;
  const front = Math.exp(
    logGamma(a + b) - logGamma(a) - logGamma(b) + a * Math.log(x) + b * Math.log1p(-x),
  );
  return x < (a + 1) / (a + b + 2)
    ? front * betaFraction(x, a, b) / a
    : 1 - front * betaFraction(1 - x, b, a) / b;
}

function betaFraction(x: number, a: number, b: number): number {
  const tiny = 1e-300;
  let c = 1, d = 1 / (1 - (a + b) * x / (a + 1) || tiny), h = d;
  for (let m = 1; m <= 10_000; m++) {
    const even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
    d = 1 / (1 + even * d || tiny);
    c = 1 + even / c || tiny;
    h *= d * c;
    const odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
    d = 1 / (1 + odd * d || tiny);
    c = 1 + odd / c || tiny;
    h *= d * c;
    if (Math.abs(d * c - 1) < 1e-16) break;
  }
  return h;
}

/** @returns P(T ≤ x) of Student's t with that many degrees of freedom */
export function studentCdf(x: number, degrees: number): number {
  if (Number.isNaN(x)) return NaN;
  if (degrees > 1e7) return normalCdf(x);
  const tail = incompleteBeta(degrees / (degrees + x * x), degrees / 2, 0.5) / 2;
  return x > 0 ? 1 - tail : tail;
}

/** @returns the x with P(T ≤ x) = p of Student's t (bisection: error about 1e-12 of x) */
export function studentQuantile(p: number, degrees: number): number {
  assert(p > 0 && p < 1, `A probability must be above 0 and below 1: current value is ${p}`);
  assert(degrees > 0, `Degrees of freedom must be above 0: current value is ${degrees}`);
  if (degrees > 1e7) return normalQuantile(p);
  if (p > 0.5) return -studentQuantile(1 - p, degrees);
  let high = 0, low = -1;
  while (studentCdf(low, degrees) > p) [high, low] = [low, 2 * low];
  for (let i = 0; i < 60 && high - low > 1e-13 * -low; i++) {
    const middle = (low + high) / 2;
    if (studentCdf(middle, degrees) > p) high = middle;
    else low = middle;
  }
  return (low + high) / 2;
}
