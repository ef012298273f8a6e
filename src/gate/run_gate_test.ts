import { SeededRandom, SerinError } from "../core/mod.ts";
import type { Column, Dataset } from "../dataset/mod.ts";
import {
  assertClose,
  assertEquals,
  assertIncludes,
  assertSerinError,
  assertTrue,
} from "../testing/mod.ts";
import type { GateModel, Predictions } from "./gate_model.ts";
import { exitCodeOf, reportJson } from "./gate_report.ts";
import { gateSpecSchema } from "./gate_spec.ts";
import { runGate } from "./run_gate.ts";

const tensor = (name: string, datatype = "FP32", width = 1) => ({
  name,
  datatype,
  shape: [-1, width],
});

/** A model that answers what it is told, each row in a given time. */
function model(uri: string, predictions: Predictions, more: Partial<GateModel> = {}): GateModel {
  return {
    uri,
    version: undefined,
    sha256: `${uri}`.padEnd(64, "0"),
    bytes: 1000,
    inputs: [tensor("x")],
    outputs: [tensor("label", "INT64"), tensor("probabilities", "FP32", 2)],
    missingAllowed: true,
    trained: {},
    predict: () => Promise.resolve(predictions),
    answerRow: () => Promise.resolve(1),
    ...more,
  };
}

const numeric = (name: string, values: Float64Array): Column => ({ kind: "numeric", name, values });

/** Rows whose truth is known, and answers of any quality. */
function world(rows: number, seed = 1) {
  const random = new SeededRandom(seed);
  const x = Float64Array.from({ length: rows }, () => random.unit());
  const truth = x.map((p) => random.unit() < p ? 1 : 0);
  const data: Dataset = { rows, columns: [numeric("x", x), numeric("y", truth)] };
  const labels = (scores: Float64Array) => Array.from(scores, (p) => p >= 0.5 ? 1 : 0);
  const answers = (error: number): Predictions => {
    const scores = x.map((p) => Math.min(0.99, Math.max(0.01, p + error * (random.unit() - 0.5))));
    return { scores, labels: labels(scores) };
  };
  return { data, truth, answers };
}

const gate = (
  data: Dataset,
  candidate: GateModel,
  champion: GateModel | undefined,
  spec: unknown = {},
) =>
  runGate({
    candidate,
    champion,
    data,
    source: "rows.csv",
    spec: gateSpecSchema.parse({ target: "y", ...spec as object }),
    now: 0,
  });

Deno.test("a clearly better candidate passes and is called better", async () => {
  const { data, answers } = world(3000);
  const report = await gate(data, model("a", answers(0.1)), model("b", answers(0.9)));
  assertEquals([report.outcome, report.relation, exitCodeOf(report)], ["passed", "better", 0]);
  assertEquals(report.checks.map(({ id }) => id), [
    "schema",
    "relative.auc",
    "relative.log_loss",
    "latency.ratio",
  ]);
  assertIncludes(report.verdict, "better than the champion in auc and log_loss");
});

Deno.test("a clearly worse one is refused, exit 3", async () => {
  const { data, answers } = world(3000);
  const report = await gate(data, model("a", answers(0.9)), model("b", answers(0.1)));
  assertEquals([report.outcome, report.relation, exitCodeOf(report)], ["refused", "worse", 3]);
  assertIncludes(report.verdict, "refused by relative.auc, relative.log_loss");
});

Deno.test("60 rows: too small to tell, exit 1, with the rows that it would take", async () => {
  const { data, answers } = world(60);
  const report = await gate(data, model("a", answers(0.1)), model("b", answers(0.3)), {
    absolute: { auc: { min: 0.6 } },
  });
  assertEquals([report.outcome, exitCodeOf(report)], ["undecided", 1]);
  assertIncludes(report.verdict, "test set too small to tell: rows.csv has 60 rows, it would take");
  const json = reportJson(report) as { checks: { id: string; rows_needed: number }[] };
  const check = json.checks.find(({ id }) => id === "relative.auc");
  assertTrue(check!.rows_needed >= 200, "rows needed are told");
});

Deno.test("asked for better, an equal one is refused once an improvement is ruled out", async () => {
  const { data, answers } = world(20_000);
  const [a, b] = [model("a", answers(0.2)), model("b", answers(0.2))];
  const relative = { brier: { require: "better", margin: 0.01 } };
  const { outcome, checks } = await gate(data, a, b, { relative });
  assertEquals(outcome, "refused");
  assertIncludes(checks.find(({ id }) => id === "relative.brier")!.sentence, "not better");
});

