import { SerinError } from "../core/mod.ts";
import type { NamedTensor } from "./tensor.ts";

/** What an answer says of each row, in the terms that labels and metrics need. */
export interface Outcome {
  /** The predicted class a row; undefined for a model that gives no classes. */
  readonly labels: readonly (number | string)[] | undefined;
  /** Probability of the second class, or the predicted value, a row; undefined if neither is there. */
  readonly scores: Float32Array | undefined;
}

/**
 * Refuses answers that nobody can use.
 *
 * @throws {SerinError} `inference_failed` for an output that is not finite or has too few rows
 */
export function checkAnswer(outputs: readonly NamedTensor[], rows: number): void {
  for (const { name, shape, data } of outputs) {
    if (shape.length > 0 && shape[0] !== rows) {
      throw new SerinError(
        "inference_failed",
        `The model's output "${name}" has ${shape[0]} rows for a request of ${rows}`,
        { hint: "export the model so that each output's first dimension is that of its inputs" },
      );
    }
    if (!(data instanceof Float32Array || data instanceof Float64Array)) continue;
    for (let i = 0; i < data.length; i++) {
      if (Number.isFinite(data[i])) continue;
      const row = shape.length > 0 ? Math.floor(i * rows / data.length) : 0;
      const what = `The model's output "${name}" holds ${data[i]} in row ${row}`;
      throw new SerinError("inference_failed", what, {
        hint: "look for a logarithm, a root or a division that this row's values do not allow",
        details: { output: name, row, reason: "non_finite" },
      });
    }
  }
}

/**
 * Finds label and score among a model's outputs: the label is the first whole-number or text output
 * with one value a row, the score the first floating one with one value a row, or the second column
 * of one with two (ONNX classifiers: `label`, `probabilities`).
 */
export function readOutcome(outputs: readonly NamedTensor[], rows: number): Outcome {
  let labels: (number | string)[] | undefined;
  let scores: Float32Array | undefined;
  for (const { data } of outputs) {
    if (data instanceof Float32Array || data instanceof Float64Array) {
      scores ??= readScores(data, rows);
    } else if (labels === undefined && data.length === rows) {
      labels = Array.isArray(data) ? data : Array.from(data as ArrayLike<number | bigint>, Number);
    }
  }
  return { labels, scores };
}

function readScores(data: Float32Array | Float64Array, rows: number): Float32Array | undefined {
  if (data.length === rows) return Float32Array.from(data);
  if (data.length !== 2 * rows) return undefined;
  const scores = new Float32Array(rows);
  for (let i = 0; i < rows; i++) scores[i] = data[2 * i + 1];
  return scores;
}
