import type { TreeEnsemble } from "./tree_ensemble.ts";

/** Rows with known labels, by column. */
export interface LabelledRows {
  readonly rows: number;
  /** One float32 array a feature; NaN is missing. */
  readonly features: readonly Float32Array[];
  /** 0 or 1, or the number to predict. */
  readonly labels: Float64Array;
}

/** What a trainer gives back. */
export interface Fitted {
  readonly ensemble: TreeEnsemble;
  /** Mean validation loss after each round that was run; empty without validation rows. */
  readonly validationLosses: readonly number[];
  /** Trees kept: the round of the least validation loss, counted from 1. */
  readonly bestRound: number;
}

/** Called after each boosting round, counted from 1. */
export type OnRound = (round: number, validationLoss: number | undefined) => void;

/** Fits a model to rows. Pure and deterministic: the same rows and settings give the same model. */
export interface Trainer {
  fit(train: LabelledRows, validation: LabelledRows, onRound?: OnRound): Fitted;
}