Deno.test("limits: kept, missed, and a first version without a champion", async () => {
  const { data, answers } = world(4000);
  const judged = async (absolute: object) => {
    const report = await gate(data, model("a", answers(0.1)), undefined, { absolute });
    return [report.outcome, report.relation, report.champion];
  };
  const kept = { auc: { min: 0.75 }, ece: { max: 0.1 }, calibration_slope: {} };
  assertEquals(await judged(kept), ["passed", undefined, undefined]);
  assertEquals(await judged({ auc: { min: 0.95 } }), ["refused", undefined, undefined]);
  const { value } = (await gate(data, model("a", answers(0.1)), undefined, {
    absolute: { accuracy: { min: 0.5 } },
  })).checks[0].candidate!;
  assertEquals((await judged({ accuracy: { min: value } }))[0], "undecided");
  assertEquals(
    (await judged({ accuracy: { min: value - 0.02 }, judge_by: "estimate" }))[0],
    "passed",
  );
  await assertSerinError(
    () => gate(data, model("a", answers(0.1)), undefined),
    "configuration",
    "nothing to check without --champion",
  );
});

Deno.test("one bad slice refuses what is fine on the whole", async () => {
  const { data, answers, truth } = world(8000);
  const group = Int32Array.from({ length: 8000 }, (_, row) => row % 8);
  const dictionary = ["a", "b", "c", "d", "e", "f", "g", "h"];
  const column: Column = { kind: "text", name: "site", codes: group, dictionary };
  const good = answers(0.2), bad = answers(0.2);
  const scores = Float64Array.from(bad.scores!, (p, row) => {
    if (dictionary[group[row]] !== "c") return p * 0.9 + truth[row] * 0.1;
    return 1 - p;
  });
  const labels = Array.from(scores, (p) => p >= 0.5 ? 1 : 0);
  const wide = { ...data, columns: [...data.columns, column] };
  const report = await gate(wide, model("a", { scores, labels }), model("b", good), {
    relative: { brier: { margin: 0.2 } },
    slices: { columns: ["site"], margin_factor: 0.1 },
  });
  assertEquals(report.outcome, "refused");
  const check = report.checks.find(({ id }) => id === "slices.brier")!;
  assertIncludes(check.sentence, "site c (1000 rows): worse");
  assertEquals(report.slices!.results[0].value, "c");
  assertEquals(report.slices!.results.filter(({ relation }) => relation === "worse").length, 1);
});

Deno.test("budgets: size by the ratio, latency by the ratio's interval", async () => {
  const { data, answers } = world(3000);
  const same = answers(0.1), times = [3, 1];
  const [a, b] = times.map((ms, i) =>
    model(`${i}`, same, { answerRow: () => Promise.resolve(ms), bytes: ms * 100 })
  );
  const report = await gate(data, a, b, { size: { ratio_max: 2 }, latency: { median_ms_max: 5 } });
  const of = (id: string) => report.checks.find((check) => check.id === id)!;
  assertEquals(of("latency.ratio").outcome, "refused");
  assertClose(of("latency.ratio").difference!.lower, 3, 1e-12);
  assertEquals(of("latency.median_ms").outcome, "passed");
  assertEquals(of("size.ratio").outcome, "refused");
});

Deno.test("answers that are equal on every row are not worse, once there are rows enough", async () => {
  const { data, answers } = world(3000);
  const same = answers(0.1);
  const report = await gate(data, model("a", same), model("b", same));
  assertEquals([report.outcome, report.relation], ["passed", "not worse"]);
});

Deno.test("scores of the other class are turned, whatever the order of the classes", async () => {
  const { data, answers } = world(3000);
  const plain = answers(0.1);
  const turned = { ...plain, scores: Float64Array.from(plain.scores!, (p) => 1 - p) };
  const of = async (given: Predictions, spec: object = {}) => {
    const report = await gate(data, model("a", given), undefined, {
      absolute: { auc: { min: 0.5 }, log_loss: { max: 1 } },
      ...spec,
    });
    return report.checks.map(({ candidate }) => candidate!.value);
  };
  const expected = await of(plain);
  (await of(turned)).forEach((value, i) => assertClose(value, expected[i], 1e-12));
  // Judged by the other class, AUC and log loss are the same.
  (await of(plain, { positive: 0 })).forEach((value, i) => assertClose(value, expected[i], 1e-12));
});

