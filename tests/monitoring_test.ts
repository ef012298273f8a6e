/**
 * What a model is asked is held against what it was trained on, and what it answered against the labels
 * that come later: on `/metrics` of a real serve and a real registry, in words that promtool accepts.
 */
import { SeededRandom } from "../src/core/mod.ts";
import {
  assertEquals,
  assertIncludes,
  assertTrue,
  linearModel,
  TestRegistry,
  until,
} from "../src/testing/mod.ts";
import { checkMetrics } from "./prometheus/check_metrics.ts";
import { findPrometheus } from "./prometheus/find_prometheus.ts";
import { ask, type Served, Workbench } from "./support/workbench.ts";

const MODEL = "prices";
const SEED = 11;
const random = new SeededRandom(SEED);

/** One row: a grade of three, a number that is sometimes missing, and what comes of them. */
function drawRow(): { grade: number; load: number; target: number } {
  const grade = random.uint32() % 3, load = random.unit();
  return { grade, load, target: Number(load + 0.2 * grade + 0.4 * random.unit() > 0.9) };
}

/** Trains on freshly drawn rows and registers the next version. */
async function train(bench: Workbench, url: string): Promise<void> {
  const lines = Array.from({ length: 3000 }, (_, i) => {
    const { grade, load, target } = drawRow();
    return `${grade},${i % 50 === 0 ? "" : load},${target}`;
  });
  const data = await bench.write("rows.csv", `grade,load,target\n${lines.join("\n")}\n`);
  const { code, stderr } = await bench.run(
    ...["train", "--data", data, "--target", "target", "--out", bench.path("model"), "--overwrite"],
    ...["--registry", url, "--register", MODEL],
  );
  assertEquals(code, 0, stderr);
}

/** Sends rows in batches. */
async function send(
  served: Served,
  rows: number,
  row: () => { grade: number; load: number | null },
): Promise<void> {
  for (let sent = 0; sent < rows; sent += 50) {
    const batch = Array.from({ length: 50 }, row);
    const columns = { grade: batch.map((r) => r.grade), load: batch.map((r) => r.load) };
    const { status, text } = await served.infer(MODEL, columns);
    assertEquals(status, 200, text);
  }
}

/** The value of a series whose labels hold this text; undefined where it is not there. */
function valueOf(page: string, name: string, labels: string): number | undefined {
  const line = page.split("\n").find((one) => one.startsWith(`${name}{`) && one.includes(labels));
  return line === undefined ? undefined : Number(line.slice(line.lastIndexOf(" ")));
}

async function seen(served: Served, version: string, rows: number): Promise<string> {
  return await until(`version ${version} has ${rows} rows`, async () => {
    const page = await served.metrics();
    const counted = valueOf(page, "serin_feature_rows_total", `model_version="${version}"`);
    return counted === rows ? page : undefined;
  });
}

async function checkDrift(served: Served): Promise<void> {
  await send(served, 1000, drawRow);
  const quiet = await seen(served, "1", 1000);
  for (const column of ["grade", "load"]) {
    const psi = valueOf(quiet, "serin_feature_drift_psi", `column="${column}"`);
    assertTrue(psi !== undefined && psi < 0.1, `${column} ${psi}, seed ${SEED}`);
    assertEquals(valueOf(quiet, "serin_feature_null_ratio", `column="${column}"`), 0);
  }
  const predicted = valueOf(quiet, "serin_prediction_drift_psi", MODEL);
  assertTrue(predicted !== undefined && predicted < 0.1, `${predicted}, seed ${SEED}`);
  const nulls = valueOf(quiet, "serin_feature_reference_null_ratio", `column="load"`);
  assertTrue(nulls! > 0.01 && nulls! < 0.03, `2 % were missing in training: ${nulls}`);
  let n = 0;
  await send(served, 1000, () => {
    n++;
    return { grade: n % 2 === 0 ? 7 : 1, load: n % 4 === 0 ? null : 0.9 + random.unit() };
  });
  const shifted = await seen(served, "1", 2000);
  const psi = (column: string) => valueOf(shifted, "serin_feature_drift_psi", `"${column}"`)!;
  assertTrue(psi("grade") > 0.1 && psi("load") > 0.5, `${psi("grade")} ${psi("load")}`);
  assertEquals(valueOf(shifted, "serin_feature_unseen_ratio", `column="grade"`), 0.25);
  assertEquals(valueOf(shifted, "serin_feature_null_ratio", `column="load"`), 0.125);
  assertTrue(valueOf(shifted, "serin_prediction_drift_psi", MODEL)! > 0.1, "predictions moved");
}

