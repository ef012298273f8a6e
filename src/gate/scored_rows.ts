import { SerinError } from "../core/mod.ts";
import type { GateModel, Predictions } from "./gate_model.ts";
import type { Class, Truth } from "./truth.ts";

/** A model's answers in the terms of the metrics. */
export interface ScoredRows {
  /** Probability of the positive class, or the predicted value, a row. */
  readonly scores: Float64Array;
  /** 1 where the answered class is the true one, a row; all 0 for a regression. */
  readonly hits: Uint8Array;
}

/**
 * Puts a model's answers and the truth side by side.
 *
 * @param role for errors: "candidate" or "champion"
 * @throws {SerinError} `unsupported_model` where there are no scores, `invalid_data` for classes that
 *   the target does not have, `inference_failed` for what is no probability
 */
export function scoreRows(
  role: string,
  model: Pick<GateModel, "uri" | "trained">,
  predictions: Predictions,
  truth: Truth,
): ScoredRows {
  const { scores, labels } = predictions;
  const who = `The ${role} ${model.uri}`;
  if (scores === undefined) {
    throw new SerinError("unsupported_model", `${who} answers no probability or number`, {
      hint: "export it with an output of one value a row, or of two probabilities a row",
    });
  }
  const { classes, values } = truth;
  refuseUnfit(who, scores, classes !== undefined);
  if (classes === undefined) {
    return { scores: Float64Array.from(scores), hits: new Uint8Array(values.length) };
  }
  checkClasses(who, model.trained.classes, classes);
  if (labels === undefined) {
    const hits = Uint8Array.from(values, (y, row) => (scores[row] >= 0.5) === (y === 1) ? 1 : 0);
    return { scores: Float64Array.from(scores), hits };
  }
  checkClasses(who, [...new Set(labels)], classes);
  const scored = model.trained.classes?.[1] ?? scoredClass(labels, scores, classes);
  const isPositive = String(scored) === String(classes[1]);
  return {
    scores: Float64Array.from(scores, (p) => isPositive ? p : 1 - p),
    hits: Uint8Array.from(values, (y, row) => String(labels[row]) === String(classes[y]) ? 1 : 0),
  };
}

function refuseUnfit(who: string, scores: ArrayLike<number>, isProbability: boolean): void {
  for (let row = 0; row < scores.length; row++) {
    const score = scores[row];
    if (isProbability ? score >= 0 && score <= 1 : Number.isFinite(score)) continue;
    const what = isProbability ? "is no probability" : "is no finite number";
    throw new SerinError(
      "inference_failed",
      `${who} answers ${score} in data row ${row} (counted from 0), which ${what}`,
      {
        hint: isProbability
          ? "export the model so that it answers probabilities, 0 to 1"
          : "look for a logarithm, a root or a division that this row's values do not allow",
        details: { row },
      },
    );
  }
}

/** Every class that a model knows must be one of the target's. */
function checkClasses(
  who: string,
  known: readonly Class[] | undefined,
  classes: readonly [Class, Class],
): void {
  const foreign = (known ?? []).filter((one) => !classes.some((c) => String(c) === String(one)));
  if (foreign.length === 0) return;
  const show = (values: readonly Class[]) => values.map((v) => JSON.stringify(v)).join(" and ");
  throw new SerinError(
    "invalid_data",
    `${who} predicts ${show(known!.slice(0, 6))}, the target has ${show(classes)}`,
    { hint: "check the column of target:, and that both come from the same coding of the classes" },
  );
}

/** The class that the scores are the probability of: the one answered where they are high. */
function scoredClass(
  labels: readonly Class[],
  scores: ArrayLike<number>,
  [negative, positive]: readonly [Class, Class],
): Class {
  const sum = [0, 0], count = [0, 0];
  labels.forEach((label, row) => {
    const side = String(label) === String(positive) ? 1 : 0;
    sum[side] += scores[row];
    count[side]++;
  });
  if (count[0] === 0) return sum[1] / count[1] >= 0.5 ? positive : negative;
  if (count[1] === 0) return sum[0] / count[0] >= 0.5 ? negative : positive;
  return sum[1] / count[1] >= sum[0] / count[0] ? positive : negative;
}
