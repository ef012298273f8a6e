import { binBounds, binCodes, MISSING_BIN } from "../dataset/mod.ts";

/** Features as bin numbers, in the two layouts that tree growing reads. */
export interface BinnedFeatures {
  readonly rows: number;
  readonly features: number;
  /** Upper bounds of each feature's value bins, the last is Infinity. */
  readonly bounds: readonly Float32Array[];
  /** By row, for histograms: entry `row × features + feature`. A missing value has the code
   * `bounds[feature].length`, one past the value bins. */
  readonly byRow: Uint8Array;
  /** By feature, for dividing a node's rows. */
  readonly byFeature: readonly Uint8Array[];
  /** Where each feature's bins begin in a histogram; one entry more is the histogram's length. */
  readonly offsets: Int32Array;
}

/** Bins the training rows' features. */
export function binFeatures(
  values: readonly Float32Array[],
  rows: number,
  binsMax: number,
): BinnedFeatures {
  const features = values.length;
  const byRow = new Uint8Array(rows * features), offsets = new Int32Array(features + 1);
  const bounds: Float32Array[] = [], byFeature: Uint8Array[] = [];
  for (let f = 0; f < features; f++) {
    const upper = binBounds(values[f], binsMax), missing = upper.length;
    const codes = binCodes(values[f], upper);
    for (let row = 0, at = f; row < rows; row++, at += features) {
      if (codes[row] === MISSING_BIN) codes[row] = missing;
      byRow[at] = codes[row];
    }
    bounds.push(upper);
    byFeature.push(codes);
    offsets[f + 1] = offsets[f] + missing + 1;
  }
  return { rows, features, bounds, byRow, byFeature, offsets };
}
