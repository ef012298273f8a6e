import { SeededRandom } from "../core/mod.ts";
import { assertEquals, assertTrue } from "../testing/mod.ts";
import { binBounds, binCodes, MISSING_BIN } from "./bins.ts";

const bin = (values: number[], binsMax = 255) => {
  const floats = Float32Array.from(values);
  const bounds = binBounds(floats, binsMax);
  return { bounds: [...bounds], codes: [...binCodes(floats, bounds)] };
};

Deno.test("few values get a bin each; missing has its own", () => {
  const { bounds, codes } = bin([3, 1, NaN, 2, 1]);
  assertEquals(bounds, [1.5, 2.5, Infinity]);
  assertEquals(codes, [2, 0, MISSING_BIN, 1, 0]);
  assertEquals(bin([NaN, NaN]).bounds, [Infinity]);
  assertEquals(bin([-0, 0]).bounds, [Infinity]);
  assertEquals(bin([-Infinity, 1, Infinity]).codes, [0, 1, 2]);
  assertEquals(bin([-Infinity, Infinity]).codes, [0, 1]);
});

Deno.test("neighbouring float32 values are still told apart", () => {
  const a = Math.fround(0.1), b = Math.fround(a * (1 + 2 ** -23));
  assertEquals(bin([a, b]).codes, [0, 1]);
});

Deno.test("quantiles: bins hold about equally many, a frequent value stands alone", () => {
  const random = new SeededRandom(3);
  const values = Array.from({ length: 20_000 }, (_, i) => i % 2 === 0 ? 0 : random.unit() - 0.3);
  const { bounds, codes } = bin(values, 64);
  assertTrue(bounds.length > 32 && bounds.length <= 64, `${bounds.length} bins`);
  const counts = new Map<number, number>();
  for (const code of codes) counts.set(code, (counts.get(code) ?? 0) + 1);
  const zero = codes[0];
  counts.delete(zero);
  assertTrue(Math.max(...counts.values()) < 20_000 / 2 / 15, `${Math.max(...counts.values())}`);
  for (let i = 0; i < values.length; i++) {
    const x = Math.fround(values[i]);
    assertTrue(x <= bounds[codes[i]] && (codes[i] === 0 || x > bounds[codes[i] - 1]), `row ${i}`);
  }
});
