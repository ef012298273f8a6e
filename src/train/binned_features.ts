import { binBounds, binCodes, MISSING_BIN } from "../dataset/mod.ts";

/** Features as bin numbers, in the two layouts that tree growing reads. */
export interface BinnedFeatures {
  readonly rows: number;
  readonly features: number;
  /** Upper bounds of each feature's value bins, the last is Infinity. */
  readonly bounds: readonly Float32Array[];
  /** By row, for histograms: entry `row × features + feature` is the place in a histogram. A missing
   * value has the code `bounds[feature].length`, one past the value bins. */
  readonly byRow: Uint16Array | Uint32Array;
  /** By feature, for dividing a node's rows: the bin, without the feature's offset. */
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
  const features = values.length, offsets = new Int32Array(features + 1);
  const bounds: Float32Array[] = [], byFeature: Uint8Array[] = [];
  for (let f = 0; f < features; f++) {
    const upper = binBounds(values[f], binsMax), missing = upper.length;
    const codes = binCodes(values[f], upper);
    for (let row = 0; row < rows; row++) if (codes[row] === MISSING_BIN) codes[row] = missing;
    bounds.push(upper);
    byFeature.push(codes);
    offsets[f + 1] = offsets[f] + missing + 1;
  }
  const places = offsets[features];
  const byRow = places <= 65536
    ? new Uint16Array(rows * features)
    : new Uint32Array(rows * features);
  for (let f = 0; f < features; f++) {
    const codes = byFeature[f], offset = offsets[f];
    for (let row = 0, at = f; row < rows; row++, at += features) byRow[at] = offset + codes[row];
  }
  return { rows, features, bounds, byRow, byFeature, offsets };
}
