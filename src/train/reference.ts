import { SerinError } from "../core/mod.ts";

/** A column of float32 values for a model's input. */
export interface NamedColumn {
  readonly name: string;
  readonly values: Float32Array;
}

/**
 * The runtime that will serve the model. A model is written only when it answers as the trainer does.
 */
export interface ReferenceRunner {
  /** @returns the probability of class 1 a row, or the predicted number */
  run(model: Uint8Array, columns: readonly NamedColumn[]): Promise<Float32Array>;
}

/** Largest difference of a probability; of a number, relative to its size where that is above 1. */
export const PARITY_TOLERANCE = 1e-6;

/** The rows that are compared at most. */
export const PARITY_ROWS_MAX = 50_000;

/**
 * Compares the trainer's predictions with the runtime's.
 *
 * @returns the largest difference found
 * @throws {SerinError} `internal` naming the first row that differs
 */
export async function checkParity(
  runner: ReferenceRunner,
  model: Uint8Array,
  columns: readonly NamedColumn[],
  expected: Float32Array,
): Promise<number> {
  const seen = await runner.run(model, columns);
  if (seen.length !== expected.length) {
    throw new SerinError(
      "internal",
      `The model gave ${seen.length} predictions for ${expected.length} rows`,
    );
  }
  let largest = 0;
  for (let row = 0; row < seen.length; row++) {
    const difference = Math.abs(seen[row] - expected[row]) / Math.max(1, Math.abs(expected[row]));
    if (!(difference <= PARITY_TOLERANCE)) {
      throw new SerinError(
        "internal",
        `The model is not written: onnxruntime gives ${seen[row]} for validation row ${row} and ` +
          `the trainer ${expected[row]}`,
        { hint: "this is a fault of serin's: please report it with the data and train.yaml" },
      );
    }
    largest = Math.max(largest, difference);
  }
  return largest;
}
