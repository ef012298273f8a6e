import type { Estimate } from "../statistics/mod.ts";

/** @returns four significant digits without an exponent, e.g. "0.8712", "-12.35"; "—" for no number */
export function numberText(value: number): string {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? "—" : value > 0 ? "∞" : "−∞";
  if (value === 0) return "0";
  const digits = Math.max(0, Math.min(6, 3 - Math.floor(Math.log10(Math.abs(value)))));
  const text = value.toFixed(digits);
  return text.startsWith("-") ? `−${text.slice(1)}` : text;
}

/** @returns the same with its sign, e.g. "+0.0123", "−0.0123" */
export function signedText(value: number): string {
  const text = numberText(value);
  return value > 0 ? `+${text}` : text;
}

/** @returns e.g. "+0.0120 (+0.0030 to +0.0210)" */
export function differenceText({ value, lower, upper }: Estimate): string {
  return `${signedText(value)} (${signedText(lower)} to ${signedText(upper)})`;
}

/** @returns e.g. "0.8712 (0.8650 to 0.8772)" */
export function intervalText({ value, lower, upper }: Estimate): string {
  return `${numberText(value)} (${numberText(lower)} to ${numberText(upper)})`;
}

/** @returns e.g. "× 1.20 (1.15 to 1.26)" */
export function ratioText({ value, lower, upper }: Estimate): string {
  return `× ${value.toFixed(2)} (${lower.toFixed(2)} to ${upper.toFixed(2)})`;
}

/** @returns two significant digits, as a guess deserves: "7,100" */
export function rowsText(rows: number): string {
  const step = 10 ** Math.max(0, Math.floor(Math.log10(Math.max(rows, 1))) - 1);
  return (Math.ceil(rows / step) * step).toLocaleString("en");
}

/** @returns "p = 0.012", "p < 0.0001" */
export function pText(p: number): string {
  return p < 0.0001 ? "p < 0.0001" : `p = ${p.toPrecision(2)}`;
}

/** @returns e.g. "about 7,100 rows would tell" */
export function needText(needed: number | undefined): string {
  return needed === undefined || !Number.isFinite(needed)
    ? "no number of rows can be named: the difference lies at the limit itself"
    : `about ${rowsText(needed)} rows would tell`;
}
