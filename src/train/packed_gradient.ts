import { SerinError } from "../core/mod.ts";

/** A packed value is gradient × 2^26 + hessian, both integers, in one double. */
export const PACK = 67108864;

/** Above this the integers of one row would be too coarse. */
const ROWS_MAX = 16_000_000;

/** How integers of a packed value become derivatives again. */
export interface GradientScale {
  readonly gradient: number;
  readonly hessian: number;
}

/**
 * Rounds derivatives to integers whose sums over all rows stay below 2^26 in size, and packs the two
 * of a row into one double. Sums of packed values over any rows are exact, so they do not depend on
 * the order of adding, and one addition updates both halves of a histogram's bin.
 *
 * @param packed filled with one value a row
 * @returns undefined where all gradients are 0: nothing is left to learn
 * @throws {SerinError} `too_large` above 16 million rows
 */
export function packGradients(
  gradient: Float64Array,
  hessian: Float64Array,
  packed: Float64Array,
): GradientScale | undefined {
  const rows = gradient.length;
  if (rows > ROWS_MAX) {
    throw new SerinError("too_large", `Cannot train on ${rows} rows: the most are ${ROWS_MAX}`);
  }
  let gradientSum = 0, hessianSum = 0;
  for (let i = 0; i < rows; i++) {
    gradientSum += Math.abs(gradient[i]);
    hessianSum += hessian[i];
  }
  if (gradientSum === 0) return undefined;
  // Rounding moves each row by at most 1.
  const range = PACK * 0.98 - rows;
  const scale = { gradient: gradientSum / range, hessian: hessianSum / range };
  for (let i = 0; i < rows; i++) {
    const g = Math.round(gradient[i] / scale.gradient);
    const h = Math.max(1, Math.round(hessian[i] / scale.hessian));
    packed[i] = g * PACK + h;
  }
  return scale;
}

/** The integer gradient of a packed sum. */
export function packedGradient(packed: number): number {
  return Math.floor(packed / PACK);
}

/** The integer hessian of a packed sum. */
export function packedHessian(packed: number): number {
  return packed - Math.floor(packed / PACK) * PACK;
}
