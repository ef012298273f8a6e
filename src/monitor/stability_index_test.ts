import { SeededRandom } from "../core/mod.ts";
import { assertClose, assertEquals, assertTrue } from "../testing/mod.ts";
import { stabilityIndex } from "./stability_index.ts";

Deno.test("the index is numpy's", () => {
  // g = groups of bins with >= 1 % of the reference; q, p = (rows + 0.5) / (sum + 0.5 * len(g));
  // np.sum((p - q) * np.log(p / q)), (len(g) - 1) * (1 / n + 1 / m), len(g); numpy 2.4.6
  const cases: [number[], number[], [raw: number, expected: number, groups: number]][] = [
    [[1200, 800, 1000, 1000, 500, 500], [110, 190, 100, 60, 20, 120], [
      0.33648837576746216,
      0.009333333333333334,
      6,
    ]],
    [[5000, 5000, 5000, 5000], [100, 80, 120, 0], [1.3404155845479426, 0.010150000000000001, 4]],
    [[10, 3, 987, 5000, 4000, 0, 0], [0, 9, 300, 600, 1500, 40, 51], [
      0.305368421370405,
      0.001,
      3,
    ]],
    [[1, 1, 1, 997], [1000, 0, 0, 9000], [0, 0, 1]],
  ];
  for (const [reference, window, [raw, expected, groups]] of cases) {
    const index = stabilityIndex(reference, window);
    assertClose(index.raw, raw, 1e-13);
    assertClose(index.expected, expected, 1e-15);
    assertEquals(index.groups, groups);
    assertClose(index.value!, Math.max(0, raw - expected), 1e-13);
  }
});

Deno.test("few rows have no index: 40 of them would look like drift", () => {
  const reference = Array<number>(20).fill(1000);
  const window = Array.from({ length: 20 }, (_, i) => i % 2 * 4);
  const { value, raw, expected, rows, rowsNeeded } = stabilityIndex(reference, window);
  assertEquals([value, rows, rowsNeeded], [undefined, 40, 200]);
  assertTrue(raw > 0.25 && expected > 0.4, `${raw} ${expected}`);
  assertEquals(stabilityIndex([], []).value, undefined);
  assertEquals(stabilityIndex([0, 0], [500, 500]).value, undefined);
});

/** Rows by bin, drawn with these shares. */
function draw(random: SeededRandom, shares: readonly number[], rows: number): Uint32Array {
  const counts = new Uint32Array(shares.length);
  for (let row = 0; row < rows; row++) {
    let u = random.unit(), bin = 0;
    while (bin < shares.length - 1 && u >= shares[bin]) u -= shares[bin++];
    counts[bin]++;
  }
  return counts;
}

Deno.test("where nothing drifts it is chance's mean, and after that is taken off never an alarm", () => {
  const seed = 20240611, random = new SeededRandom(seed);
  const shapes = {
    even: Array<number>(20).fill(0.05),
    skewed: Array.from({ length: 20 }, (_, i) => 0.3 * 0.7 ** i / (1 - 0.7 ** 20)),
  };
  for (const [shape, shares] of Object.entries(shapes)) {
    for (const [n, repeats] of [[200, 400], [1000, 200], [10_000, 40]]) {
      let raw = 0, expected = 0, worst = 0;
      for (let i = 0; i < repeats; i++) {
        const index = stabilityIndex(draw(random, shares, 5000), draw(random, shares, n));
        raw += index.raw / repeats;
        expected += index.expected / repeats;
        worst = Math.max(worst, index.value!);
      }
      const what = `${shape}, ${n} rows, seed ${seed}: ${raw} ${expected} ${worst}`;
      assertTrue(Math.abs(raw / expected - 1) < 0.15, what);
      assertTrue(worst < (n === 200 ? 0.2 : 0.1), what);
    }
  }
});

Deno.test("a real shift is found at the least number of rows", () => {
  const seed = 7, random = new SeededRandom(seed);
  const shares = Array<number>(20).fill(0.05);
  // Half of the lower half moves up: the index of the shares themselves is 0.275.
  const shifted = shares.map((share, i) => i < 10 ? share / 2 : share * 3 / 2);
  let found = 0;
  for (let i = 0; i < 200; i++) {
    const { value } = stabilityIndex(draw(random, shares, 5000), draw(random, shifted, 200));
    if (value! > 0.1) found++;
  }
  assertTrue(found >= 195, `${found} of 200, seed ${seed}`);
});
