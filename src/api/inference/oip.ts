import { z } from "zod";
import { SerinError, VERSION } from "../../core/mod.ts";
import {
  DATATYPES,
  type GivenInput,
  type NamedTensor,
  type ServedModel,
  type Signature,
  sizeOf,
  type TensorSpec,
} from "../../inference/mod.ts";
import type { InferenceAnswer } from "./data_plane.ts";

/** Open Inference Protocol v2, REST (kserve/open-inference-protocol, inference_rest.yaml). */

const parameters = z.record(z.string(), z.unknown());

const inferSchema = z.object({
  id: z.string().optional(),
  parameters: parameters.optional(),
  inputs: z.array(z.object({
    name: z.string(),
    shape: z.array(z.int().min(0)).min(1).max(8),
    datatype: z.enum(DATATYPES),
    parameters: parameters.optional(),
    data: z.array(z.unknown()),
  })).min(1),
  outputs: z.array(z.object({ name: z.string(), parameters: parameters.optional() })).optional(),
});

/** A parsed inference request. */
export interface OipRequest {
  readonly id: string | undefined;
  readonly inputs: GivenInput[];
  /** Names of the outputs that are wanted; undefined for all. */
  readonly outputs: readonly string[] | undefined;
}

/**
 * @param body the request's JSON
 * @throws {SerinError} `invalid_input` with every problem found
 */
export function parseOipRequest(body: unknown): OipRequest {
  const parsed = inferSchema.safeParse(body);
  if (!parsed.success) throw invalidRequest(parsed.error.issues);
  const inputs = parsed.data.inputs.map(({ name, shape, datatype, data, parameters }) => {
    if (parameters?.binary_data_size !== undefined) throw binaryData(name);
    const values = data.some(Array.isArray) ? data.flat(8) : data;
    if (values.length !== sizeOf(shape)) {
      throw new SerinError(
        "invalid_input",
        `Input "${name}" has ${values.length} values, its shape [${shape}] asks for ${
          sizeOf(shape)
        }`,
      );
    }
    return { name, datatype, shape, values };
  });
  return { id: parsed.data.id, inputs, outputs: parsed.data.outputs?.map(({ name }) => name) };
}

/**
 * @param wanted names of outputs; undefined for all
 * @throws {SerinError} `invalid_input` for an output that the model does not have
 */
export function checkOutputs(signature: Signature, wanted: readonly string[] | undefined): void {
  const names = signature.outputs.map(({ name }) => name);
  const unknown = wanted?.find((name) => !names.includes(name));
  if (unknown === undefined) return;
  throw new SerinError("invalid_input", `The model has no output "${unknown}"`, {
    hint: `its outputs: ${names.join(", ")}`,
  });
}

/** @param wanted names of outputs, checked before; undefined for all */
export function formatOipAnswer(
  model: string,
  answer: InferenceAnswer,
  id: string | undefined,
  wanted: readonly string[] | undefined,
): Record<string, unknown> {
  const outputs = wanted === undefined
    ? answer.outputs
    : wanted.map((name) => answer.outputs.find((output) => output.name === name)!);
  return {
    model_name: model,
    model_version: answer.version,
    ...(id === undefined ? {} : { id }),
    ...(answer.token === undefined ? {} : { parameters: { serin_prediction: answer.token } }),
    outputs: outputs.map(({ name, datatype, shape, data }) => ({
      name,
      datatype,
      shape,
      data: toJson(data),
    })),
  };
}

/** `GET /v2` */
export function serverMetadata(): Record<string, unknown> {
  return { name: "serin", version: VERSION, extensions: [] };
}

/** `GET /v2/models/NAME` */
export function modelMetadata(served: ServedModel, versions: readonly string[]) {
  const tensor = ({ name, datatype, shape }: TensorSpec) => ({ name, datatype, shape });
  return {
    name: served.model,
    versions,
    platform: "onnx_onnxruntime",
    inputs: served.signature.inputs.map(tensor),
    outputs: served.signature.outputs.map(tensor),
  };
}

/** @returns values as JSON has them; 64-bit integers as numbers, as the protocol's clients expect */
export function toJson(data: NamedTensor["data"]): unknown[] {
  if (Array.isArray(data)) return data;
  if (data instanceof BigInt64Array || data instanceof BigUint64Array) {
    return Array.from(data, Number);
  }
  return Array.from(data as Float32Array);
}

function invalidRequest(issues: readonly z.core.$ZodIssue[]): SerinError {
  const problems = issues.slice(0, 10).map((issue) => `${issue.path.join(".")}: ${issue.message}`);
  return new SerinError("invalid_input", `No inference request: ${problems.join("; ")}`, {
    hint: 'the body is {"inputs":[{"name","shape","datatype","data"}…]}',
  });
}

function binaryData(name: string): SerinError {
  return new SerinError(
    "unsupported_media_type",
    `Input "${name}" is sent as binary data, which this version of serin does not read`,
    { hint: "send JSON (tritonclient: set_data_from_numpy(…, binary_data=False))" },
  );
}