/** Labels single rows, every fourth of them as wrong. */
async function label(served: Served): Promise<void> {
  for (let i = 0; i < 40; i++) {
    const { grade, load } = drawRow();
    const { json } = await served.infer(MODEL, { grade: [grade], load: [load] });
    const predicted = json.outputs.find((output: { name: string }) => output.name === "label");
    const truth = i % 4 === 0 ? 1 - predicted.data[0] : predicted.data[0];
    const prediction = json.parameters.serin_prediction;
    const { json: answer } = await served.label([{ prediction, row: 0, label: truth }]);
    assertEquals(answer.accepted, 1);
  }
}

async function checkRealised(api: TestRegistry): Promise<string> {
  const page = (await ask(`${api.url}/metrics`)).text;
  const value = (name: string, labels = "") => valueOf(page, name, labels);
  for (const window of ["1h", "24h", "7d"]) {
    const at = `model_version="1",window="${window}"`;
    assertEquals(value("serin_realised_labels", at), 40);
    assertEquals(value("serin_realised_error_ratio", at), 0.25);
    assertTrue(value("serin_realised_error_lower_ratio", at)! > 0.1, window);
    assertTrue(value("serin_realised_error_upper_ratio", at)! < 0.5, window);
  }
  assertEquals(value("serin_label_delay_seconds_count", MODEL), 40);
  assertTrue(value("serin_model_age_seconds", 'alias="champion"')! > 0, "the champion has an age");
  const trained = value("serin_reference_error_ratio", 'model_version="1"')!;
  assertTrue(trained > 0 && trained < 0.3, `error of training: ${trained}`);
  assertTrue(value("serin_last_label_timestamp_seconds")! > 1.6e9, "a time");
  return page;
}

Deno.test("drift and realised quality, from training to /metrics", async (t) => {
  const programs = await findPrometheus();
  await using bench = await Workbench.open();
  const { api } = await bench.registry();
  await train(bench, api.url);
  await api.client.models.setAlias(MODEL, "champion", "1");
  const plain = await api.register("plain", linearModel());
  await api.client.models.setAlias("plain", "champion", plain);
  const served = await bench.serve([
    ...["--registry", api.url, "--model", `models:/${MODEL}@champion`, "--workers", "2"],
    ...["--model", "models:/plain@champion"],
  ]);
  await t.step(
    "the distribution of training is quiet, another one is told",
    () => checkDrift(served),
  );
  await t.step("a model without a profile has no drift, and /status says why", async () => {
    const { drift } = await served.status();
    const [one] = drift.filter((each: { model: string }) => each.model === "plain");
    assertIncludes(one.missing, "no profile.json");
    const [watched] = drift.filter((each: { model: string }) => each.model === MODEL);
    assertEquals([watched.version, watched.columns, watched.rows], ["1", 2, 2000]);
    assertEquals(
      (await served.metrics()).includes('serin_feature_rows_total{model="plain"'),
      false,
    );
  });
  let registryPage = "";
  await t.step("labels become realised quality, with intervals, by version", async () => {
    await label(served);
    registryPage = await checkRealised(api);
  });
  await t.step(
    "promtool has nothing to say" +
      ("missing" in programs ? ` (skipped: ${programs.missing})` : ""),
    async () => {
      if ("missing" in programs) return;
      for (const page of [await served.metrics(), registryPage]) {
        assertEquals(await checkMetrics(programs.promtool, page), { code: 0, output: "" });
      }
    },
  );
  await t.step("a version that is dropped leaves, the next one begins anew", async () => {
    await train(bench, api.url);
    await api.client.models.setAlias(MODEL, "champion", "2");
    await until(
      "version 1 is gone",
      async () =>
        !(await served.metrics()).includes(
          'serin_feature_rows_total{model="prices",model_version="1"',
        ),
    );
    await send(served, 300, drawRow);
    const page = await seen(served, "2", 300);
    assertTrue(valueOf(page, "serin_feature_drift_psi", 'column="load"')! < 0.1, "quiet again");
  });
});
