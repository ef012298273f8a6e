import { SeededRandom } from "../core/mod.ts";
import { openDatabase } from "../database/mod.ts";
import { assertEquals, assertSerinError, assertTrue, FakeClock } from "../testing/mod.ts";
import { openTracking, type Tracking, TRACKING_MIGRATIONS } from "./mod.ts";

function withTracking(test: (tracking: Tracking, clock: FakeClock) => Promise<void> | void) {
  return async () => {
    using database = openDatabase(":memory:", TRACKING_MIGRATIONS);
    const clock = new FakeClock();
    const random = new SeededRandom(1);
    await test(
      openTracking({ database, clock, random, artifactRoot: "mlflow-artifacts:/" }),
      clock,
    );
  };
}

function newRun({ runs }: Tracking, startedMs = 0, experimentId = "0"): string {
  return runs.create({ experimentId, userId: "", startedMs, name: "", tags: [] }).runId;
}

Deno.test(
  "experiment 0 is there from the start, and where files go is derived",
  withTracking(({ experiments, runs, models }) => {
    assertEquals(experiments.get("0").name, "Default");
    assertEquals(experiments.get("0").artifactLocation, "mlflow-artifacts:/0");
    const id = experiments.create("e");
    assertEquals([id, experiments.get(id).artifactLocation], ["1", "mlflow-artifacts:/1"]);
    const fixed = experiments.create("fixed", "s3://bucket/a?x=1");
    const run = runs.create({ experimentId: fixed, userId: "", startedMs: 0, name: "r", tags: [] });
    assertEquals(run.artifactUri, `s3://bucket/a/${run.runId}/artifacts?x=1`);
    const model = models.create({
      experimentId: id,
      modelType: "",
      sourceRunId: "",
      params: [],
      tags: [],
    });
    assertEquals(model.artifactLocation, `mlflow-artifacts:/1/models/${model.modelId}/artifacts`);
  }),
);

Deno.test(
  "deleting an experiment deletes its runs, restoring brings them back",
  withTracking(async (tracking) => {
    const { experiments, runs } = tracking;
    const id = experiments.create("e");
    const runId = newRun(tracking, 0, id);
    experiments.delete(id);
    assertEquals(runs.get(runId).stage, "deleted");
    await assertSerinError(() => newRun(tracking, 0, id), "invalid_input", "'active' state");
    await assertSerinError(() => experiments.delete(id), "not_found");
    await assertSerinError(() => experiments.create("e"), "already_exists");
    experiments.restore(id);
    assertEquals(runs.get(runId).stage, "active");
  }),
);

Deno.test(
  "the newest point of a metric is by step, then time, then value; the same point is one",
  withTracking((tracking) => {
    const { runs, metrics } = tracking;
    const runId = newRun(tracking);
    const log = (value: number, step: number, timestamp: number) =>
      runs.logMetric(runId, { key: "m", value, step, timestamp });
    log(5, 2, 10);
    log(9, 1, 99);
    log(5, 2, 10);
    assertEquals(runs.get(runId).metrics[0].value, 5);
    log(6, 2, 10);
    log(NaN, 3, 1);
    log(NaN, 3, 1);
    assertTrue(Number.isNaN(runs.get(runId).metrics[0].value), "NaN is the newest");
    log(Infinity, 4, 1);
    assertEquals(runs.get(runId).metrics[0].value, Number.MAX_VALUE);
    const history = metrics.history(runId, "m").items.map(({ step, value }) => [step, value]);
    assertEquals(history, [[3, NaN], [4, Number.MAX_VALUE], [2, 5], [2, 6], [1, 9]]);
  }),
);

Deno.test(
  "a batch is logged whole or not at all",
  withTracking(async (tracking) => {
    const { runs } = tracking;
    const runId = newRun(tracking);
    runs.logParam(runId, "a", "1");
    await assertSerinError(
      () =>
        runs.logBatch(runId, {
          metrics: [{ key: "m", value: 1, timestamp: 0, step: 0 }],
          params: [{ key: "b", value: "2" }, { key: "a", value: "it's" }],
          tags: [],
        }),
      "invalid_input",
      `[{'key': 'a', 'old_value': '1', 'new_value': "it's"}]`,
    );
    const run = runs.get(runId);
    assertEquals([run.params.length, run.metrics.length], [1, 0]);
  }),
);

