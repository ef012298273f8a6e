/** The probability of a raw score s is sigmoid(slope × s + offset); both are float32. */
export interface Calibration {
  readonly slope: number;
  readonly offset: number;
}

const STEPS_MAX = 100;

/**
 * Platt scaling (Platt 1999) with the smoothed targets of that paper, by Newton's method with step
 * halving (Lin, Lin, Weng, Machine Learning 68, 2007).
 *
 * @param scores raw scores of rows that the model was not trained on
 * @param labels 0 or 1
 * @returns undefined where it cannot be fitted: one class only, or higher scores mean class 0
 */
export function fitPlatt(scores: Float32Array, labels: Float64Array): Calibration | undefined {
  const rows = scores.length;
  let ones = 0;
  for (const label of labels) ones += label;
  if (ones === 0 || ones === rows) return undefined;
  const high = (ones + 1) / (ones + 2), low = 1 / (rows - ones + 2);
  const targets = labels.map((label) => label > 0.5 ? high : low);
  let slope = 1, offset = 0, loss = meanLoss(scores, targets, slope, offset);
  for (let step = 0; step < STEPS_MAX; step++) {
    const [byStep, toOffset] = newtonStep(scores, targets, slope, offset);
    let size = 1, next = loss;
    for (; size > 1e-10; size /= 2) {
      next = meanLoss(scores, targets, slope - size * byStep, offset - size * toOffset);
      if (next < loss) break;
    }
    if (!(next < loss)) break;
    slope -= size * byStep;
    offset -= size * toOffset;
    if (loss - next < 1e-14 * rows) break;
    loss = next;
  }
  return slope > 0 ? { slope: Math.fround(slope), offset: Math.fround(offset) } : undefined;
}

function newtonStep(
  scores: Float32Array,
  targets: Float64Array,
  slope: number,
  offset: number,
): [number, number] {
  let ga = 0, gb = 0, haa = 1e-12, hab = 0, hbb = 1e-12;
  for (let i = 0; i < scores.length; i++) {
    const s = scores[i], p = 1 / (1 + Math.exp(-(slope * s + offset)));
    const d = p - targets[i], w = p * (1 - p);
    ga += d * s;
    gb += d;
    haa += w * s * s;
    hab += w * s;
    hbb += w;
  }
  const determinant = haa * hbb - hab * hab;
  return [(hbb * ga - hab * gb) / determinant, (haa * gb - hab * ga) / determinant];
}

function meanLoss(scores: Float32Array, targets: Float64Array, slope: number, offset: number) {
  let sum = 0;
  for (let i = 0; i < scores.length; i++) {
    const z = slope * scores[i] + offset;
    sum += Math.log1p(Math.exp(-Math.abs(z))) + Math.max(z, 0) - targets[i] * z;
  }
  return sum / scores.length;
}
