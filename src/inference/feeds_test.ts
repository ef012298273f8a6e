import { assertEquals } from "../testing/mod.ts";
import { type Feeds, warmingFeeds } from "./feeds.ts";
import type { Signature } from "./tensor.ts";

const signature = (...names: string[]): Signature => ({
  inputs: names.map((name) => ({ name, datatype: "FP32", shape: [-1, 1] })),
  outputs: [],
  missingAllowed: false,
});

Deno.test("a model is warmed on recent requests that it takes, never on those of other columns", () => {
  const recent: Feeds[] = [["a"], ["a", "b"], ["a", "c"]].map((names) => ({
    rows: 1,
    tensors: names.map((name) => ({
      name,
      datatype: "FP32",
      shape: [1, 1],
      data: Float32Array.of(7),
    })),
  }));
  assertEquals(warmingFeeds(signature("a", "b"), recent), [recent[1]]);
  const [zero] = warmingFeeds(signature("x"), recent);
  assertEquals(zero.tensors.map(({ name, data }) => [name, data]), [["x", Float32Array.of(0)]]);
});
