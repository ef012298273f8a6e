import { assert } from "../core/mod.ts";

/** @returns log(sum(weights[i] * exp(logs[i]))), without overflow; -Infinity for no terms */
export function logWeightedSum(logs: ArrayLike<number>, weights: ArrayLike<number>): number {
  assert(
    logs.length === weights.length,
    `One weight for each term: ${weights.length} weights for ${logs.length} terms`,
  );
  let most = -Infinity;
  for (let i = 0; i < logs.length; i++) if (logs[i] > most) most = logs[i];
  if (!Number.isFinite(most)) return most;
  let sum = 0;
  for (let i = 0; i < logs.length; i++) sum += weights[i] * Math.exp(logs[i] - most);
  return most + Math.log(sum);
}

const LANCZOS = [
  0.99999999999980993,
  676.5203681218851,
  -1259.1392167224028,
  771.32342877765313,
  -176.61502916214059,
  12.507343278686905,
  -0.13857109526572012,
  9.9843695780195716e-6,
  1.5056327351493116e-7,
];

/** @returns log Γ(x) for x > 0 (Lanczos 1964, g = 7, nine terms; relative error about 1e-15) */
export function logGamma(x: number): number {
  assert(x > 0, `Cannot take log Γ of x as x must be > 0: current value is ${x}`);
  if (x < 0.5) return Math.log(Math.PI / Math.sin(Math.PI * x)) - logGamma(1 - x);
  const shifted = x - 1, t = shifted + 7.5;
  let sum = LANCZOS[0];
  for (let i = 1; i < LANCZOS.length; i++) sum += LANCZOS[i] / (shifted + i);
  return 0.5 * Math.log(2 * Math.PI) + (shifted + 0.5) * Math.log(t) - t + Math.log(sum);
}
