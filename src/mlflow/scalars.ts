import { z } from "zod";

/** Text. */
export const text = z.string();

/** A whole number, as a JSON number or as digits in a text; clamped to 64 bits. */
export const int64 = z.union([z.number(), z.string().regex(/^\s*[+-]?\d+\s*$/)])
  .transform(Number)
  .refine(Number.isInteger)
  .transform((value) => Math.max(-INT64, Math.min(INT64, value)));

/** The largest double below 2^63. */
const INT64 = 9223372036854774784;

/** A double; NaN and the infinities come as texts, as protobuf's JSON mapping has them. */
export const double = z.union([
  z.number(),
  z.literal(["NaN", "Infinity", "-Infinity"]).transform(Number),
  z.string().regex(/^\s*[+-]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?\s*$/).transform(Number),
]);

/** true or false; in a query the words. */
export const bool = z.boolean();

/** A key and its text. */
export const keyValue = z.object({
  key: text.default(""),
  value: text.default(""),
});

/** An enum by name or by protobuf's number. */
export function enumOf<const N extends string>(numbers: Readonly<Record<N, number>>) {
  const names = Object.keys(numbers) as N[];
  return z.union([z.enum(names as [N, ...N[]]), z.int(), z.string().regex(/^\d+$/)])
    .transform((value, context) => {
      const found = names.find((name) => name === value || numbers[name] === Number(value));
      if (found !== undefined) return found;
      context.addIssue({ code: "custom", message: "no such value" });
      return z.NEVER;
    });
}

/** @returns the double as JSON carries it */
export function toWireDouble(value: number): number | string {
  return Number.isFinite(value) ? value : String(value);
}
