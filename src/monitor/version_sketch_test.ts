import { SeededRandom } from "../core/mod.ts";
import { assertClose, assertEquals, assertTrue } from "../testing/mod.ts";
import { measureDrift } from "./drift.ts";
import type { ColumnReference, ModelProfile } from "./model_profile.ts";
import { mergeSketch, windowCounts } from "./sketch_counts.ts";
import { layOutSketch, PARTS } from "./sketch_layout.ts";
import { type ColumnInput, VersionSketch } from "./version_sketch.ts";

const PART_MS = 60_000;
const START = 1_700_000_000_000;

function reference(name: string, change: Partial<ColumnReference> = {}): ColumnReference {
  const edges = [0, 1, 2, 4, 8], counts = [100, 100, 100, 100];
  return { name, rows: 400, nullRatio: 0, edges, counts, discrete: false, ...change };
}

const profile: ModelProfile = {
  columns: [
    reference("a"),
    reference("b", { edges: [3, 3, 5, 9], counts: [200, 100, 100], discrete: true }),
  ],
  prediction: reference("prediction", { edges: [0, 0.5, 1], counts: [200, 200] }),
  leftOut: 0,
};
const layout = layOutSketch(profile);

function column(name: string, values: readonly number[]): ColumnInput {
  return { name, shape: [values.length, 1], data: Float32Array.from(values) };
}

function observe(sketch: VersionSketch, a: number[], b: number[], now: number): void {
  const scores = Float32Array.from(a, (value) => value > 2 ? 0.75 : 0.25);
  sketch.observe([column("a", a), column("b", b)], a.length, { scores, now });
}

const wordsOf = (sketch: VersionSketch) => new Uint32Array(sketch.buffer);

/** Its counts at a moment: bins, nulls, below, above, unseen. */
function countsAt(sketch: Uint32Array, now: number, place = layout.columns[0]): number[] {
  const { words } = windowCounts(layout, sketch, { now, partMs: PART_MS });
  return [...words.subarray(place.at, place.extras + 4)];
}

Deno.test("values go into their bins; nulls, out of range and unseen are counted beside", () => {
  const sketch = new VersionSketch(profile, PART_MS);
  const a = [0, 1, 1.5, 2, 4, 4.1, 8, 9, -1, NaN, Infinity];
  const b = [3, 5, 9, 4, 2, 10, NaN, 3, 3, 3, 3];
  observe(sketch, a, b, START);
  const words = wordsOf(sketch);
  assertEquals(countsAt(words, START), [3, 2, 1, 4, 1, 1, 2, 0]);
  assertEquals(countsAt(words, START, layout.columns[1]), [6, 2, 2, 1, 1, 1, 1]);
  assertEquals(countsAt(words, START, layout.prediction).slice(0, 2), [6, 5]);
});

Deno.test("a bin is found as a plain search finds it, whatever the number of bins", () => {
  const seed = 99, random = new SeededRandom(seed);
  for (const bins of [1, 2, 3, 4, 5, 8, 17, 20, 31, 32, 33]) {
    const edges = Array.from({ length: bins + 1 }, () => Math.fround(random.unit()))
      .sort((x, y) => x - y);
    const one = reference("a", { edges, counts: Array(bins).fill(1) });
    const only: ModelProfile = { columns: [one], prediction: undefined, leftOut: 0 };
    const sketch = new VersionSketch(only, PART_MS),
      values = Array.from(
        { length: 500 },
        (_, i) => i % 3 === 0 ? edges[i % edges.length] : Math.fround(random.unit() * 1.2 - 0.1),
      );
    const expected = Array(bins).fill(0);
    for (const value of values) {
      const bin = edges.findIndex((edge, i) => i > 0 && value <= edge);
      expected[bin < 0 ? bins - 1 : bin - 1]++;
    }
    sketch.observe([column("a", values)], 500, { scores: undefined, now: START });
    const plan = layOutSketch(only);
    const { words } = windowCounts(plan, wordsOf(sketch), { now: START, partMs: PART_MS });
    const counted = [...words.subarray(plan.columns[0].at, plan.columns[0].extras)];
    assertEquals(counted, expected, `${bins} bins, seed ${seed}`);
  }
});

Deno.test("merged sketches are the sketch of all requests, at every moment", () => {
  const seed = 5, random = new SeededRandom(seed);
  const parts = [0, 1, 2].map(() => new VersionSketch(profile, PART_MS));
  const whole = new VersionSketch(profile, PART_MS);
  for (let i = 0; i < 600; i++) {
    const now = START + i * PART_MS / 50, a = [random.unit() * 10 - 1], b = [3];
    observe(parts[random.uint32() % 3], a, b, now);
    observe(whole, a, b, now);
    if (i % 37 !== 0) continue;
    const sum = new Uint32Array(layout.words);
    for (const part of parts) mergeSketch(layout, sum, wordsOf(part));
    const read = (words: Uint32Array) => windowCounts(layout, words, { now, partMs: PART_MS });
    assertEquals(read(sum), read(wordsOf(whole)), `request ${i}, seed ${seed}`);
  }
});

