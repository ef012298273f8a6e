import {
  accuracy,
  auc,
  brier,
  expectedCalibrationError,
  logLoss,
  mae,
  type QualityMetric,
  rmse,
} from "../statistics/mod.ts";

/** Numbers by name; null where one is not defined (AUC of one class). */
export type Metrics = Readonly<Record<string, number | null>>;

/** `evaluation.json`: what is known of a model's quality. */
export interface Evaluation {
  readonly objective: "binary" | "regression";
  readonly target: string;
  /** The two classes, the one that is predicted last; null for regression. */
  readonly classes: readonly (number | string)[] | null;
  /** Rows of each part. */
  readonly rows: { readonly train: number; readonly validation: number; readonly test: number };
  /** The part that `metrics` are from: the last one that has rows. */
  readonly evaluated_on: "test" | "validation" | "train";
  readonly metrics: Metrics;
  /** The same on the validation part, which chose the number of trees and the calibration. */
  readonly validation: Metrics | null;
  readonly trees: number;
  readonly calibration:
    | { readonly method: "none"; readonly reason?: string }
    | { readonly method: "platt"; readonly slope: number; readonly offset: number };
  /** Largest difference between trainer and onnxruntime. */
  readonly parity_difference: number;
  readonly dataset_digest: string;
}

const BINARY = {
  auc,
  log_loss: logLoss,
  brier,
  accuracy: (scores, labels) => accuracy(scores, labels),
  ece: (scores, labels) => expectedCalibrationError(scores, labels),
  base_rate: (_, labels) => meanOf(labels),
} as const satisfies Record<string, QualityMetric>;

const REGRESSION = {
  rmse,
  mae,
  r2: (scores, labels) => {
    const mean = meanOf(labels);
    let total = 0, rest = 0;
    for (let i = 0; i < labels.length; i++) {
      total += (labels[i] - mean) ** 2;
      rest += (labels[i] - scores[i]) ** 2;
    }
    return total > 0 ? 1 - rest / total : NaN;
  },
} as const satisfies Record<string, QualityMetric>;

/**
 * How good predictions are. Binary: `auc`, `log_loss` (nats), `brier`, `accuracy`, `ece`, `base_rate`;
 * regression: `rmse` and `mae` in the target's unit, `r2`; and `rows`.
 */
export function evaluate(
  objective: "binary" | "regression",
  predictions: Float32Array,
  labels: Float64Array,
): Metrics {
  const table: Record<string, QualityMetric> = objective === "binary" ? BINARY : REGRESSION;
  const metrics: Record<string, number | null> = {};
  for (const [name, metric] of Object.entries(table)) {
    const value = metric(predictions, labels);
    metrics[name] = Number.isFinite(value) ? value : null;
  }
  return { ...metrics, rows: labels.length };
}

function meanOf(values: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i];
  return sum / values.length;
}
