import { SeededRandom, SerinError } from "../core/mod.ts";
import { assertEquals, assertSerinError, assertTrue } from "../testing/mod.ts";
import { GraphBuilder, ML_DOMAIN } from "./graph_builder.ts";
import { readModel } from "./model_reader.ts";
import { WireWriter } from "./wire_writer.ts";

function exampleModel(): Uint8Array<ArrayBuffer> {
  return new GraphBuilder({ name: "example", metadata: { b: "2", a: "ä" } })
    .input("x", "float32", ["N", 2])
    .input("city", "string", [null, 1])
    .initializer("two", { type: "float32", dims: [], data: [2] })
    .initializer("shape", { type: "int64", dims: [2], data: [-1n, 2] })
    .node({ op: "Mul", inputs: ["x", "two"], outputs: ["y"] })
    .node({
      op: "LabelEncoder",
      domain: ML_DOMAIN,
      inputs: ["city"],
      outputs: ["code"],
      attributes: {
        keys_strings: { strings: ["Perth", "Sydney"] },
        values_floats: { floats: [0.5, -1] },
        default_float: { float: NaN },
        ints: { ints: [0, -5, 300, 2 ** 40] },
        i: { int: -3 },
        s: { string: "é" },
      },
    })
    .output("y", "float32", ["N", 2])
    .output("code", "float32", ["N", 1])
    .build();
}

Deno.test("what the builder writes, the reader reads", () => {
  const model = readModel(exampleModel());
  assertEquals(model.irVersion, 8);
  assertEquals(model.producer, "serin");
  assertEquals([...model.opsets], [["", 17], [ML_DOMAIN, 3]]);
  assertEquals(model.inputs, [
    { name: "x", elementType: "float32", shape: ["N", 2] },
    { name: "city", elementType: "string", shape: [null, 1] },
  ]);
  assertEquals(model.outputs.map((output) => output.name), ["y", "code"]);
  assertEquals(model.nodes.map((node) => `${node.domain}.${node.opType}`), [
    ".Mul",
    "ai.onnx.ml.LabelEncoder",
  ]);
  assertEquals([...model.metadata], [["a", "ä"], ["b", "2"]]);
  const attributes = model.nodes[1].attributes();
  assertEquals(attributes.get("keys_strings")!.strings, ["Perth", "Sydney"]);
  assertEquals(attributes.get("values_floats")!.floats, [0.5, -1]);
  assertEquals(attributes.get("default_float")!.float, NaN);
  assertEquals(attributes.get("ints")!.ints, [0, -5, 300, 2 ** 40]);
  assertEquals(attributes.get("i")!.int, -3);
  assertEquals(attributes.get("s")!.string, "é");
});

Deno.test("the same calls give the same bytes", () => {
  assertEquals(exampleModel(), exampleModel());
});

Deno.test("unpacked repeated numbers are read like packed ones", () => {
  const attribute = new WireWriter().string(1, "v").int(8, 7).int(8, -1).float(7, 0.25).floats(7, [
    1,
  ])
    .ints(8, [9]);
  const node = new WireWriter().string(2, "y").string(4, "Op").message(5, attribute);
  const graph = new WireWriter().message(1, node).message(12, new WireWriter().string(1, "y"));
  const model = readModel(new WireWriter().int(1, 8).message(7, graph).done());
  const read = model.nodes[0].attributes().get("v")!;
  assertEquals(read.ints, [7, -1, 9]);
  assertEquals(read.floats, [0.25, 1]);
  assertEquals(model.outputs, [{ name: "y", elementType: "other", shape: undefined }]);
});

Deno.test("constants listed among the inputs are not asked of a caller (IR version 3)", () => {
  const named = (name: string) => new WireWriter().string(1, name);
  const graph = new WireWriter().message(5, new WireWriter().string(8, "w"))
    .message(11, named("x")).message(11, named("w")).message(12, named("x"));
  const model = readModel(new WireWriter().int(1, 3).message(7, graph).done());
  assertEquals(model.inputs.map((input) => input.name), ["x"]);
});

Deno.test("weights in other files are refused", async () => {
  const tensor = new WireWriter().string(8, "w").int(14, 1);
  const graph = new WireWriter().message(5, tensor).message(12, new WireWriter().string(1, "w"));
  const bytes = new WireWriter().int(1, 8).message(7, graph).done();
  await assertSerinError(() => readModel(bytes), "unsupported_model", '"w"', "external data");
});

Deno.test("a file cut anywhere is refused or still a model; none makes the reader fail", async () => {
  const whole = exampleModel();
  let refused = 0;
  for (let length = 0; length < whole.length; length++) {
    try {
      readModel(whole.subarray(0, length));
    } catch (thrown) {
      assertTrue(thrown instanceof SerinError && thrown.code === "invalid_model", String(thrown));
      refused++;
    }
  }
  assertTrue(refused > whole.length / 2, `${refused} of ${whole.length}`);
  await assertSerinError(() => readModel(whole.subarray(0, 40)), "invalid_model", "at byte 17");
  await assertSerinError(() => readModel(new Uint8Array()), "invalid_model", "no graph (0 bytes)");
});

Deno.test("damaged bytes give an invalid_model error or another model, never a crash", () => {
  const seed = Date.now() >>> 0, random = new SeededRandom(seed);
  for (let round = 0; round < 5000; round++) {
    const bytes = exampleModel();
    for (let i = 0; i < 3; i++) bytes[random.uint32() % bytes.length] = random.uint32();
    try {
      for (const node of readModel(bytes).nodes) node.attributes();
    } catch (thrown) {
      const fine = thrown instanceof SerinError && /model/.test(thrown.code);
      assertTrue(fine, `seed ${seed}: ${thrown}`);
    }
  }
});
