import { assertEquals } from "../testing/mod.ts";
import { profileColumn, profileProbabilities } from "./profile.ts";

Deno.test("a profile's bins hold every value that is there", () => {
  const values = Float32Array.from({ length: 1000 }, (_, i) => i % 4 === 0 ? NaN : i);
  const { counts, edges, ...rest } = profileColumn("a", values);
  const described = { name: "a", rows: 1000, missing_rate: 0.25, min: 1, max: 999, mean: 500 };
  assertEquals(rest, { ...described, discrete: false });
  assertEquals(counts.reduce((sum, count) => sum + count, 0), 750);
  assertEquals([edges.length, counts.length, edges[0], edges[20]], [21, 20, 1, 999]);
  assertEquals(Math.max(...counts) - Math.min(...counts) <= 3, true);
});

Deno.test("repeated, single and no values", () => {
  const two = profileColumn("a", Float32Array.of(1, 1, 1, 2));
  assertEquals([two.edges, two.counts], [[1, 1, 2], [3, 1]]);
  const one = profileColumn("a", Float32Array.of(5, NaN, 5));
  assertEquals([one.edges, one.counts, one.mean], [[5, 5], [2], 5]);
  const none = profileColumn("a", Float32Array.of(NaN));
  assertEquals([none.min, none.edges, none.missing_rate], [null, [], 1]);
});

Deno.test("infinities are the largest numbers, which JSON can write", () => {
  const largest = 3.4028234663852886e38;
  const profile = profileColumn("a", Float32Array.of(-Infinity, 1, 2, Infinity, NaN));
  assertEquals([profile.min, profile.max, profile.missing_rate], [-largest, largest, 0.2]);
  assertEquals(JSON.parse(JSON.stringify(profile)), profile);
});

Deno.test("probabilities have bins of equal width", () => {
  const { counts } = profileProbabilities("p", Float32Array.of(0, 0.05, 0.051, 1));
  assertEquals([counts[0], counts[1], counts[19]], [2, 1, 1]);
});

Deno.test("few values with many rows each: a bin a value", () => {
  const values = Float32Array.from({ length: 100 }, (_, i) => i === 0 ? 7 : i % 3);
  const { edges, counts, discrete } = profileColumn("a", values);
  assertEquals([edges, counts, discrete], [[0, 0, 1, 2, 7], [33, 33, 33, 1], true]);
  const many = profileColumn("a", Float32Array.from({ length: 300 }, (_, i) => i % 21));
  assertEquals(many.discrete, false);
});

Deno.test("a pile at the least value has a bin of its own", () => {
  const values = Float32Array.from({ length: 1000 }, (_, i) => i < 600 ? 0 : i);
  const { edges, counts } = profileColumn("a", values);
  assertEquals([edges.slice(0, 2), counts[0]], [[0, 0], 600]);
});
