import { parseYamlConfig } from "../config/mod.ts";
import { assertEquals, assertSerinError } from "../testing/mod.ts";
import { resolveSpec, SPEC_SYNONYMS, trainSpecSchema } from "./spec.ts";

const parse = (text: string) =>
  parseYamlConfig(text, trainSpecSchema, { source: "train.yaml", synonyms: SPEC_SYNONYMS });

Deno.test("every value has a default", () => {
  const spec = resolveSpec({ ...parse(""), target: "t" });
  assertEquals(spec.split, { kind: "random", validation: 0.2, test: 0.2, seed: 0 });
  assertEquals([spec.calibration, spec.gbdt.leaves, spec.objective], ["platt", 31, "binary"]);
  assertEquals(resolveSpec({ ...parse("objective: regression"), target: "t" }).calibration, "none");
  assertEquals(resolveSpec({ ...parse("seed: 5"), target: "t" }).split.seed, 5);
});

Deno.test("LightGBM's names lead to serin's", async () => {
  await assertSerinError(
    () => parse("gbdt: {num_leaves: 5, eta: 0.1}\nrandom_state: 1"),
    "configuration",
    'did you mean "leaves"?',
    'did you mean "learning_rate"?',
    'line 2: there is no setting "random_state": did you mean "seed"?',
  );
});

Deno.test("settings that exclude each other", async () => {
  const check = (text: string, part: string) =>
    assertSerinError(() => parse(text), "configuration", part);
  await check("split: {validation: 0.6, test: 0.4}", "leave 5% of the rows");
  await check("objective: regression\ncalibration: platt", "line 2");
  await check("objective: regression\nsplit: {kind: stratified}", "needs classes");
  await check("split: {validation: 0}\ncalibration: none", "early_stopping");
  await check("split: {validation: 0}\ngbdt: {early_stopping: 0}", "calibration");
  parse("split: {validation: 0}\ngbdt: {early_stopping: 0}\ncalibration: none");
});
