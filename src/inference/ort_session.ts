import { assert, messageOf, SerinError } from "../core/mod.ts";
import { engineTurn, loseEngine } from "./engine_turn.ts";
import "./hide_location.ts";
// @ts-types="./ort.d.ts"
import * as ort from "./vendor/ort.mjs";
import type { Datatype, NamedTensor, TensorData, TensorSpec } from "./tensor.ts";

const DATATYPE_OF: Record<string, Datatype> = {
  bool: "BOOL",
  uint8: "UINT8",
  int8: "INT8",
  int16: "INT16",
  uint16: "UINT16",
  int32: "INT32",
  uint32: "UINT32",
  int64: "INT64",
  uint64: "UINT64",
  float32: "FP32",
  float64: "FP64",
  string: "BYTES",
};
/** The engine does not write to the log itself: what it throws says the same, once. */
const QUIET = { logSeverityLevel: 4 } as const;
const TYPE_OF = Object.fromEntries(Object.entries(DATATYPE_OF).map(([type, name]) => [name, type]));

/**
 * The `details.reason` of an error after which the engine's Wasm cannot be trusted: every session of
 * this isolate is lost with it.
 */
const ENGINE_CRASH = "engine_crash";

/** onnxruntime's Wasm, given once before the first session of an isolate. */
export function configureOrt(wasm: ArrayBufferLike): void {
  ort.env.logLevel = "error";
  ort.env.wasm.numThreads = 1;
  ort.env.wasm.wasmBinary = wasm;
}

/**
 * Reads onnxruntime's Wasm, which is embedded in the executable. Needs read permission; data
 * isolates have none and are handed the bytes.
 */
export function readOrtWasm(): ArrayBuffer {
  const path = new URL("./vendor/ort.wasm.bin", import.meta.url);
  return Deno.readFileSync(path).buffer;
}

/**
 * A model that onnxruntime-web has loaded. One isolate runs it on one thread; a further isolate has
 * a session of its own.
 */
export class OrtSession implements AsyncDisposable {
  readonly inputs: readonly TensorSpec[];
  readonly outputs: readonly TensorSpec[];
  readonly #session: ort.InferenceSession;

  constructor(session: ort.InferenceSession) {
    this.#session = session;
    this.inputs = session.inputMetadata.map((value) => toSpec(value, "input"));
    this.outputs = session.outputMetadata.map((value) => toSpec(value, "output"));
  }

  /**
   * Waits for its turn and runs.
   *
   * @param feeds a tensor for each input
   * @returns a tensor for each output, in the model's order
   * @throws {SerinError} `inference_failed` with what the engine said
   */
  run(feeds: readonly NamedTensor[]): Promise<NamedTensor[]> {
    return engineTurn(() => this.runInTurn(feeds));
  }

  /** As {@linkcode OrtSession.run}, for a caller who has the turn (`engineTurn`). */
  async runInTurn(feeds: readonly NamedTensor[]): Promise<NamedTensor[]> {
    const given: Record<string, ort.Tensor> = {};
    for (const { name, datatype, shape, data } of feeds) {
      given[name] = new ort.Tensor(TYPE_OF[datatype], data as ArrayLike<unknown>, shape);
    }
    let results: Record<string, ort.Tensor>;
    try {
      results = await this.#session.run(given, QUIET);
    } catch (cause) {
      throw new SerinError("inference_failed", `The model failed: ${messageOf(cause)}`, {
        hint: "run the model on this request's values with onnxruntime to see where it fails",
        cause,
        details: { reason: lostBy(cause) ? ENGINE_CRASH : "exception" },
      });
    }
    return this.outputs.map(({ name }) => {
      const tensor = results[name];
      assert(tensor !== undefined, `the session gave no output "${name}"`);
      const datatype = DATATYPE_OF[tensor.type];
      return { name, datatype, shape: tensor.dims, data: tensor.data as TensorData };
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await engineTurn(() => this.#session.release());
  }
}

/**
 * Loads an ONNX model into onnxruntime-web. {@linkcode configureOrt} comes first.
 *
 * @throws {SerinError} `invalid_model` for bytes that are no whole model, `unsupported_model` for an
 *   operator or a type that the engine cannot run
 */
export async function openOrtSession(model: Uint8Array): Promise<OrtSession> {
  let session: ort.InferenceSession;
  try {
    const options = { executionProviders: ["wasm"], ...QUIET };
    session = await engineTurn(() => ort.InferenceSession.create(model, options));
  } catch (cause) {
    if (cause instanceof SerinError) throw cause;
    if (lostBy(cause)) {
      const what = `The model crashes the engine when it is loaded: ${messageOf(cause)}`;
      throw new SerinError("unsupported_model", what, {
        hint: "it may need more memory than there is: try it with onnxruntime",
        cause,
        details: { reason: ENGINE_CRASH },
      });
    }
    throw loadError(messageOf(cause), cause);
  }
  return new OrtSession(session);
}

/** @returns whether the engine is lost by it; then nothing runs on it any more */
function lostBy(cause: unknown): boolean {
  const crashed = cause instanceof WebAssembly.RuntimeError ||
    /\bAborted\(/.test(messageOf(cause));
  if (crashed) loseEngine();
  return crashed;
}

/** @returns whether an error of this isolate's engine means that the isolate must be replaced */
export function isEngineCrash(thrown: unknown): boolean {
  return thrown instanceof SerinError && thrown.details?.reason === ENGINE_CRASH;
}

function loadError(text: string, cause: unknown): SerinError {
  const clean = text.replace(/^.*ERROR_MESSAGE: /s, "").trim();
  if (
    /NOT_IMPLEMENTED|Could not find an implementation|No op registered|not a registered/i.test(text)
  ) {
    return new SerinError("unsupported_model", `The model cannot run here: ${clean}`, {
      hint: "export it with operators of ONNX opset 21 or older and ai.onnx.ml 3 or 5",
      cause,
    });
  }
  return new SerinError("invalid_model", `The model cannot be loaded: ${clean}`, {
    hint: "the file may be truncated or no ONNX model: check its digest and export it again",
    cause,
  });
}

function toSpec(value: ort.ValueMetadata, role: string): TensorSpec {
  const datatype = value.isTensor ? DATATYPE_OF[value.type ?? ""] : undefined;
  if (datatype === undefined) {
    const seen = value.isTensor ? `the type ${value.type}` : "a sequence or map";
    throw new SerinError("unsupported_model", `The model's ${role} "${value.name}" has ${seen}`, {
      hint: "export the model with tensors only (scikit-learn: zipmap=False)",
    });
  }
  const shape = (value.shape ?? []).map((d) => typeof d === "number" && d >= 0 ? d : -1);
  return { name: value.name, datatype, shape };
}