Deno.test("old traffic leaves the window, and the total stays", () => {
  const sketch = new VersionSketch(profile, PART_MS), words = wordsOf(sketch);
  const rowsAt = (now: number) => countsAt(words, now).reduce((sum, count) => sum + count, 0);
  observe(sketch, [1, 1, 1], [3, 3, 3], START);
  assertEquals(rowsAt(START + (PARTS - 1) * PART_MS), 3);
  assertEquals(rowsAt(START + PARTS * PART_MS), 0);
  observe(sketch, [1], [3], START + PARTS * PART_MS);
  assertEquals(rowsAt(START + PARTS * PART_MS), 1);
  // A clock that is set back: what is ahead of it is not counted, what comes is.
  observe(sketch, [1, 1], [3, 3], START - 20 * PART_MS);
  assertEquals(rowsAt(START - 20 * PART_MS), 2);
  const at = { now: START, partMs: PART_MS };
  assertEquals(windowCounts(layout, words, at).rowsTotal, 6);
});

Deno.test("the total goes on beyond 32 bits, and merges", () => {
  const sketch = new VersionSketch(profile, PART_MS), words = wordsOf(sketch);
  words[1] = 2 ** 32 - 2;
  observe(sketch, [1, 1, 1], [3, 3, 3], START);
  const total = (of: Uint32Array) =>
    windowCounts(layout, of, { now: START, partMs: PART_MS }).rowsTotal;
  assertEquals(total(words), 2 ** 32 + 1);
  const sum = new Uint32Array(layout.words);
  for (let i = 0; i < 3; i++) mergeSketch(layout, sum, words);
  assertEquals(total(sum), 3 * 2 ** 32 + 3);
});

Deno.test("inputs that the profile does not describe are left alone", () => {
  const sketch = new VersionSketch(profile, PART_MS);
  const inputs: ColumnInput[] = [
    { name: "text", shape: [2], data: ["x", "y"] },
    { name: "b", shape: [2], data: ["3", "4"] },
    { name: "a", shape: [2, 2], data: Float32Array.of(1, 2, 3, 4) },
  ];
  sketch.observe(inputs, 2, { scores: undefined, now: START });
  // Another order of the inputs, and whole numbers of 64 bits.
  const a = BigInt64Array.of(1n, 7n);
  sketch.observe([{ name: "a", shape: [2], data: a }], 2, { scores: undefined, now: START });
  assertEquals(countsAt(wordsOf(sketch), START), [1, 0, 0, 1, 0, 0, 0, 0]);
  assertEquals(countsAt(wordsOf(sketch), START, layout.columns[1]), [0, 0, 0, 0, 0, 0, 0]);
});

Deno.test("a sketch asks for no memory after it was made", () => {
  const sketch = new VersionSketch(profile, PART_MS), bytes = sketch.buffer.byteLength;
  assertEquals(bytes, 4 * (2 + PARTS * (2 + (4 + 4) + (3 + 4) + (2 + 4))));
  const inputs = [column("a", [1]), column("b", [3])], scores = Float32Array.of(0.5);
  const count = (requests: number) => {
    for (let i = 0; i < requests; i++) sketch.observe(inputs, 1, { scores, now: START + i });
  };
  count(50_000);
  const before = Deno.memoryUsage().heapUsed;
  count(400_000);
  const grown = Deno.memoryUsage().heapUsed - before;
  // 20 bytes a request would be 8 MB.
  assertTrue(grown < 2_000_000, `${grown} bytes for 400,000 requests`);
  assertEquals(sketch.buffer.byteLength, bytes);
});

Deno.test("drift: the same distribution is quiet, a shift, nulls and unseen values are told", () => {
  const seed = 31, random = new SeededRandom(seed);
  const draw = (rows: number, value: () => [number, number]) => {
    const sketch = new VersionSketch(profile, PART_MS);
    for (let i = 0; i < rows; i++) {
      const [a, b] = value();
      observe(sketch, [a], [b], START);
    }
    const at = { now: START, partMs: PART_MS };
    const { columns: [a, b] } = measureDrift(layout, windowCounts(layout, wordsOf(sketch), at));
    return { a, b };
  };
  const asTrained = (): [number, number] => {
    const bin = random.uint32() % 4;
    return [[0.5, 1.5, 3, 6][bin], [3, 3, 5, 9][bin]];
  };
  for (const rows of [200, 1000, 20_000]) {
    const { a, b } = draw(rows, asTrained);
    assertTrue(a.psi.value! < 0.05 && b.psi.value! < 0.05, `${rows} rows, seed ${seed}`);
    assertEquals([a.nullRatio, a.unseenRatio, b.unseenRatio], [0, 0, 0]);
  }
  const { a, b } = draw(1000, () => {
    const [value, code] = asTrained();
    return [random.unit() < 0.25 ? NaN : value * 3, random.unit() < 0.5 ? 4 : code];
  });
  assertTrue(a.psi.value! > 0.25, `shift: ${a.psi.value}, seed ${seed}`);
  assertClose(a.nullRatio!, 0.25, 0.05);
  assertClose(a.unseenRatio!, 0.5, 0.06);
  assertClose(b.unseenRatio!, 0.5, 0.05);
  const few = draw(199, asTrained);
  assertEquals([few.a.psi.value, few.a.nullRatio, few.a.unseenRatio], [
    undefined,
    undefined,
    undefined,
  ]);
});
