import type { AnsweredRequest } from "../api/inference/mod.ts";
import type { Random } from "../core/mod.ts";
import type { LoggedInput } from "../monitor/prediction_log/mod.ts";
import { PredictionRecorder } from "../monitor/prediction_log/prediction_recorder.ts";
import { readTokenNonce, TOKEN_NONCE_BYTES } from "../rollout/router/mod.ts";
import type { FromIsolate } from "./messages.ts";

/** Hands what a data isolate answered to the main isolate, which logs it. */
export class AnswerRecorder {
  readonly #recorder: PredictionRecorder;
  /** Of the answer that is recorded: the recorder copies it. */
  readonly #nonce = new Uint8Array(TOKEN_NONCE_BYTES);

  private constructor(recorder: PredictionRecorder) {
    this.#recorder = recorder;
  }

  /** @returns undefined where nothing is logged */
  static open(
    rate: number | undefined,
    random: Random,
    to: { postMessage(message: FromIsolate, transfer?: Transferable[]): void },
  ): AnswerRecorder | undefined {
    if (rate === undefined) return undefined;
    return new AnswerRecorder(
      new PredictionRecorder({
        rate,
        random,
        post: (recorded) => {
          // Given away: nothing is copied.
          const buffers = recorded.blocks.map(({ bytes }) => bytes.buffer);
          to.postMessage({ type: "predictions", recorded }, buffers);
        },
      }),
    );
  }

  record({ served, draw, feeds, outcome, time, token }: AnsweredRequest): void {
    this.#recorder.record({
      model: served.registered,
      version: served.version,
      arm: draw.arm,
      time,
      nonce: token === undefined ? undefined : readTokenNonce(token, this.#nonce),
      rows: feeds.rows,
      inputs: feeds.tensors as readonly LoggedInput[],
      labels: outcome.labels,
      scores: outcome.scores,
    });
  }

  flush(): void {
    this.#recorder.flush();
  }

  taken(bytes: number): void {
    this.#recorder.taken(bytes);
  }
}
