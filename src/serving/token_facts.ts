import type { PredictionFacts } from "../api/inference/mod.ts";
import type { TokenPrediction, TokenSealer } from "../rollout/router/mod.ts";

/** @returns the sealed token of a prediction; undefined when not even the names fit */
export function sealPrediction(sealer: TokenSealer, facts: PredictionFacts): string | undefined {
  const { model, version, draw, rows, time, outcome } = facts;
  return sealer.seal({
    model,
    version,
    rollout: draw.assignment?.rollout,
    step: draw.assignment?.step ?? 0,
    arm: draw.arm,
    time,
    keyHash: draw.keyHash,
    rows,
    predictions: toPredictions(outcome),
  });
}

function toPredictions(
  { labels, scores }: PredictionFacts["outcome"],
): TokenPrediction[] | undefined {
  if (labels === undefined) return undefined;
  return labels.map((label, row) => {
    if (scores === undefined) return { label };
    // Of two classes, the predicted one is the likelier.
    return { label, probability: Math.max(scores[row], 1 - scores[row]) };
  });
}
