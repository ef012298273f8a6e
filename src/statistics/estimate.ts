/** What is said of a number that rows of data estimate. */
export interface Estimate {
  readonly value: number;
  /** The interval that was asked for; may be infinite where the data say nothing. */
  readonly lower: number;
  readonly upper: number;
}

/** A difference (candidate less champion) on the same rows, with its two-sided p-value for 0. */
export interface PairedDifference extends Estimate {
  /** Chance of a difference as far from 0 if the two were equal. */
  readonly p: number;
  /** Standard deviation a row: the standard error times the root of the rows; for sample sizes. */
  readonly deviation: number;
}
