/** Callers of a served model, and what they were told. */
import type { Json, Served } from "./workbench.ts";

/** An answered request: what it predicted, and the token that labels it. */
export interface Predicted {
  readonly prediction: string;
  readonly label: number;
  readonly version: string;
}

/** How {@linkcode Traffic} calls. */
export interface TrafficOptions {
  readonly connections?: number;
  /** The part of requests whose `b` is above 0.9; default none. */
  readonly high?: number;
  /** What turns out to be true of a prediction; without it nothing is labelled. */
  readonly truth?: (predicted: Predicted) => number;
}

/** Calls a model with columns `a` and `b` on some connections until it is stopped. */
export class Traffic implements AsyncDisposable {
  readonly answered: Predicted[] = [];
  /** Each failure in words: a status and its body, or why there was no answer. */
  readonly failures: string[] = [];
  readonly #running: Promise<unknown>;
  #stopped = false;

  constructor(served: Served, model: string, options: TrafficOptions = {}) {
    const { connections = 4, high = 0, truth } = options;
    this.#running = Promise.all(Array.from({ length: connections }, async () => {
      while (!this.#stopped) {
        const predicted = await this.#call(served, model, high);
        if (predicted !== undefined && truth !== undefined) {
          const { prediction } = predicted;
          await served.label([{ prediction, label: truth(predicted) }]).catch(() => {});
        }
      }
    }));
  }

  /** Lets what is in flight be answered. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#running;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  async #call(served: Served, model: string, high: number): Promise<Predicted | undefined> {
    const b = Math.random() < high ? 0.95 : Math.random() * 0.9;
    try {
      const { status, text, json } = await served.infer(model, { a: [Math.random()], b: [b] });
      if (status !== 200) {
        this.failures.push(`${status}: ${text}`);
        return undefined;
      }
      const predicted = {
        prediction: json.parameters.serin_prediction,
        label: json.outputs.find((output: Json) => output.name === "label").data[0],
        version: json.model_version,
      };
      this.answered.push(predicted);
      return predicted;
    } catch (thrown) {
      this.failures.push(String(thrown));
    }
  }
}
