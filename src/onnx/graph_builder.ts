import { assert, VERSION } from "../core/mod.ts";
import { type Dimension, ELEMENT_TYPES, type ElementType } from "./element_type.ts";
import { WireWriter } from "./wire_writer.ts";

/** The domain of the classical machine-learning operators. */
export const ML_DOMAIN = "ai.onnx.ml";

/** A constant of the graph. */
export interface Tensor {
  readonly type: ElementType;
  /** Lengths; empty for a scalar. */
  readonly dims: readonly number[];
  /** Numbers are converted to `type`; as many as the product of `dims`. */
  readonly data: ArrayLike<number | bigint> | readonly string[];
}

/** The value of an operator's attribute; the key is its type. */
export type AttributeValue =
  | { readonly int: number }
  | { readonly float: number }
  | { readonly string: string }
  | { readonly tensor: Tensor }
  | { readonly ints: ArrayLike<number> }
  | { readonly floats: ArrayLike<number> }
  | { readonly strings: readonly string[] };

/** An operator of the graph. */
export interface NodeSpec {
  readonly op: string;
  /** Names of tensors; "" for an optional one left out. */
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes?: Readonly<Record<string, AttributeValue>>;
  /** Default "", the standard operators. */
  readonly domain?: string;
}

/** What a model says of itself beside its graph. */
export interface ModelOptions {
  /** The graph's name; default "serin". */
  readonly name?: string;
  /** Version of the standard operators; default 17. */
  readonly opset?: number;
  /** Version of `ai.onnx.ml`; default 3. */
  readonly mlOpset?: number;
  /** Default 8, the one of opset 17. */
  readonly irVersion?: number;
  /** `metadata_props`, written in the order of their keys. */
  readonly metadata?: Readonly<Record<string, string>>;
}

/**
 * Builds an ONNX model and writes its bytes (onnx.proto; IR version 8). The same calls give the same
 * bytes. That names are defined before they are used, once, is asserted.
 *
 * @example A model that doubles a column
 * ```ts
 * import { GraphBuilder, readModel } from "./mod.ts";
 * const bytes = new GraphBuilder()
 *   .input("x", "float32", ["N", 1])
 *   .initializer("two", { type: "float32", dims: [1], data: [2] })
 *   .node({ op: "Mul", inputs: ["x", "two"], outputs: ["y"] })
 *   .output("y", "float32", ["N", 1])
 *   .build();
 * console.assert(readModel(bytes).nodes[0].opType === "Mul");
 * ```
 */
export class GraphBuilder {
  readonly #options: ModelOptions;
  readonly #defined = new Set<string>();
  readonly #nodes: WireWriter[] = [];
  readonly #inputs: WireWriter[] = [];
  readonly #outputs: WireWriter[] = [];
  readonly #initializers: WireWriter[] = [];

  constructor(options: ModelOptions = {}) {
    this.#options = options;
  }

  /** Declares an input. */
  input(name: string, type: ElementType, shape: readonly Dimension[]): this {
    this.#define(name);
    this.#inputs.push(valueInfo(name, type, shape));
    return this;
  }

  /** Adds a constant. */
  initializer(name: string, tensor: Tensor): this {
    this.#define(name);
    this.#initializers.push(tensorProto(tensor, name));
    return this;
  }

