import { SerinError } from "../core/mod.ts";
import { type Dimension, type ElementType, findElementType } from "./element_type.ts";
import { WireReader } from "./wire_reader.ts";

/** An input or output of a model. */
export interface ValueInfo {
  readonly name: string;
  /** `other` for what is no tensor: sequences, maps, optional values. */
  readonly elementType: ElementType | "other";
  /** Undefined where the model says nothing of the shape. */
  readonly shape: readonly Dimension[] | undefined;
}

/** An attribute as it was read: all the fields that are filled. */
export interface ReadAttribute {
  readonly float: number | undefined;
  readonly int: number | undefined;
  readonly string: string | undefined;
  readonly floats: readonly number[];
  readonly ints: readonly number[];
  readonly strings: readonly string[];
}

/** An operator of the main graph. */
export interface ModelNode {
  readonly opType: string;
  /** "" for the standard operators. */
  readonly domain: string;
  readonly name: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  /**
   * Reads the attributes; not done before somebody asks, because a tree ensemble's are large.
   *
   * @throws {SerinError} `invalid_model` naming the byte
   */
  attributes(): ReadonlyMap<string, ReadAttribute>;
}

/** What a model file says. */
export interface OnnxModel {
  readonly irVersion: number;
  readonly producer: string;
  /** Version by domain; the standard operators' domain is "". */
  readonly opsets: ReadonlyMap<string, number>;
  /** Inputs that a caller must give (constants left out). */
  readonly inputs: readonly ValueInfo[];
  readonly outputs: readonly ValueInfo[];
  readonly nodes: readonly ModelNode[];
  /** `metadata_props`. */
  readonly metadata: ReadonlyMap<string, string>;
}

/**
 * Reads what an ONNX file says of itself (onnx.proto, ModelProto), weights left aside. It reads no
 * byte outside the array, and its work is linear in the file's length.
 *
 * @throws {SerinError} `invalid_model` naming the byte offset where the file is damaged or cut off;
 * `unsupported_model` for a model whose weights lie in other files
 */
export function readModel(bytes: Uint8Array): OnnxModel {
  const reader = new WireReader(bytes);
  let irVersion = 0, producer = "";
  let graph: Graph | undefined;
  const opsets = new Map<string, number>(), metadata = new Map<string, string>();
  while (reader.next()) {
    if (reader.field === 1) irVersion = reader.varint();
    else if (reader.field === 2) producer = reader.string();
    else if (reader.field === 7) graph = readGraph(reader.message());
    else if (reader.field === 8) readOpset(reader.message(), opsets);
    else if (reader.field === 14) readEntry(reader.message(), metadata);
    else reader.skip();
  }
  if (graph === undefined || irVersion <= 0 || graph.outputs.length === 0) {
    const what = graph === undefined
      ? "it has no graph"
      : irVersion <= 0
      ? "it has no IR version"
      : "its graph has no output";
    throw new SerinError(
      "invalid_model",
      `The file is no ONNX model: ${what} (${bytes.length} bytes)`,
      { hint: "it may be cut off or not an ONNX file: export or download it again" },
    );
  }
  const inputs = graph.inputs.filter((input) => !graph.constants.has(input.name));
  return {
    irVersion,
    producer,
    opsets,
    inputs,
    outputs: graph.outputs,
    nodes: graph.nodes,
    metadata,
  };
}

interface Graph {
  readonly nodes: ModelNode[];
  readonly inputs: ValueInfo[];
  readonly outputs: ValueInfo[];
  readonly constants: Set<string>;
}

function readGraph(reader: WireReader): Graph {
  const graph: Graph = { nodes: [], inputs: [], outputs: [], constants: new Set() };
  while (reader.next()) {
    if (reader.field === 1) graph.nodes.push(readNode(reader.message()));
    else if (reader.field === 5) graph.constants.add(readTensorName(reader.message()));
    else if (reader.field === 11) graph.inputs.push(readValueInfo(reader.message()));
    else if (reader.field === 12) graph.outputs.push(readValueInfo(reader.message()));
    else reader.skip();
  }
  return graph;
}

