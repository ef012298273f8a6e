import type { Dataset } from "../dataset/mod.ts";

/** An input or output as a model declares it. */
export interface TensorContract {
  readonly name: string;
  /** As the Open Inference Protocol has it, e.g. `FP32`. */
  readonly datatype: string;
  /** Rows first; -1 stands for any size. */
  readonly shape: readonly number[];
}

/** What a model says of each row. */
export interface Predictions {
  /** The class that is answered, a row; undefined for a model that answers none. */
  readonly labels: readonly (number | string)[] | undefined;
  /** Probability of the second class, or the predicted value, a row. */
  readonly scores: ArrayLike<number> | undefined;
}

/** A model as the gate needs it; the engine behind it is given. */
export interface GateModel {
  /** As the command line named it. */
  readonly uri: string;
  /** The registry's number, where the model is a version. */
  readonly version: string | undefined;
  readonly sha256: string;
  readonly bytes: number;
  readonly inputs: readonly TensorContract[];
  readonly outputs: readonly TensorContract[];
  /** Whether it takes rows with missing values. */
  readonly missingAllowed: boolean;
  /** What it says of its training; undefined for what it does not say. */
  readonly trained: {
    readonly objective?: string | undefined;
    readonly target?: string | undefined;
    /** Two classes, the one whose probability is given last. */
    readonly classes?: readonly (number | string)[] | undefined;
    /** Digest of the data that it was trained from. */
    readonly dataset?: string | undefined;
  };
  /** @throws {SerinError} where it lacks a column, or fails or answers NaN on a row */
  predict(data: Dataset): Promise<Predictions>;
  /** Answers one row, as for a request of its own. @returns milliseconds */
  answerRow(data: Dataset, row: number): Promise<number>;
}
