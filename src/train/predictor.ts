import type { Calibration } from "./platt.ts";
import { ensembleScores, type TreeEnsemble } from "./tree_ensemble.ts";

/** A fitted model that answers in process, with the same float32 steps as its ONNX graph. */
export class Predictor {
  /** The columns that it takes, in this order. */
  readonly features: readonly string[];
  readonly ensemble: TreeEnsemble;
  readonly objective: "binary" | "regression";
  readonly calibration: Calibration | undefined;

  constructor(parts: {
    readonly features: readonly string[];
    readonly ensemble: TreeEnsemble;
    readonly objective: "binary" | "regression";
    readonly calibration?: Calibration;
  }) {
    this.features = parts.features;
    this.ensemble = parts.ensemble;
    this.objective = parts.objective;
    this.calibration = parts.calibration;
  }

  /**
   * @param columns one float32 array a feature, in the order of `features`; NaN is missing
   * @param rows their length
   * @returns the probability of class 1 a row, or the predicted number
   */
  predict(columns: readonly Float32Array[], rows: number): Float32Array<ArrayBuffer> {
    return this.fromScores(ensembleScores(this.ensemble, columns, rows));
  }

  /** Turns the ensemble's raw scores into predictions. */
  fromScores(scores: Float32Array): Float32Array<ArrayBuffer> {
    if (this.objective === "regression") return scores.slice();
    const { slope, offset } = this.calibration ?? { slope: 1, offset: 0 };
    return Float32Array.from(scores, (score) => {
      const z = Math.fround(Math.fround(score * slope) + offset);
      return 1 / (1 + Math.exp(-z));
    });
  }
}