  /** Adds an operator behind those that make its inputs. */
  node(spec: NodeSpec): this {
    for (const name of spec.inputs) {
      assert(name === "" || this.#defined.has(name), `Tensor "${name}" is used before it is made`);
    }
    for (const name of spec.outputs) this.#define(name);
    this.#nodes.push(nodeProto(spec));
    return this;
  }

  /** Declares that a tensor is an output. */
  output(name: string, type: ElementType, shape: readonly Dimension[]): this {
    assert(this.#defined.has(name), `Output "${name}" is made by nothing`);
    this.#outputs.push(valueInfo(name, type, shape));
    return this;
  }

  /** @returns the bytes of `model.onnx` */
  build(): Uint8Array<ArrayBuffer> {
    const { name = "serin", opset = 17, mlOpset = 3, irVersion = 8, metadata = {} } = this.#options;
    assert(this.#outputs.length > 0, "A model needs an output");
    const graph = new WireWriter();
    for (const node of this.#nodes) graph.message(1, node);
    graph.string(2, name);
    for (const initializer of this.#initializers) graph.message(5, initializer);
    for (const input of this.#inputs) graph.message(11, input);
    for (const output of this.#outputs) graph.message(12, output);
    const model = new WireWriter().int(1, irVersion).string(2, "serin").string(3, VERSION)
      .message(7, graph)
      .message(8, new WireWriter().string(1, "").int(2, opset))
      .message(8, new WireWriter().string(1, ML_DOMAIN).int(2, mlOpset));
    for (const key of Object.keys(metadata).sort()) {
      model.message(14, new WireWriter().string(1, key).string(2, metadata[key]));
    }
    return model.done();
  }

  #define(name: string): void {
    assert(name !== "" && !this.#defined.has(name), `Tensor "${name}" is defined twice`);
    this.#defined.add(name);
  }
}

function valueInfo(name: string, type: ElementType, shape: readonly Dimension[]): WireWriter {
  const dims = new WireWriter();
  for (const dim of shape) {
    const proto = new WireWriter();
    if (typeof dim === "number") proto.int(1, dim);
    else if (dim !== null) proto.string(2, dim);
    dims.message(1, proto);
  }
  const tensor = new WireWriter().int(1, ELEMENT_TYPES[type]).message(2, dims);
  return new WireWriter().string(1, name).message(2, new WireWriter().message(1, tensor));
}

function nodeProto(spec: NodeSpec): WireWriter {
  const proto = new WireWriter();
  for (const input of spec.inputs) proto.string(1, input);
  for (const output of spec.outputs) proto.string(2, output);
  proto.string(3, spec.outputs[0]).string(4, spec.op);
  for (const [name, value] of Object.entries(spec.attributes ?? {})) {
    proto.message(5, attributeProto(name, value));
  }
  if (spec.domain !== undefined && spec.domain !== "") proto.string(7, spec.domain);
  return proto;
}

function attributeProto(name: string, value: AttributeValue): WireWriter {
  const proto = new WireWriter().string(1, name);
  if ("float" in value) return proto.float(2, value.float).int(20, 1);
  if ("int" in value) return proto.int(3, value.int).int(20, 2);
  if ("string" in value) return proto.string(4, value.string).int(20, 3);
  if ("tensor" in value) return proto.message(5, tensorProto(value.tensor)).int(20, 4);
  if ("floats" in value) return proto.floats(7, value.floats).int(20, 6);
  if ("ints" in value) return proto.ints(8, value.ints).int(20, 7);
  for (const text of value.strings) proto.string(9, text);
  return proto.int(20, 8);
}

function tensorProto({ type, dims, data }: Tensor, name?: string): WireWriter {
  const size = dims.reduce((product, dim) => product * dim, 1);
  assert(data.length === size, `A tensor of ${size} elements was given ${data.length}`);
  const proto = new WireWriter();
  if (dims.length > 0) proto.ints(1, dims);
  proto.int(2, ELEMENT_TYPES[type]);
  const numbers = data as ArrayLike<number>;
  if (type === "string") { for (const text of data as readonly string[]) proto.string(6, text); }
  else if (type === "float32") proto.floats(4, numbers);
  else if (type === "int64") proto.ints(7, numbers);
  else if (type === "float64") proto.bytes(10, doubleBytes(numbers));
  else {
    const small = ["int32", "int16", "int8", "uint16", "uint8", "bool"].includes(type);
    assert(small, `Constants of type ${type} cannot be written`);
    proto.ints(5, numbers);
  }
  if (name !== undefined) proto.string(8, name);
  return proto;
}

function doubleBytes(values: ArrayLike<number>): Uint8Array {
  const bytes = new Uint8Array(8 * values.length), view = new DataView(bytes.buffer);
  for (let i = 0; i < values.length; i++) view.setFloat64(8 * i, values[i], true);
  return bytes;
}