Deno.test("a candidate that callers cannot use is refused even where it cannot run here", async () => {
  const { data, answers } = world(3000);
  const failing = model("a", answers(0.1), {
    inputs: [tensor("x"), tensor("new")],
    predict: () => Promise.reject(missingColumn()),
  });
  const report = await gate(data, failing, model("b", answers(0.1)));
  assertEquals(report.outcome, "refused");
  assertIncludes(report.checks[0].sentence, 'needs the column "new"');
  assertIncludes(report.warnings[0], "not judged");
});

Deno.test("rows that a model was trained from are warned about", async () => {
  const { data, answers } = world(3000);
  const digest = (await gate(data, model("a", answers(0.1)), model("b", answers(0.2)))).data.digest;
  const flattered = model("a", answers(0.1), { trained: { dataset: digest } });
  const { warnings } = await gate(data, flattered, model("b", answers(0.2)));
  assertEquals(warnings, [
    "the candidate was trained from these very rows: its numbers are too good to judge by",
  ]);
});

Deno.test("what cannot judge is an error that says what to do", async () => {
  const { data, answers } = world(300);
  const [a, b] = [model("a", answers(0.1)), model("b", answers(0.2))];
  const [x, y] = data.columns as Extract<Column, { kind: "numeric" }>[];
  const refused = (
    code: Parameters<typeof assertSerinError>[1],
    parts: string[],
    { given = data, candidate = a, spec = {} }: {
      given?: Dataset;
      candidate?: GateModel;
      spec?: object;
    },
  ) => assertSerinError(() => gate(given, candidate, b, spec), code, ...parts);
  await refused("not_found", ['no column "yy"', 'did you mean "y"?'], { spec: { target: "yy" } });
  await refused("invalid_input", ["the same file"], { candidate: { ...b, uri: "c" } });
  const withTarget = (values: Float64Array) => ({ rows: 300, columns: [x, numeric("y", values)] });
  const gap = y.values.slice();
  gap[7] = NaN;
  await refused("invalid_data", ["no finite value in data row 7"], { given: withTarget(gap) });
  await refused("invalid_data", ["1 class (1)", "both outcomes"], {
    given: withTarget(new Float64Array(300).fill(1)),
  });
  await refused("invalid_data", ["300 classes", "regression"], { given: withTarget(x.values) });
  await refused("configuration", ['"positive" is no class', '"up"'], { spec: { positive: "up" } });
  await refused("configuration", ["slices", 'no column "z"'], {
    spec: { slices: { columns: ["z"] } },
  });
  await refused("configuration", ["relative.mae", "binary"], { spec: { relative: { mae: {} } } });
  const odd = answers(0.1), scores = Float64Array.from(odd.scores!);
  scores[5] = NaN;
  const answering = (given: Predictions) => ({ candidate: model("a", given) });
  await refused(
    "inference_failed",
    ["candidate a", "NaN in data row 5"],
    answering({ ...odd, scores }),
  );
  await refused(
    "inference_failed",
    ["is no probability"],
    answering({
      ...odd,
      scores: scores.fill(1.5),
    }),
  );
  await refused(
    "invalid_data",
    ['predicts "UP"', "the target has 0 and 1"],
    answering({
      ...odd,
      labels: odd.labels!.map(() => "UP"),
    }),
  );
  await refused("unsupported_model", ["no probability"], answering({ ...odd, scores: undefined }));
});

Deno.test("a regression is judged by its errors", async () => {
  const random = new SeededRandom(3), rows = 3000;
  const truth = Float64Array.from({ length: rows }, () => 100 * random.unit());
  const data: Dataset = { rows, columns: [numeric("x", truth), numeric("y", truth)] };
  const answers = (error: number): Predictions => ({
    scores: truth.map((y) => y + error * (random.unit() - 0.5)),
    labels: undefined,
  });
  const spec = {
    objective: "regression",
    relative: { rmse: {}, mae: { require: "better" } },
    absolute: { rmse: { max: 4 } },
  };
  const report = await gate(data, model("a", answers(10)), model("b", answers(12)), spec);
  assertEquals([report.outcome, report.relation], ["passed", "better"]);
  const { difference, candidate } = report.checks.find(({ id }) => id === "relative.rmse")!;
  // Uniform errors: the root mean square is the width by √12.
  assertClose(candidate!.value, 10 / Math.sqrt(12), 0.1);
  assertClose(difference!.value, -2 / Math.sqrt(12), 0.1);
});

function missingColumn(): Error {
  return new SerinError("invalid_input", 'rows.csv does not fit: column "new" is missing');
}
