/** 10^0 … 10^22: the powers of ten that a double holds exactly. */
export const POWERS_OF_TEN: Float64Array = Float64Array.from(
  { length: 23 },
  (_, i) => Number(`1e${i}`),
);

const NUMBER = /^[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?$/;
const SPLITTER = 134217729; // 2^27 + 1 (Dekker 1971)

/**
 * The double nearest to a decimal text, or undefined where the text is no number. Spaces and tabs
 * around it are allowed; hexadecimal, "inf" and digit separators are not numbers.
 */
export function parseDecimal(bytes: Uint8Array, start: number, end: number): number | undefined {
  while (start < end && isBlank(bytes[start])) start++;
  while (end > start && isBlank(bytes[end - 1])) end--;
  const quick = longDecimal(bytes, start, end);
  if (quick !== undefined) return quick;
  if (end - start > 2000) return undefined;
  let text = "";
  for (let i = start; i < end; i++) text += String.fromCharCode(bytes[i]);
  return NUMBER.test(text) ? Number(text) : undefined;
}

/**
 * Plain decimals of up to 30 significant digits (what `repr` of a double prints) without making a
 * string: (high × 10^j + low) / 10^fraction in double-double arithmetic. The quotient is taken only
 * where its rounding to a double cannot depend on the arithmetic's own error (about 2^-103).
 */
function longDecimal(bytes: Uint8Array, start: number, end: number): number | undefined {
  let p = start, negative = false;
  if (bytes[p] === 45) {
    negative = true;
    p++;
  }
  let high = 0, low = 0, digits = 0, lowDigits = 0, fraction = -1, seen = 0;
  for (; p < end; p++) {
    const digit = bytes[p] - 48;
    if (digit === -2 && fraction < 0) {
      fraction = 0;
      continue;
    }
    if (digit >>> 0 > 9) return undefined;
    seen++;
    if (fraction >= 0) fraction++;
    if (digits === 0 && digit === 0) continue;
    digits++;
    if (digits <= 15) high = high * 10 + digit;
    else {
      low = low * 10 + digit;
      lowDigits++;
    }
  }
  if (seen === 0 || lowDigits > 15 || fraction > 22) return undefined;
  const value = quotient(high, POWERS_OF_TEN[lowDigits], low, POWERS_OF_TEN[Math.max(fraction, 0)]);
  return value === undefined ? undefined : negative ? -value : value;
}

/** (high × scale + low) / divisor, correctly rounded, or undefined where that cannot be told. */
function quotient(high: number, scale: number, low: number, divisor: number): number | undefined {
  const product = high * scale;
  const sum = product + low;
  const back = sum - product;
  const tail = (product - (sum - back)) + (low - back) + productError(high, scale, product);
  const first = sum / divisor;
  const times = first * divisor;
  const rest = ((sum - times) - productError(first, divisor, times) + tail) / divisor;
  const slack = first * 2 ** -96;
  const value = first + rest;
  return first + (rest + slack) === value && first + (rest - slack) === value ? value : undefined;
}

/** a × b - product, exactly (Dekker's product). */
function productError(a: number, b: number, product: number): number {
  const ac = SPLITTER * a, bc = SPLITTER * b;
  const ah = ac - (ac - a), bh = bc - (bc - b);
  const al = a - ah, bl = b - bh;
  return ((ah * bh - product) + ah * bl + al * bh) + al * bl;
}

function isBlank(byte: number): boolean {
  return byte === 32 || byte === 9;
}
