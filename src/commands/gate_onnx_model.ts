import { SerinError, sha256Hex } from "../core/mod.ts";
import { type Dataset, sliceRows } from "../dataset/mod.ts";
import type { GateModel, Predictions } from "../gate/mod.ts";
import { readOutcome, ServedModel, toFeeds } from "../inference/mod.ts";
import { type ModelUri, namingPath, toModelFile } from "../serving/mod.ts";
import { readTraining } from "./model_training.ts";
import { checkColumns, type FetchedModel, inputsOf } from "./offline_model.ts";

/** Rows that are run at once. */
const BATCH_ROWS = 4096;

/** A fetched ONNX file as the gate judges it, run as `serin serve` runs it. */
export class OnnxGateModel implements GateModel, AsyncDisposable {
  readonly uri: string;
  readonly version: string | undefined;
  readonly sha256: string;
  readonly bytes: number;
  readonly trained: GateModel["trained"];
  readonly #model: ServedModel;
  readonly #source: string;

  private constructor(
    model: ServedModel,
    { uri, address, fetched, source }: OnnxGateModelOptions,
  ) {
    this.uri = uri;
    const isVersion = address.kind === "version" || address.kind === "alias";
    this.version = isVersion ? fetched.version : undefined;
    this.sha256 = sha256Hex(fetched.bytes);
    this.bytes = fetched.bytes.length;
    this.trained = readTraining(fetched.bytes);
    this.#model = model;
    this.#source = source;
  }

  /** @throws {SerinError} `invalid_model` or `unsupported_model`, naming the address */
  static async open(options: OnnxGateModelOptions): Promise<OnnxGateModel> {
    const { address, fetched: { name, version, bytes } } = options;
    const file = () => ServedModel.open(toModelFile(name, version, bytes));
    return new OnnxGateModel(await namingPath(address, file), options);
  }

  get inputs() {
    return this.#model.signature.inputs;
  }

  get outputs() {
    return this.#model.signature.outputs;
  }

  get missingAllowed() {
    return this.#model.signature.missingAllowed;
  }

  async predict(data: Dataset): Promise<Predictions> {
    const { signature } = this.#model;
    checkColumns(signature, data, `${this.#source} for ${this.uri}`);
    const scores = new Float32Array(data.rows), labels: (number | string)[] = [];
    let hasScores = true, hasLabels = true;
    for (let start = 0; start < data.rows; start += BATCH_ROWS) {
      const rows = sliceRows(data, start, start + BATCH_ROWS);
      const feeds = toFeeds(signature, inputsOf(signature, rows, start));
      const outputs = await this.#model.run(feeds).catch((thrown) => {
        throw atRow(thrown, start, this.uri);
      });
      const outcome = readOutcome(outputs, rows.rows);
      if (outcome.scores === undefined) hasScores = false;
      else scores.set(outcome.scores, start);
      if (outcome.labels === undefined) hasLabels = false;
      else for (const label of outcome.labels) labels.push(label);
    }
    return {
      scores: hasScores ? scores : undefined,
      labels: hasLabels ? labels : undefined,
    };
  }

  async answerRow(data: Dataset, row: number): Promise<number> {
    const { signature } = this.#model;
    const feeds = toFeeds(signature, inputsOf(signature, sliceRows(data, row, row + 1), row));
    let milliseconds = NaN;
    await this.#model.run(feeds, {
      began: () => {},
      ended: (durationMs) => milliseconds = durationMs,
    });
    return milliseconds;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#model[Symbol.asyncDispose]();
  }
}

/** What an {@linkcode OnnxGateModel} is made from. */
export interface OnnxGateModelOptions {
  /** As it was written. */
  readonly uri: string;
  readonly address: ModelUri;
  readonly fetched: FetchedModel;
  /** What the data are called in errors. */
  readonly source: string;
}

/** Names the row of the file, not of the batch. */
function atRow(thrown: unknown, start: number, uri: string): unknown {
  if (!(thrown instanceof SerinError)) return thrown;
  const { row, output, reason } = thrown.details ?? {};
  const what = reason === "non_finite" && typeof row === "number"
    ? `the output "${output}" is not finite in data row ${start + row} (counted from 0)`
    : thrown.message;
  return new SerinError(thrown.code, `${uri}: ${what}`, {
    hint: thrown.hint,
    details: thrown.details,
    cause: thrown,
  });
}
