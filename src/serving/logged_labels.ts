import type { LoggedLabel } from "../monitor/prediction_log/mod.ts";
import { readTokenNonce } from "../rollout/router/mod.ts";
import type { LabelsAnswer, LabelsRequest } from "../rollout/sync.ts";

/**
 * The labels that a prediction log keeps: those that the registry took, and those that it could hold
 * against no prediction because the token carries none (many rows, or a number instead of a class).
 */
export function labelsToLog({ labels }: LabelsRequest, answer: LabelsAnswer): LoggedLabel[] {
  const refused = new Set(
    answer.refused.filter(({ code }) => code !== "no_prediction").map(({ index }) => index),
  );
  const logged: LoggedLabel[] = [];
  labels.forEach(({ prediction, row, label }, index) => {
    const nonce = refused.has(index) ? undefined : readTokenNonce(prediction);
    if (nonce !== undefined) logged.push({ nonce, row, label });
  });
  return logged;
}
