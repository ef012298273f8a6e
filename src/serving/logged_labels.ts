import type { LoggedLabel } from "../monitor/prediction_log/mod.ts";
import { readTokenNonce, TOKEN_NONCE_BYTES } from "../rollout/router/mod.ts";
import type { LabelsAnswer, LabelsRequest } from "../rollout/sync.ts";

/**
 * The labels that a prediction log keeps: those that the registry took, and those that it could hold
 * against no prediction because the token carries none (many rows, or a number instead of a class).
 *
 * @returns them one after another; a nonce is there until the next one is asked for
 */
export function* labelsToLog(
  { labels }: LabelsRequest,
  answer: LabelsAnswer,
): Generator<LoggedLabel> {
  const refused = new Set(
    answer.refused.filter(({ code }) => code !== "no_prediction").map(({ index }) => index),
  );
  const bytes = new Uint8Array(TOKEN_NONCE_BYTES);
  for (let i = 0; i < labels.length; i++) {
    const { prediction, row, label } = labels[i];
    const nonce = refused.has(i) ? undefined : readTokenNonce(prediction, bytes);
    if (nonce !== undefined) yield { nonce, row, label };
  }
}
