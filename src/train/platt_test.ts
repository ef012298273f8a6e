import { SeededRandom } from "../core/mod.ts";
import { assertClose, assertEquals, assertTrue } from "../testing/mod.ts";
import { fitPlatt } from "./platt.ts";

/** Scores whose true probability is sigmoid(slope × score + offset). */
function drawn(rows: number, slope: number, offset: number) {
  const random = new SeededRandom(11);
  const scores = Float32Array.from({ length: rows }, () => 6 * random.unit() - 3);
  const labels = Float64Array.from(
    scores,
    (s) => random.unit() < 1 / (1 + Math.exp(-(slope * s + offset))) ? 1 : 0,
  );
  return { scores, labels };
}

Deno.test("finds the slope and offset that made the labels", () => {
  for (const [slope, offset] of [[1, 0], [0.4, -1], [2.5, 0.7]]) {
    const { scores, labels } = drawn(50_000, slope, offset);
    const fitted = fitPlatt(scores, labels)!;
    assertClose(fitted.slope, slope, 0.06, "slope");
    assertClose(fitted.offset, offset, 0.06, "offset");
    assertEquals(fitted.slope, Math.fround(fitted.slope));
  }
});

Deno.test("finite where the classes are apart", () => {
  const scores = Float32Array.of(-2, -1, 1, 2), labels = Float64Array.of(0, 0, 1, 1);
  const fitted = fitPlatt(scores, labels)!;
  assertTrue(Number.isFinite(fitted.slope) && fitted.slope > 0, `slope ${fitted.slope}`);
});

Deno.test("not fitted: one class only, or the wrong way round", () => {
  const scores = Float32Array.of(-2, -1, 1, 2);
  assertEquals(fitPlatt(scores, new Float64Array(4)), undefined);
  assertEquals(fitPlatt(scores, Float64Array.of(1, 1, 0, 0)), undefined);
  assertEquals(fitPlatt(new Float32Array(0), new Float64Array(0)), undefined);
});
