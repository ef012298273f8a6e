import { assert } from "../core/mod.ts";

/** How a command line gives a number of bytes. */
export const BYTES = /^[1-9]\d{0,14}(Ki|Mi|Gi|Ti|k|M|G|T)?$/;

/** What is told where it does not match. */
export const BYTES_PROBLEM = "must be a number of bytes, e.g. 268435456, 256Mi or 2G";

const UNITS: Readonly<Record<string, number>> = {
  ...{ k: 1e3, M: 1e6, G: 1e9, T: 1e12 },
  ...{ Ki: 2 ** 10, Mi: 2 ** 20, Gi: 2 ** 30, Ti: 2 ** 40 },
};

/** @param text matches {@linkcode BYTES} */
export function parseByteSize(text: string): number {
  const found = /^(\d+)(\D*)$/.exec(text);
  assert(found !== null && BYTES.test(text), `no number of bytes: "${text}"`);
  return Number(found[1]) * (UNITS[found[2]] ?? 1);
}
