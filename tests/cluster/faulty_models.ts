/** Versions with one known fault each, made of a good one. */
import { GraphBuilder } from "../../src/onnx/mod.ts";
import { WireReader } from "../../src/onnx/wire_reader.ts";
import { WireWriter } from "../../src/onnx/wire_writer.ts";

/** ModelProto.graph, and what of a GraphProto is added: node, initializer, output (onnx.proto). */
const GRAPH_FIELD = 7;
const ADDED_FIELDS = [1, 5, 12];

/**
 * The model with a Gather beside it whose index leaves its table for one category: the rows whose
 * `period` is 0.9 or above, about 10 % of them. There the whole request fails.
 */
export function failsOnTenth(model: Uint8Array): Uint8Array<ArrayBuffer> {
  const guard = new GraphBuilder()
    .input("period", "float32", ["N", 1])
    .initializer("guard_scale", { type: "float32", dims: [1], data: [10] })
    .initializer("guard_table", { type: "float32", dims: [9], data: Array(9).fill(0) })
    .node({ op: "Mul", inputs: ["period", "guard_scale"], outputs: ["guard_tenth"] })
    .node({
      op: "Cast",
      inputs: ["guard_tenth"],
      outputs: ["guard_index"],
      attributes: { to: { int: 7 } },
    })
    .node({ op: "Gather", inputs: ["guard_table", "guard_index"], outputs: ["guard"] })
    .output("guard", "float32", ["N", 1])
    .build();
  return mergeGraph(model, guard);
}

/** Protobuf merges an embedded message that comes twice: the nodes of both are in the result. */
function mergeGraph(model: Uint8Array, added: Uint8Array): Uint8Array<ArrayBuffer> {
  const graph = new WireWriter();
  for (const bytes of fields(added, [GRAPH_FIELD]).map(({ bytes }) => bytes)) {
    for (const each of fields(bytes, ADDED_FIELDS)) graph.bytes(each.field, each.bytes);
  }
  const second = new WireWriter().message(GRAPH_FIELD, graph).done();
  const whole = new Uint8Array(model.length + second.length);
  whole.set(model);
  whole.set(second, model.length);
  return whole;
}

function fields(message: Uint8Array, wanted: readonly number[]) {
  const found: { field: number; bytes: Uint8Array }[] = [];
  const reader = new WireReader(message);
  while (reader.next()) {
    if (wanted.includes(reader.field)) found.push({ field: reader.field, bytes: reader.bytes() });
    else reader.skip();
  }
  return found;
}
