/** What boosting makes small. Scores are raw: log odds, or the predicted number. */
export interface Loss {
  /** The constant score of least loss over these labels. */
  startScore(labels: Float64Array): number;
  /** First and second derivative of each row's loss by its score; the second is above 0. */
  derivatives(
    scores: Float64Array,
    labels: Float64Array,
    gradient: Float64Array,
    hessian: Float64Array,
  ): void;
  /** Mean loss of a row. */
  mean(scores: ArrayLike<number>, labels: ArrayLike<number>): number;
}
