import { assertClose, assertEquals, assertTrue } from "../testing/mod.ts";
import { SeededRandom } from "../core/mod.ts";
import { accuracy, auc, brier, expectedCalibrationError, logLoss, mae, rmse } from "./quality.ts";

Deno.test("auc: order, ties, reversal, one class", () => {
  assertEquals(auc([0.1, 0.4, 0.35, 0.8], [0, 0, 1, 1]), 0.75);
  assertEquals(auc([1, 1, 1, 1], [0, 1, 0, 1]), 0.5);
  assertEquals(auc([3, 2, 1], [0, 0, 1]), 0);
  assertTrue(Number.isNaN(auc([1, 2], [1, 1])), "one class has no AUC");
  assertTrue(Number.isNaN(auc([NaN, 2], [0, 1])), "NaN scores have no AUC");
});

Deno.test("auc equals the count over all pairs", () => {
  const random = new SeededRandom(5);
  const scores = Float64Array.from({ length: 300 }, () => Math.floor(random.unit() * 20) / 20);
  const labels = Uint8Array.from({ length: 300 }, () => random.unit() < 0.3 ? 1 : 0);
  let wins = 0, pairs = 0;
  for (let i = 0; i < 300; i++) {
    for (let j = 0; j < 300; j++) {
      if (labels[i] !== 1 || labels[j] !== 0) continue;
      pairs++;
      wins += scores[i] > scores[j] ? 1 : scores[i] === scores[j] ? 0.5 : 0;
    }
  }
  assertClose(auc(scores, labels), wins / pairs, 1e-12);
});

Deno.test("losses agree with values worked by hand", () => {
  assertClose(logLoss([0.9, 0.2], [1, 0]), -(Math.log(0.9) + Math.log(0.8)) / 2, 1e-15);
  assertClose(logLoss([1], [0]), 36.04365338911715, 1e-9, "clipped, not infinite");
  assertClose(brier([0.9, 0.2], [1, 0]), (0.01 + 0.04) / 2, 1e-15);
  assertEquals(accuracy([0.9, 0.2, 0.5], [1, 0, 0]), 2 / 3);
  assertEquals(accuracy([0.9, 0.2, 0.5], [1, 0, 0], 0.6), 1);
  assertClose(rmse([1, 5], [1, 2]), Math.sqrt(4.5), 1e-15);
  assertEquals(mae([1, 5], [1, 2]), 1.5);
  assertTrue(Number.isNaN(mae([], [])), "no rows, no number");
});

Deno.test("expected calibration error weighs bins by rows", () => {
  assertClose(expectedCalibrationError([0.1, 0.1, 0.9, 0.9], [0, 0, 1, 1], 10), 0.1, 1e-12);
  assertClose(expectedCalibrationError([0.5, 0.5], [0, 1], 10), 0, 1e-12);
  assertClose(expectedCalibrationError([1, 1, 1, 0], [0, 1, 1, 0], 10), 0.25, 1e-12);
});
