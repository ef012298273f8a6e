import { SerinError } from "../core/mod.ts";
import { checkAnswer } from "./answer.ts";
import { engineTurn } from "./engine_turn.ts";
import { type Feeds, warmingFeeds } from "./feeds.ts";
import { isEngineCrash, openOrtSession, type OrtSession } from "./ort_session.ts";
import type { NamedTensor, Signature } from "./tensor.ts";

/** How often a model is run before its first user: enough for the engine's code to have tiered up. */
const WARM_RUNS = 32;

/** A model file as the main isolate hands it over. */
export interface ModelFile {
  /** The name that callers use. */
  readonly model: string;
  /** The registered model's name; the same as `model` where there is none. */
  readonly registered: string;
  /** The registry's version, or "1" for a folder or file. */
  readonly version: string;
  readonly bytes: Uint8Array;
  /** Whether the model was made for missing values (the ONNX metadata `serin.missing_values`). */
  readonly missingAllowed: boolean;
}

/** Is told of one run, while the engine is held. */
export interface AttemptObserver {
  began(): void;
  /** @param durationMs without the wait for the engine; `failure` is undefined for an answer */
  ended(durationMs: number, failure: unknown): void;
}

/** One version of a model, loaded and ready to run. */
export class ServedModel implements AsyncDisposable {
  readonly model: string;
  readonly registered: string;
  readonly version: string;
  readonly signature: Signature;
  readonly #session: OrtSession;

  private constructor(file: ModelFile, session: OrtSession) {
    this.model = file.model;
    this.registered = file.registered;
    this.version = file.version;
    this.#session = session;
    const { inputs, outputs } = session;
    this.signature = { inputs, outputs, missingAllowed: file.missingAllowed };
  }

  /**
   * @throws {SerinError} `invalid_model` or `unsupported_model`, naming model and version
   */
  static async open(file: ModelFile): Promise<ServedModel> {
    try {
      return new ServedModel(file, await openOrtSession(file.bytes));
    } catch (thrown) {
      if (!(thrown instanceof SerinError)) throw thrown;
      const what = `${file.model} version ${file.version}: ${thrown.message}`;
      const { hint, details } = thrown;
      throw new SerinError(thrown.code, what, { hint, details, cause: thrown.cause });
    }
  }

  /**
   * Waits for the engine, and runs.
   *
   * @param attempt is told when it really begins and ends, before anything else may run
   * @returns the outputs, whole and finite
   * @throws {SerinError} `inference_failed`
   */
  run(feeds: Feeds, attempt?: AttemptObserver): Promise<NamedTensor[]> {
    return engineTurn(async () => {
      attempt?.began();
      const started = performance.now();
      let failure: unknown;
      try {
        const outputs = await this.#session.runInTurn(feeds.tensors);
        checkAnswer(outputs, feeds.rows);
        return outputs;
      } catch (thrown) {
        failure = thrown;
        throw thrown;
      } finally {
        attempt?.ended(performance.now() - started, failure);
      }
    });
  }

  /**
   * Runs the model before its first user: on recent requests of the version beside it where there
   * are some, else on zeros. A request that fails here is not the caller's, and does not matter.
   *
   * @throws {SerinError} where a run crashes the engine
   */
  async warm(recent: readonly Feeds[]): Promise<void> {
    const feeds = warmingFeeds(this.signature, recent);
    for (let i = 0; i < WARM_RUNS; i++) {
      await this.#session.run(feeds[i % feeds.length].tensors).catch((thrown) => {
        if (isEngineCrash(thrown)) throw thrown;
      });
      // Requests of the other versions, and pings, go between the runs.
      await new Promise((done) => setTimeout(done, 0));
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#session[Symbol.asyncDispose]();
  }
}