Deno.test(
  "what is too much or too long is refused with MLflow's words",
  withTracking(async (tracking) => {
    const { runs } = tracking;
    const runId = newRun(tracking);
    const refuse = (batch: object, ...parts: string[]) =>
      assertSerinError(
        () => runs.logBatch(runId, { metrics: [], params: [], tags: [], ...batch }),
        "invalid_input",
        ...parts,
      );
    const pairs = (count: number) =>
      Array.from({ length: count }, (_, i) => ({ key: `k${i}`, value: "" }));
    const point = { key: "m", value: 1, timestamp: 0, step: 0 };
    await refuse({ params: pairs(101) }, "at most 100 params. Got 101 params");
    await refuse({ tags: pairs(101) }, "at most 100 tags");
    await refuse({ metrics: Array(1001).fill(point) }, "at most 1000 metrics");
    await refuse(
      { metrics: Array(901).fill(point), tags: pairs(100) },
      "at most 1000 metrics, params, and tags",
    );
    await refuse({ metrics: [{ ...point, key: "a".repeat(251) }] }, "exceeds the maximum length");
    await refuse({ metrics: [{ ...point, timestamp: -1 }] }, "metrics[0].timestamp", "nonnegative");
    await refuse({ params: [{ key: "../a", value: "" }] }, "params[0].key", "resolve to '../a'");
    await refuse({ params: [...pairs(1), ...pairs(1)] }, "Duplicate parameter keys", "'k0'");
    runs.logParam(runId, "long", "é".repeat(7000));
    assertEquals(runs.get(runId).params[0].value.length, 6000);
  }),
);

Deno.test(
  "a search of runs filters, orders and pages",
  withTracking((tracking) => {
    const { runs } = tracking;
    const ids = [1, 2, 3, 4].map((start) => newRun(tracking, start));
    const losses = [0.5, NaN, 0.1];
    losses.forEach((value, i) =>
      runs.logMetric(ids[i], { key: "loss", value, step: 0, timestamp: 0 })
    );
    runs.logParam(ids[0], "kind", "A_b");
    runs.logParam(ids[1], "kind", "axb");
    const check = (filter: string, expected: number[], orderBy: string[] = []) => {
      const page = runs.search({
        experimentIds: ["0"],
        filter,
        orderBy,
        view: "active",
        limit: 10,
      });
      assertEquals(page.items.map(({ runId }) => ids.indexOf(runId)), expected, filter);
    };
    check("", [3, 2, 1, 0]);
    check("metrics.loss < 1", [2, 0]);
    check("metrics.loss != 0.5", [2, 1]);
    check("metrics.loss = 0", []);
    check("params.kind LIKE 'A_b'", [0]);
    check("params.kind ILIKE 'a_b'", [1, 0]);
    check("params.kind IS NULL", [3, 2]);
    check("params.kind != 'axb' AND metrics.loss > 0", [0]);
    check("start_time >= 3", [3, 2]);
    check(`run_id NOT IN ('${ids[0]}', '${ids[1]}')`, [3, 2]);
    check("", [2, 0, 1, 3], ["metrics.loss ASC"]);
    check("", [0, 2, 1, 3], ["metrics.loss DESC"]);
    check("", [0, 1, 3, 2], ["params.kind"]);
    const first = runs.search({ experimentIds: ["0"], view: "active", limit: 3 });
    const rest = runs.search({
      experimentIds: ["0"],
      view: "active",
      limit: 3,
      pageToken: first.nextPageToken,
    });
    assertEquals([first.items.length, rest.items.length], [3, 1]);
    assertEquals(rest.nextPageToken, undefined);
  }),
);

