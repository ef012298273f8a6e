import { SeededRandom } from "../core/mod.ts";
import { assertClose, assertEquals, assertTrue } from "../testing/mod.ts";
import { calibrationCurve, calibrationError } from "./calibration.ts";

Deno.test("slope and intercept agree with statsmodels' Logit", () => {
  const scores = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.15, 0.35, 0.55, 0.75, 0.95];
  const labels = [0, 0, 1, 0, 1, 1, 0, 1, 1, 1, 0, 0, 1, 1, 0, 0];
  const { slope, intercept } = calibrationCurve([...scores, 0.05, 0.45], labels, 0.05);
  assertClose(intercept.value, 0.07526893, 1e-8);
  assertClose(intercept.lower, -1.06204305, 1e-8);
  assertClose(slope.value, 0.85281246, 1e-8);
  assertClose(slope.lower, -0.10342722, 1e-8);
  assertClose(slope.upper, 1.80905213, 1e-8);
});

Deno.test("no curve through one class, separated classes or one score", () => {
  const none = (scores: number[], labels: number[]) => {
    const { slope } = calibrationCurve(scores, labels, 0.05);
    assertTrue(Number.isNaN(slope.value) && slope.upper === Infinity, `slope ${slope.value}`);
  };
  none([0.1, 0.6, 0.9], [1, 1, 1]);
  none([0.1, 0.2, 0.8, 0.9], [0, 0, 1, 1]);
  none([0.4, 0.4, 0.4, 0.4], [0, 1, 0, 1]);
});

/** Labels that come true with the chance `truth` of a score. */
function simulate(rows: number, seed: number, truth: (score: number) => number) {
  const random = new SeededRandom(seed);
  const scores = Float64Array.from({ length: rows }, () => 0.02 + 0.96 * random.unit());
  return { scores, labels: scores.map((p) => random.unit() < truth(p) ? 1 : 0) };
}

Deno.test("the calibration error's interval holds the truth, calibrated or not (seeds 1 to 200)", () => {
  let missed = 0;
  for (let seed = 1; seed <= 100; seed++) {
    const right = simulate(2000, seed, (p) => p);
    const clean = calibrationError(right.scores, right.labels, { alpha: 0.05 });
    assertTrue(clean.value > 0.005, "noise alone shows an error");
    if (clean.lower > 0) missed++;
    // 0.1 too high everywhere: a true error of 0.1, but for scores below it.
    const off = simulate(2000, 100 + seed, (p) => p - Math.min(p, 0.1));
    const { lower, upper } = calibrationError(off.scores, off.labels, { alpha: 0.05 });
    const mean = off.scores.reduce((sum, p) => sum + Math.min(p, 0.1), 0) / 2000;
    if (lower > mean || upper < mean) missed++;
  }
  assertTrue(missed <= 10, `${missed} of 200 intervals missed`);
});

Deno.test("a calibrated model's error is about what chance shows", () => {
  const { scores, labels } = simulate(5000, 3, (p) => p);
  const { value, byChance } = calibrationError(scores, labels, { alpha: 0.05 });
  assertTrue(Math.abs(value - byChance) < 0.6 * byChance, `${value} beside ${byChance}`);
  assertEquals(calibrationError([], [], { alpha: 0.05 }).value, NaN);
});
