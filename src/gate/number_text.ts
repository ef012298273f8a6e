import type { Estimate } from "../statistics/mod.ts";

const DECIMALS_MAX = 6;

/** @returns the number with so many decimals and a true minus; "—" for no number */
function fixed(value: number, decimals: number): string {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? "—" : value > 0 ? "∞" : "−∞";
  const text = value.toFixed(decimals);
  return /^-[0.]*$/.test(text) ? text.slice(1) : text.replace("-", "−");
}

/** @returns four significant digits without an exponent, e.g. "0.8712", "−12.35" */
export function numberText(value: number): string {
  const size = value === 0 ? 0 : Math.floor(Math.log10(Math.abs(value)));
  return fixed(value, Math.max(0, Math.min(DECIMALS_MAX, 3 - size)));
}

/** @returns a limit as it was written: no zeros behind, e.g. "0.8", "−0.005" */
export function limitNumber(value: number): string {
  return String(Number(value.toPrecision(6))).replace("-", "−");
}

/** As many decimals as give the interval's width two digits: more would be noise. */
function decimalsOf({ lower, upper, value }: Estimate): number {
  const width = Number.isFinite(upper - lower) ? (upper - lower) / 2 : Math.abs(value);
  if (!(width > 0)) return 4;
  return Math.max(0, Math.min(DECIMALS_MAX, 1 - Math.floor(Math.log10(width))));
}

/** @returns e.g. "+0.0120 (+0.0030 to +0.0210)" */
export function differenceText(estimate: Estimate): string {
  const decimals = decimalsOf(estimate), { value, lower, upper } = estimate;
  const signed = (x: number) => {
    const text = fixed(x, decimals);
    return x > 0 && /[1-9∞]/.test(text) ? `+${text}` : text;
  };
  return `${signed(value)} (${signed(lower)} to ${signed(upper)})`;
}

/** @returns the interval alone, e.g. "0.8650 to 0.8772" */
export function rangeText(estimate: Estimate): string {
  const decimals = decimalsOf(estimate);
  return `${fixed(estimate.lower, decimals)} to ${fixed(estimate.upper, decimals)}`;
}

/** @returns e.g. "0.8712 (0.8650 to 0.8772)" */
export function intervalText(estimate: Estimate): string {
  return `${fixed(estimate.value, decimalsOf(estimate))} (${rangeText(estimate)})`;
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
    ? "no number of rows can be named: what is seen lies at the limit itself"
    : `about ${rowsText(needed)} rows would tell`;
}
