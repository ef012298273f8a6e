/** Powers that a Kubernetes quantity may end in. */
const SUFFIXES: Readonly<Record<string, number>> = {
  "": 1,
  m: 1e-3,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
};

/**
 * Reads a Kubernetes quantity (`apimachinery/pkg/api/resource`), without exponents.
 *
 * @returns undefined where the text is none; cores, or bytes
 *
 * @example Cores and bytes
 * ```ts
 * import { parseQuantity } from "./quantity.ts";
 * console.assert(parseQuantity("500m") === 0.5);
 * console.assert(parseQuantity("256Mi") === 268_435_456);
 * console.assert(parseQuantity("much") === undefined);
 * ```
 */
export function parseQuantity(text: string): number | undefined {
  const match = /^(\d{1,15}(?:\.\d{1,9})?)(m|k|M|G|T|Ki|Mi|Gi|Ti)?$/.exec(text);
  return match === null ? undefined : Number(match[1]) * SUFFIXES[match[2] ?? ""];
}

/** @returns a multiple of a number of bytes, rounded up to whole MiB, e.g. `512Mi` */
export function multiplyBytes(quantity: string, factor: number): string {
  return `${Math.ceil(parseQuantity(quantity)! * factor / 2 ** 20)}Mi`;
}