function readNode(reader: WireReader): ModelNode {
  const inputs: string[] = [], outputs: string[] = [], attributes: WireReader[] = [];
  let name = "", opType = "", domain = "";
  while (reader.next()) {
    if (reader.field === 1) inputs.push(reader.string());
    else if (reader.field === 2) outputs.push(reader.string());
    else if (reader.field === 3) name = reader.string();
    else if (reader.field === 4) opType = reader.string();
    else if (reader.field === 5) attributes.push(reader.message());
    else if (reader.field === 7) domain = reader.string();
    else reader.skip();
  }
  let read: Map<string, ReadAttribute> | undefined;
  return {
    // "ai.onnx" is the standard domain's other name.
    ...{ opType, domain: domain === "ai.onnx" ? "" : domain, name, inputs, outputs },
    attributes: () => read ??= new Map(attributes.map(readAttribute)),
  };
}

function readAttribute(reader: WireReader): [string, ReadAttribute] {
  const floats: number[] = [], ints: number[] = [], strings: string[] = [];
  let name = "";
  let float: number | undefined, int: number | undefined, string: string | undefined;
  while (reader.next()) {
    if (reader.field === 1) name = reader.string();
    else if (reader.field === 2) float = reader.float();
    else if (reader.field === 3) int = reader.varint();
    else if (reader.field === 4) string = reader.string();
    else if (reader.field === 5) readTensorName(reader.message());
    else if (reader.field === 7) reader.appendFloats(floats);
    else if (reader.field === 8) reader.appendInts(ints);
    else if (reader.field === 9) strings.push(reader.string());
    else reader.skip();
  }
  return [name, { float, int, string, floats, ints, strings }];
}

/** The name of a constant; its data are passed over. */
function readTensorName(reader: WireReader): string {
  let name = "", external = false;
  while (reader.next()) {
    if (reader.field === 8) name = reader.string();
    else if (reader.field === 13) {
      external = true;
      reader.skip();
    } else if (reader.field === 14) external = reader.varint() === 1 || external;
    else reader.skip();
  }
  if (external) {
    throw new SerinError(
      "unsupported_model",
      `The weights "${name}" lie in a file of their own (external data)`,
      { hint: "save the model as one file: onnx.save(model, path, save_as_external_data=False)" },
    );
  }
  return name;
}

function readValueInfo(reader: WireReader): ValueInfo {
  let name = "", elementType: ElementType | "other" = "other";
  let shape: Dimension[] | undefined;
  while (reader.next()) {
    if (reader.field === 1) name = reader.string();
    else if (reader.field === 2) {
      const type = reader.message();
      while (type.next()) {
        if (type.field === 1) ({ elementType, shape } = readTensorType(type.message()));
        else type.skip();
      }
    } else reader.skip();
  }
  return { name, elementType, shape };
}

function readTensorType(reader: WireReader) {
  let elementType: ElementType | "other" = "other";
  let shape: Dimension[] | undefined;
  while (reader.next()) {
    if (reader.field === 1) elementType = findElementType(reader.varint()) ?? "other";
    else if (reader.field === 2) {
      shape = [];
      const dims = reader.message();
      while (dims.next()) {
        if (dims.field === 1) shape.push(readDimension(dims.message()));
        else dims.skip();
      }
    } else reader.skip();
  }
  return { elementType, shape };
}

function readDimension(reader: WireReader): Dimension {
  let dimension: Dimension = null;
  while (reader.next()) {
    if (reader.field === 1) dimension = reader.varint();
    else if (reader.field === 2) dimension = reader.string() || null;
    else reader.skip();
  }
  return dimension;
}

function readOpset(reader: WireReader, opsets: Map<string, number>): void {
  let domain = "", version = 0;
  while (reader.next()) {
    if (reader.field === 1) domain = reader.string();
    else if (reader.field === 2) version = reader.varint();
    else reader.skip();
  }
  opsets.set(domain === "ai.onnx" ? "" : domain, version);
}

function readEntry(reader: WireReader, entries: Map<string, string>): void {
  let key = "", value = "";
  while (reader.next()) {
    if (reader.field === 1) key = reader.string();
    else if (reader.field === 2) value = reader.string();
    else reader.skip();
  }
  entries.set(key, value);
}
