import { assertEquals, assertIncludes } from "../testing/mod.ts";
import { resolveSpec, type TrainSpec, trainSpecSchema } from "./spec.ts";

const parse = (given: unknown): TrainSpec => trainSpecSchema.parse(given);

Deno.test("every value has a default", () => {
  const spec = resolveSpec({ ...parse({}), target: "t" });
  assertEquals(spec.split, { kind: "random", validation: 0.2, test: 0.2, seed: 0 });
  assertEquals([spec.calibration, spec.gbdt.leaves, spec.objective], ["platt", 31, "binary"]);
  const regression = resolveSpec({ ...parse({ objective: "regression" }), target: "t" });
  assertEquals(regression.calibration, "none");
  assertEquals(resolveSpec({ ...parse({ seed: 5 }), target: "t" }).split.seed, 5);
});

Deno.test("settings that exclude each other", () => {
  const check = (given: unknown, part: string) => {
    const result = trainSpecSchema.safeParse(given);
    assertIncludes(result.error?.issues.map((issue) => issue.message).join("; ") ?? "", part);
  };
  check({ split: { validation: 0.6, test: 0.4 } }, "leave 5% of the rows");
  check({ objective: "regression", calibration: "platt" }, "platt needs classes");
  check({ objective: "regression", split: { kind: "stratified" } }, "stratified needs classes");
  check({ split: { validation: 0 }, calibration: "none" }, "must be 0 where");
  check({ split: { validation: 0 }, gbdt: { early_stopping: 0 } }, "must be none where");
  parse({ split: { validation: 0 }, gbdt: { early_stopping: 0 }, calibration: "none" });
});
