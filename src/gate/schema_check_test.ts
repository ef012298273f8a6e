import { assertEquals, assertIncludes } from "../testing/mod.ts";
import type { TensorContract } from "./gate_model.ts";
import { schemaCheck } from "./schema_check.ts";

type Given = Record<string, string>;

const tensors = (given: Given): TensorContract[] =>
  Object.entries(given).map(([name, text]) => {
    const [datatype, width = "1"] = text.split("x");
    return { name, datatype, shape: [-1, Number(width)] };
  });

const OLD = { inputs: { a: "FP32", b: "INT32", c: "BYTES" }, outputs: { p: "FP32x2" } };

function checkSchema(
  now: { inputs?: Given; outputs?: Given; missingAllowed?: boolean },
  dropped: "refuse" | "warn" = "refuse",
) {
  const contract = (given: typeof OLD | typeof now, missingAllowed: boolean) => ({
    inputs: tensors(given.inputs ?? OLD.inputs),
    outputs: tensors(given.outputs ?? OLD.outputs),
    missingAllowed,
  });
  const { check, warnings } = schemaCheck(
    contract(now, now.missingAllowed ?? true),
    contract(OLD, true),
    { dropped_inputs: dropped, dropped_outputs: dropped },
  );
  return { outcome: check.outcome, text: [check.sentence, ...warnings].join("\n") };
}

Deno.test("what callers of the champion send must be taken, what they read must be given", () => {
  const { inputs, outputs } = OLD;
  const { a: _, ...without } = inputs;
  const cases: [Parameters<typeof checkSchema>[0], "passed" | "refused", string][] = [
    [{}, "passed", "need not change"],
    [{ inputs: { ...inputs, d: "FP32" } }, "refused", 'needs the column "d" (FP32)'],
    [{ inputs: without }, "refused", 'does not take the column "a"'],
    [{ inputs: { ...inputs, b: "FP64" } }, "passed", ""],
    [{ inputs: { ...inputs, b: "INT64" } }, "passed", ""],
    [{ inputs: { ...inputs, b: "INT8" } }, "refused", "larger numbers would be refused"],
    [{ inputs: { ...inputs, b: "UINT32" } }, "refused", "larger numbers would be refused"],
    [{ inputs: { ...inputs, a: "INT64" } }, "refused", "with a fraction would be refused"],
    [{ inputs: { ...inputs, a: "BYTES" } }, "refused", "is BYTES, it was FP32"],
    [{ inputs: { ...inputs, c: "FP32" } }, "refused", "is FP32, it was BYTES"],
    [{ inputs: { ...inputs, a: "FP32x3" } }, "refused", "has 3 values a row, it had 1"],
    [{ outputs: { q: "FP32x2" } }, "refused", 'does not give the output "p"'],
    [{ outputs: { p: "FP32x3" } }, "refused", "FP32 of 3 a row, it was FP32 of 2 a row"],
    [{ outputs: { ...outputs, q: "FP32" } }, "passed", 'new output "q"'],
    [{ missingAllowed: false }, "refused", "missing values"],
  ];
  for (const [now, outcome, part] of cases) {
    const seen = checkSchema(now);
    assertEquals(seen.outcome, outcome, JSON.stringify(now));
    assertIncludes(seen.text, part);
  }
});

Deno.test("a renamed column is named; a dropped one is a warning where gate.yaml says so", () => {
  const { a, ...rest } = { a: "FP32", b: "INT32", c: "BYTES" };
  assertIncludes(checkSchema({ inputs: { A: a, ...rest } }).text, 'did you mean "a"?');
  const dropped = checkSchema({ inputs: rest }, "warn");
  assertEquals(dropped.outcome, "passed");
  assertIncludes(dropped.text, 'does not take the column "a"');
});