Deno.test(
  "datasets are one input however often they are logged, and are searched",
  withTracking((tracking) => {
    const { runs, inputs } = tracking;
    const [first, second] = [newRun(tracking, 1), newRun(tracking, 2)];
    const dataset = { name: "d", digest: "1", sourceType: "local", source: "x" };
    const tags = [{ key: "mlflow.data.context", value: "train" }];
    inputs.logInputs(first, [{ dataset, tags }, { dataset, tags }]);
    inputs.logInputs(first, [{ dataset, tags }]);
    inputs.logInputs(second, [{ dataset, tags: [] }]);
    assertEquals(runs.get(first).datasets.length, 1);
    const found = (filter: string) =>
      runs.search({ experimentIds: ["0"], filter, view: "all", limit: 9 }).items.length;
    assertEquals(found("dataset.name = 'd'"), 2);
    assertEquals(found("dataset.context IN ('train', 'eval')"), 1);
    assertEquals(inputs.summarize(["0"]).length, 2);
  }),
);

Deno.test(
  "a sample keeps the first and the last point and as many as were asked for",
  withTracking((tracking) => {
    const runId = newRun(tracking);
    const metrics = Array.from(
      { length: 1000 },
      (_, i) => ({ key: "m", value: i, step: i, timestamp: 1000 - i }),
    );
    tracking.runs.logBatch(runId, { metrics, params: [], tags: [] });
    const steps = tracking.metrics.sample([runId], "m", 10).map(({ step }) => step);
    assertEquals([steps.length, steps[0], steps.at(-1)], [10, 0, 999]);
    const some = tracking.metrics.sample([runId], "m", 100, [5, 8]).map(({ step }) => step);
    assertEquals(some, [5, 6, 7, 8]);
  }),
);

Deno.test(
  "logged models are found by their metrics, the best first",
  withTracking(async (tracking) => {
    const { models, runs } = tracking;
    const runId = newRun(tracking);
    const make = (name: string, accuracy: number) => {
      const { modelId } = models.create({
        experimentId: "0",
        name,
        modelType: "",
        sourceRunId: runId,
        params: [],
        tags: [],
      });
      const metric = { key: "acc", value: accuracy, step: 0, timestamp: 0, modelId };
      runs.logMetric(runId, { ...metric, datasetName: "test", datasetDigest: name });
      return modelId;
    };
    const [low, high] = [make("low", 0.5), make("high", 0.9)];
    const search = { experimentIds: ["0"], limit: 1 };
    const orderBy = [{ field: "metrics.acc", ascending: false }];
    const page = models.search({ ...search, orderBy });
    assertEquals(page.items.map(({ modelId }) => modelId), [high]);
    const { nextPageToken: pageToken } = page;
    assertEquals(models.search({ ...search, orderBy, pageToken }).items[0].modelId, low);
    await assertSerinError(() => models.search({ ...search, pageToken }), "invalid_input", "token");
    const only = models.search({ ...search, datasets: [{ name: "test", digest: "low" }] });
    assertEquals(only.items.map(({ modelId }) => modelId), [low]);
    models.delete(low);
    assertEquals(models.find(low), undefined);
    assertEquals(models.get(low, true).modelId, low);
  }),
);

Deno.test(
  "logged models: tokens and fields of another kind are refused",
  withTracking(async ({ models }) => {
    const search = { experimentIds: ["0"], limit: 1 };
    for (const token of ["%%", btoa("null"), btoa("1"), btoa("[]"), btoa('{"offset":1}')]) {
      const page = () => models.search({ ...search, pageToken: token });
      await assertSerinError(page, "invalid_input", "page token");
    }
    const many = Array.from({ length: 201 }, () => ({ name: "d" }));
    const crowd = () => models.search({ ...search, datasets: many });
    await assertSerinError(crowd, "invalid_input", "at most 200 items of 'datasets'. Got 201");
    models.search({ ...search, datasets: many.slice(1) });
    for (const field of ["foo", "constructor", "toString"]) {
      const order = () => models.search({ ...search, orderBy: [{ field, ascending: true }] });
      await assertSerinError(order, "invalid_input", "Invalid order by field name");
    }
  }),
);

Deno.test(
  "an empty tag of the run's name leaves the name, and the tag that repeats it",
  withTracking((tracking) => {
    const { runs } = tracking;
    const runId = newRun(tracking);
    runs.setTag(runId, "mlflow.runName", "named");
    runs.setTag(runId, "mlflow.runName", "");
    const { name, tags } = runs.get(runId);
    assertEquals([name, tags], ["named", [{ key: "mlflow.runName", value: "named" }]]);
  }),
);
