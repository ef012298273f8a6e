import { assertClose } from "../../testing/mod.ts";
import { logisticLoss } from "./logistic.ts";
import type { Loss } from "./loss.ts";
import { squaredLoss } from "./squared.ts";

/** Compares derivatives with differences of the mean loss, and the start score with its neighbours. */
function checkLoss(loss: Loss, labels: number[], scores: number[]): void {
  const y = Float64Array.from(labels), s = Float64Array.from(scores), n = y.length;
  const gradient = new Float64Array(n), hessian = new Float64Array(n), step = 1e-4;
  loss.derivatives(s, y, gradient, hessian);
  for (let i = 0; i < n; i++) {
    const at = (delta: number) => loss.mean([s[i] + delta], [y[i]]);
    assertClose(gradient[i], (at(step) - at(-step)) / (2 * step), 1e-6, `gradient ${i}`);
    const second = (at(step) - 2 * at(0) + at(-step)) / step ** 2;
    assertClose(hessian[i], second, 1e-5, `hessian ${i}`);
  }
  const start = loss.startScore(y), constant = (score: number) => loss.mean(y.map(() => score), y);
  for (const delta of [-0.01, 0.01]) {
    assertClose(Math.min(constant(start + delta), constant(start)), constant(start), 0, "start");
  }
}

Deno.test("logistic: derivatives and start", () => {
  checkLoss(logisticLoss, [0, 1, 1, 0, 1], [-3, -0.5, 0, 1, 4]);
});

Deno.test("squared: derivatives and start", () => {
  checkLoss(squaredLoss, [0, 1.5, -7, 3], [-3, 2, 0, 1]);
});

Deno.test("logistic: finite for scores without measure", () => {
  assertClose(logisticLoss.mean([800, -800], [1, 0]), 0, 1e-12);
  assertClose(logisticLoss.mean([800, -800], [0, 1]), 800, 1e-9);
});
