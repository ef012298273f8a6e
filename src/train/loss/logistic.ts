import type { Loss } from "./loss.ts";

/** Least hessian of a row: keeps a leaf's value finite where the model is sure. */
const HESSIAN_MIN = 1e-16;

/** The logistic loss of labels 0 and 1: log(1 + exp(s)) - y·s of the log odds s. */
export const logisticLoss: Loss = {
  startScore(labels) {
    let ones = 0;
    for (const label of labels) ones += label;
    return Math.log(ones / (labels.length - ones));
  },

  derivatives(scores, labels, gradient, hessian) {
    for (let i = 0; i < scores.length; i++) {
      const p = 1 / (1 + Math.exp(-scores[i]));
      gradient[i] = p - labels[i];
      hessian[i] = Math.max(p * (1 - p), HESSIAN_MIN);
    }
  },

  mean(scores, labels) {
    let sum = 0;
    for (let i = 0; i < scores.length; i++) {
      const s = scores[i];
      sum += Math.log1p(Math.exp(-Math.abs(s))) + Math.max(s, 0) - labels[i] * s;
    }
    return sum / scores.length;
  },
};
