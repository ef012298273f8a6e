import { assertEquals, assertTrue } from "../../testing/mod.ts";
import { BlockWriter, type LoggedAnswer, packedBytesMax, readBlock } from "./prediction_block.ts";

const answer = (changes: Partial<LoggedAnswer> = {}): LoggedAnswer => ({
  model: "m",
  version: "3",
  arm: "stable",
  time: 1_700_000_000_123,
  nonce: Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 255),
  rows: 2,
  inputs: [
    { name: "a", datatype: "FP32", data: Float32Array.of(0.1, NaN) },
    { name: "b", datatype: "BYTES", data: ["ä,€", ""] },
    { name: "c", datatype: "INT64", data: BigInt64Array.of(-5n, 2n ** 40n) },
    { name: "d", datatype: "INT8", data: Int8Array.of(-128, 127) },
    { name: "e", datatype: "UINT16", data: Uint16Array.of(65535, 0) },
    { name: "f", datatype: "FP64", data: Float64Array.of(Math.PI, -0) },
    { name: "g", datatype: "INT16", data: Int16Array.of(-32768, 5) },
    { name: "h", datatype: "BOOL", data: Uint8Array.of(1, 0) },
  ],
  labels: [1, 0],
  scores: Float32Array.of(0.75, 0.25),
  ...changes,
});

Deno.test("a block gives back what was packed, of every datatype", () => {
  const answers = [
    answer(),
    answer({ arm: "canary", nonce: undefined, labels: ["yes", "nö"], scores: undefined }),
    answer({ labels: undefined, time: 1_700_000_000_000 }),
  ];
  const bytes = answers.map(packedBytesMax).reduce((sum, one) => sum + one, 0);
  const writer = new BlockWriter(answers[0], bytes);
  for (const one of answers) writer.add(one);
  assertTrue(writer.free >= 0, "packedBytesMax is no less than what is packed");
  const block = writer.finish();
  assertEquals([block.requests, block.rows], [3, 6]);
  assertEquals([block.firstMs, block.lastMs], [1_700_000_000_000, 1_700_000_000_123]);
  const read = [...readBlock(block.bytes, block.columns)];
  assertEquals(read.map(({ arm, time }) => [arm, time]), [
    ["stable", 1_700_000_000_123],
    ["canary", 1_700_000_000_123],
    ["stable", 1_700_000_000_000],
  ]);
  assertEquals(read[0].inputs, [
    [Math.fround(0.1), NaN],
    ["ä,€", ""],
    [-5, 2 ** 40],
    [-128, 127],
    [65535, 0],
    [Math.PI, -0],
    [-32768, 5],
    [1, 0],
  ]);
  assertEquals(read.map(({ labels }) => labels), [[1, 0], ["yes", "nö"], undefined]);
  assertEquals(read.map(({ scores }) => scores), [[0.75, 0.25], undefined, [0.75, 0.25]]);
  assertEquals(read[0].nonce?.toHex(), "01020304050607ff");
  assertEquals(read[1].nonce, undefined);
});
