import { parseYamlConfig } from "../config/mod.ts";
import { assertEquals, assertSerinError } from "../testing/mod.ts";
import { RETRAIN_SYNONYMS, retrainSpecSchema, useOwnLog } from "./retrain_spec.ts";

const parse = (text: string) =>
  parseYamlConfig(text, retrainSpecSchema, { source: "retrain.yaml", synonyms: RETRAIN_SYNONYMS });

Deno.test("a short spec has defaults for all the rest", () => {
  const { models: [model] } = parse(`
models:
  - model: electricity
    data: { prediction_log: [log] }
`);
  assertEquals(model.challenger, "challenger");
  assertEquals([model.data.target, model.data.holdout], ["target", 0.3]);
  assertEquals([model.brakes.cooldown_minutes, model.brakes.approval], [360, false]);
});

Deno.test("every problem of a spec is told at once, with its line and what was meant", async () => {
  const text = `
models:
  - model: a
    data: { csv: [a.csv], prediction_log: [log] }
  - model: a
    data: { csv: [a.csv], since_days: 3, rows_min: 1000, rows_max: 100 }
    challenger: champion
`;
  await assertSerinError(
    () => parse(text),
    "configuration",
    "line 4: ",
    "give one of csv and prediction_log",
    "line 5: ",
    "has an entry already",
    "since_days is for a prediction_log",
    "rows_min is above rows_max",
    "another alias than champion",
  );
  const unknown = `
models:
  - model: a
    data: { csv: [a.csv], target: y, holdut: 0.2 }
    brakes: { cool_down: 5, aproval: true, budget_per_day: -1 }
    gates: g.yaml
`;
  await assertSerinError(
    () => parse(unknown),
    "configuration",
    'models.0.data.holdut": did you mean "holdout"?',
    'models.0.brakes.cool_down": did you mean "cooldown_minutes"?',
    'models.0.brakes.aproval": did you mean "approval"?',
    "budget_per_day",
    'models.0.gates": did you mean "gate"?',
  );
  await assertSerinError(() => parse(""), "configuration", "models");
  await assertSerinError(() => parse("models: []"), "configuration", "models");
});

Deno.test("data that names no rows is what replicas send here, where they can", async () => {
  const spec = parse(`
models:
  - model: a
  - model: b
    data: { since_days: 7 }
  - model: c
    data: { csv: [c.csv] }
`);
  const logs = useOwnLog(spec, "own").models.map(({ data }) => data.prediction_log);
  assertEquals(logs, [["own"], ["own"], undefined]);
  assertEquals(useOwnLog(spec, "own").models[1].data.since_days, 7);
  await assertSerinError(
    () => useOwnLog(spec, undefined),
    "configuration",
    'model "a"',
    "--prediction-log DIR",
  );
});
