import type { Loss } from "./loss.ts";

/** Half the squared error: (s - y)² / 2. */
export const squaredLoss: Loss = {
  startScore(labels) {
    let sum = 0;
    for (const label of labels) sum += label;
    return sum / labels.length;
  },

  derivatives(scores, labels, gradient, hessian) {
    for (let i = 0; i < scores.length; i++) gradient[i] = scores[i] - labels[i];
    hessian.fill(1);
  },

  mean(scores, labels) {
    let sum = 0;
    for (let i = 0; i < scores.length; i++) sum += (scores[i] - labels[i]) ** 2;
    return sum / 2 / scores.length;
  },
};
