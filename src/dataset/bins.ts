import { assert } from "../core/mod.ts";

/** The code of a missing value, in every feature; value bins are 0 … 254. */
export const MISSING_BIN = 255;

/** Values are sampled evenly above this many for the bounds (LightGBM samples 200,000 as well). */
const SAMPLE_ROWS = 200_000;

/**
 * Upper bounds of a feature's value bins, as float32: bin b holds bounds[b - 1] < x <= bounds[b], the
 * last bound is Infinity. Every bound lies between two values that occur (never on the right one), so
 * `x <= bound` says the same of the float32 value in training and in the ONNX graph.
 *
 * Few distinct values get a bin each; else bins hold about equally many rows, and a value that is
 * more frequent than that has one of its own.
 *
 * @param values float32 values of the training rows; NaN is missing and has no part in the bounds
 * @param binsMax 2 … 255
 * @returns at least one bound
 */
export function binBounds(values: Float32Array, binsMax: number): Float32Array {
  assert(binsMax >= 2 && binsMax <= 255, `Bins must be 2 … 255: current value is ${binsMax}`);
  const { distinct, counts, rows } = distinctValues(values);
  const bounds: number[] = [];
  if (distinct.length <= binsMax) {
    for (let i = 0; i + 1 < distinct.length; i++) bounds.push(middle(distinct[i], distinct[i + 1]));
  } else {
    let rest = rows, held = 0;
    for (let i = 0; i + 1 < distinct.length && bounds.length < binsMax - 1; i++) {
      held += counts[i];
      const target = rest / (binsMax - bounds.length);
      const nextIsLarge = counts[i + 1] >= target && held >= target / 2;
      if (held < target && !nextIsLarge) continue;
      bounds.push(middle(distinct[i], distinct[i + 1]));
      rest -= held;
      held = 0;
    }
  }
  bounds.push(Infinity);
  return Float32Array.from(bounds);
}

/**
 * The bin of every value: how many bounds lie below it; {@linkcode MISSING_BIN} for NaN.
 *
 * @param bounds from {@linkcode binBounds}
 */
export function binCodes(values: Float32Array, bounds: Float32Array): Uint8Array {
  const codes = new Uint8Array(values.length), last = bounds.length - 1;
  for (let i = 0; i < values.length; i++) {
    const x = values[i];
    if (x !== x) {
      codes[i] = MISSING_BIN;
      continue;
    }
    let low = 0, high = last;
    while (low < high) {
      const mid = (low + high) >> 1;
      if (bounds[mid] < x) low = mid + 1;
      else high = mid;
    }
    codes[i] = low;
  }
  return codes;
}

function distinctValues(values: Float32Array) {
  const step = Math.max(1, Math.floor(values.length / SAMPLE_ROWS));
  const sample = new Float32Array(Math.ceil(values.length / step));
  let rows = 0;
  for (let i = 0; i < values.length; i += step) {
    if (values[i] === values[i]) sample[rows++] = values[i] === 0 ? 0 : values[i];
  }
  const sorted = sample.subarray(0, rows).sort();
  const distinct: number[] = [], counts: number[] = [];
  for (let i = 0; i < rows;) {
    let end = i + 1;
    while (end < rows && sorted[end] === sorted[i]) end++;
    distinct.push(sorted[i]);
    counts.push(end - i);
    i = end;
  }
  return { distinct, counts, rows };
}

/** A float32 in [a, b): the middle, or a where no float32 lies between. */
function middle(a: number, b: number): number {
  const mid = Math.fround(a / 2 + b / 2);
  return mid >= a && mid < b ? mid : a;
}
