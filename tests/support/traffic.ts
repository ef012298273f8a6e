/** Callers of a served model, and what they were told. */
import type { Json, Served } from "./workbench.ts";

/** An answered request: what it predicted, and the token that labels it. */
export interface Predicted {
  readonly prediction: string;
  readonly label: number;
  readonly version: string;
}

/** Calls a model with columns `a` and `b` on some connections until it is stopped. */
export class Traffic implements AsyncDisposable {
  readonly answered: Predicted[] = [];
  /** Each failure in words: a status and its body, or why there was no answer. */
  readonly failures: string[] = [];
  readonly #running: Promise<unknown>;
  #stopped = false;

  /** @param high the part of requests whose `b` is above 0.9 */
  constructor(served: Served, model: string, { connections = 4, high = 0 } = {}) {
    this.#running = Promise.all(Array.from({ length: connections }, async () => {
      while (!this.#stopped) await this.#call(served, model, high);
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

  async #call(served: Served, model: string, high: number): Promise<void> {
    const b = Math.random() < high ? 0.95 : Math.random() * 0.9;
    try {
      const { status, text, json } = await served.infer(model, { a: [Math.random()], b: [b] });
      if (status !== 200) return void this.failures.push(`${status}: ${text}`);
      this.answered.push({
        prediction: json.parameters.serin_prediction,
        label: json.outputs.find((output: Json) => output.name === "label").data[0],
        version: json.model_version,
      });
    } catch (thrown) {
      this.failures.push(String(thrown));
    }
  }
}
