import { parse } from "yaml";
import { assertEquals } from "../testing/mod.ts";
import { type Plain, toYaml } from "./yaml_text.ts";

Deno.test("what is written is read back, whatever the strings", () => {
  const value: { [key: string]: Plain } = {
    plain: "model.onnx",
    odd: ["yes", "null", "1.5", "- a", "a: b", 'say "hi"', "l1\nl2", "ä", "", "#x", "~", "off"],
    "key: odd": { deep: { er: [], none: {}, n: null, t: true, x: 1e-7 } },
    list: [{ name: "a", values: [1, 2] }, ["b", "c"], 3, {}],
  };
  assertEquals(parse(toYaml(value)), value);
  assertEquals(toYaml({ a: 1, b: undefined, c: { d: "x" } }), "a: 1\nc:\n  d: x\n");
});
