import type { BinnedFeatures } from "./binned_features.ts";
import { PACK } from "./packed_gradient.ts";

/** What a split must leave on both sides, in integer units of the packed values. */
export interface SplitLimits {
  /** Least hessian of a side. */
  readonly hessianMin: number;
  /** L2 regularisation of leaf values. */
  readonly lambda: number;
}

/** The best division of a node's rows. */
export interface Split {
  readonly gain: number;
  readonly feature: number;
  /** Rows with a bin up to this one go left. */
  readonly bin: number;
  readonly missingLeft: boolean;
  /** Packed sum of the left side. */
  readonly left: number;
}

/** A gain below this share of the node's own score is rounding. */
const GAIN_MIN_SHARE = 1e-12;

/**
 * The split of the largest gain G_l²/(H_l+λ) + G_r²/(H_r+λ) - G²/(H+λ) (Chen and Guestrin, KDD 2016,
 * section 2.2). Missing values are tried on either side ("sparsity-aware", section 3.4); where the
 * node has none of a feature, they follow the heavier side. Equal gains: the first feature and bin.
 * Scores are compared as fractions, so that a bin costs no division.
 *
 * @param histogram packed sums, laid out by `binned.offsets`
 * @param total packed sum of the node
 * @returns undefined where no split is allowed or gains anything
 */
export function findSplit(
  histogram: Float64Array,
  total: number,
  binned: BinnedFeatures,
  limits: SplitLimits,
): Split | undefined {
  const { hessianMin, lambda } = limits;
  const { offsets, features } = binned;
  const g = Math.floor(total / PACK), h = total - g * PACK;
  const own = g * g / (h + lambda);
  let best = own * (1 + GAIN_MIN_SHARE) + Number.MIN_VALUE;
  let bestFeature = -1, bestBin = 0, bestMissingLeft = false, bestLeft = 0;
  for (let f = 0; f < features; f++) {
    const start = offsets[f], missingAt = offsets[f + 1] - 1;
    const missing = histogram[missingAt];
    // Without missing values the last bin holds the rest of the rows: there is nothing on its right.
    const last = missing === 0 ? missingAt - 2 : missingAt - 1;
    let sum = 0;
    for (let at = start; at <= last; at++) {
      const bin = histogram[at];
      // An empty bin divides the rows as the bin before it does.
      if (bin === 0) continue;
      sum += bin;
      const gl = Math.floor(sum / PACK), hl = sum - gl * PACK, hr = h - hl;
      if (hl >= hessianMin && hr >= hessianMin) {
        const gr = g - gl, dl = hl + lambda, dr = hr + lambda;
        const numerator = gl * gl * dr + gr * gr * dl;
        if (numerator > best * (dl * dr)) {
          best = numerator / (dl * dr);
          bestFeature = f;
          bestBin = at - start;
          bestMissingLeft = missing === 0 && hl >= hr;
          bestLeft = sum;
        }
      }
      if (missing === 0) {
        if (hr < hessianMin) break;
        continue;
      }
      const withMissing = sum + missing;
      const gm = Math.floor(withMissing / PACK), hm = withMissing - gm * PACK, ho = h - hm;
      if (hm < hessianMin || ho < hessianMin) continue;
      const go = g - gm, dm = hm + lambda, dp = ho + lambda;
      const numerator = gm * gm * dp + go * go * dm;
      if (numerator > best * (dm * dp)) {
        best = numerator / (dm * dp);
        bestFeature = f;
        bestBin = at - start;
        bestMissingLeft = true;
        bestLeft = withMissing;
      }
    }
  }
  if (bestFeature < 0) return undefined;
  return {
    gain: best - own,
    feature: bestFeature,
    bin: bestBin,
    missingLeft: bestMissingLeft,
    left: bestLeft,
  };
}
