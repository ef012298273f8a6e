import { assert } from "../core/mod.ts";
import { normalQuantile } from "./distributions.ts";
import type { PairedDifference } from "./estimate.ts";
import { logGamma } from "./log_sum.ts";

/** How two classifiers did on the same rows. */
export interface PairedCounts {
  /** All rows, also those where both were right or both wrong. */
  readonly rows: number;
  /** Rows that the candidate alone had right. */
  readonly onlyCandidate: number;
  /** Rows that the champion alone had right. */
  readonly onlyChampion: number;
}

/**
 * McNemar's test in its mid-p form: the exact binomial test of the rows on which the two disagree,
 * the observed outcome counted half (Fagerland, Lydersen, Laake, BMC Medical Research Methodology 13,
 * 2013: keeps its level, without the exact test's caution).
 *
 * @returns two-sided p-value; 1 where they never disagree
 *
 * @example Twenty disagreements, fifteen to five
 * ```ts
 * import { mcnemarMidP } from "./mod.ts";
 * const p = mcnemarMidP({ rows: 100, onlyCandidate: 15, onlyChampion: 5 });
 * console.assert(Math.abs(p - 0.0266) < 1e-4);
 * ```
 */
export function mcnemarMidP({ onlyCandidate, onlyChampion }: PairedCounts): number {
  const discordant = onlyCandidate + onlyChampion;
  const least = Math.min(onlyCandidate, onlyChampion);
  if (onlyCandidate === onlyChampion) return 1;
  const logAll = logGamma(discordant + 1) - discordant * Math.LN2;
  const chanceOf = (k: number) => Math.exp(logAll - logGamma(k + 1) - logGamma(discordant - k + 1));
  const atLeast = chanceOf(least);
  let below = 0;
  for (let k = least - 1; k >= 0; k--) {
    const chance = chanceOf(k);
    below += chance;
    if (chance < below * 1e-17) break;
  }
  return Math.min(1, 2 * below + atLeast);
}

/**
 * The difference of two accuracies on the same rows with its score interval (Tango, "Equivalence test
 * and confidence interval for the difference in proportions for the paired-sample design", Statistics
 * in Medicine 17, 1998: holds also where the two never or hardly disagree), and McNemar's mid-p.
 *
 * @returns candidate less champion, -1 to 1
 * @example No disagreement in 60 rows proves little
 * ```ts
 * import { pairedProportions } from "./mod.ts";
 * const counts = { rows: 60, onlyCandidate: 0, onlyChampion: 0 };
 * console.assert(pairedProportions(counts, 0.05).lower < -0.05);
 * ```
 */
export function pairedProportions(counts: PairedCounts, alpha: number): PairedDifference {
  const { rows, onlyCandidate: b, onlyChampion: c } = counts;
  assert(
    rows >= 1 && b >= 0 && c >= 0 && b + c <= rows,
    `Counts must fit the rows: ${b} and ${c} of ${rows}`,
  );
  const value = (b - c) / rows;
  const z = normalQuantile(1 - alpha / 2);
  const inside = (difference: number) => Math.abs(scoreOf(counts, difference)) <= z;
  const share = (b + c + 1) / (rows + 2);
  return {
    value,
    lower: edge(inside, value, -1),
    upper: edge(inside, value, 1),
    p: mcnemarMidP(counts),
    deviation: Math.sqrt(Math.max(share - value * value, 0)),
  };
}

/** Tango's statistic: standard normal where the true difference is that one. */
function scoreOf({ rows, onlyCandidate: b, onlyChampion: c }: PairedCounts, difference: number) {
  const quadratic = 2 * rows, linear = -b - c + (2 * rows - b + c) * difference;
  const constant = -c * difference * (1 - difference);
  const root = Math.sqrt(Math.max(linear * linear - 4 * quadratic * constant, 0));
  const onlyChampion = (root - linear) / (2 * quadratic);
  const variance = rows * (2 * onlyChampion + difference * (1 - difference));
  const distance = b - c - rows * difference;
  if (variance <= 0) return distance === 0 ? 0 : Math.sign(distance) * Infinity;
  return distance / Math.sqrt(variance);
}

function edge(inside: (x: number) => boolean, from: number, to: number): number {
  if (inside(to)) return to;
  let [near, far] = [from, to];
  for (let i = 0; i < 60; i++) {
    const middle = (near + far) / 2;
    if (inside(middle)) near = middle;
    else far = middle;
  }
  return near;
}
