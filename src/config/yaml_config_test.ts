import { z } from "zod";
import { assertEquals, assertSerinError, assertTrue } from "../testing/mod.ts";
import { parseYamlConfig } from "./yaml_config.ts";

const schema = z.strictObject({
  name: z.string().default("a"),
  trees: z.strictObject({ leaves: z.int().min(2).default(31), rate: z.number().default(0.1) })
    .prefault({}),
  ignore: z.array(z.string()).default([]),
});
const parse = (text: string) =>
  parseYamlConfig(text, schema, { source: "a.yaml", synonyms: { num_leaves: "leaves" } });

Deno.test("defaults, YAML and JSON", () => {
  const all = { name: "a", trees: { leaves: 31, rate: 0.1 }, ignore: [] };
  assertEquals(parse(""), all);
  assertEquals(parse("# nothing\n"), all);
  assertEquals(parse('{"trees": {"leaves": 7}}'), { ...all, trees: { leaves: 7, rate: 0.1 } });
  assertTrue(Object.isFrozen(parse("").trees), "frozen");
});

Deno.test("every problem is reported at once, with its line and a near name", async () => {
  const text = "nmae: x\ntrees:\n  num_leaves: 5\n  leaves: 1\n  qqq: 1\nignore: [1, b]\n";
  await assertSerinError(
    () => parse(text),
    "configuration",
    "a.yaml has 5 problems",
    'line 1: there is no setting "nmae": did you mean "name"?',
    'line 3: there is no setting "trees.num_leaves": did you mean "leaves"?',
    'line 4: "trees.leaves": too small',
    "current value is 1",
    'line 5: there is no setting "trees.qqq": known here: leaves, rate',
    'line 6: "ignore.0": invalid input: expected string',
  );
});

Deno.test("what is no YAML, or not an object", async () => {
  await assertSerinError(() => parse("a: [1\nb: 2"), "configuration", "a.yaml: line");
  await assertSerinError(() => parse("name: a\nname: b"), "configuration", "line 2");
  await assertSerinError(
    () => parse("name: a\n---\nname: b\n"),
    "configuration",
    "line 2: a second",
  );
  await assertSerinError(() => parse("- 1"), "configuration", "line 1", "expected object");
  const laughs = `a: &a [x,x,x,x,x,x,x,x,x,x]\nb: &b [${"*a,".repeat(20)}]\nc: [${
    "*b,".repeat(50)
  }]`;
  await assertSerinError(() => parse(laughs), "configuration", "alias");
});
