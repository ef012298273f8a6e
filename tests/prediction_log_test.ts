/** `serin serve --prediction-log` and `serin predictions export`, as a user has them. */
import { DatabaseSync } from "node:sqlite";
import { SeededRandom } from "../src/core/mod.ts";
import {
  assertEquals,
  assertIncludes,
  assertTrue,
  linearModel,
  until,
} from "../src/testing/mod.ts";
import { askAndLabel, drawRows } from "./support/two_worlds.ts";
import { Workbench } from "./support/workbench.ts";

Deno.test("what was asked is exported with its labels, also while serve runs, and after kill -9", async () => {
  await using bench = await Workbench.open();
  await bench.write("linear/model.onnx", linearModel());
  const args = [bench.path("linear"), "--prediction-log", bench.path("log"), "--workers", "2"];
  const served = await bench.serve(args);
  const rows = drawRows(20, 1, new SeededRandom(1));
  for (let i = 0; i < 5; i++) await askAndLabel(served, "linear", rows);
  await served.infer("linear", { a: [7], b: [8] });
  const metric = async (name: string) =>
    Number(new RegExp(`^${name}(?:\\{.*\\})? (\\d+)`, "m").exec(await served.metrics())?.[1] ?? 0);
  await until(
    "rows are written",
    async () => await metric("serin_prediction_log_rows_total") === 101,
  );
  await until("labels too", async () => await metric("serin_prediction_log_labels_total") === 100);
  assertTrue(await metric("serin_prediction_log_bytes") > 1000, "bytes are told");

  const again = bench.path("cache2");
  const second = await bench.run(
    ...["serve", ...args, "--port", "0", "--admin-port", "0", "--cache", again],
  );
  assertEquals(second.code, 1);
  assertIncludes(second.stderr, "is the prediction log of another process");

  const exported = async (...more: string[]) => {
    const { code, stdout, stderr } = await bench.run(
      ...["predictions", "export", "--log", "log", "--output", "out.csv", "--json", ...more],
    );
    assertEquals(code, 0, stderr);
    const lines = (await Deno.readTextFile(bench.path("out.csv"))).trimEnd().split("\n");
    return { report: JSON.parse(stdout), lines };
  };
  const all = await exported();
  assertEquals([all.report.rows, all.report.labelled, all.lines.length], [101, 100, 102]);
  assertEquals(all.lines[0], "a,b,target");
  assertIncludes(all.lines.join("\n"), "\n7,8,");
  assertEquals(
    all.lines.filter((line) => line === `${rows.a[0]},${rows.b[0]},${rows.y[0]}`).length,
    5,
  );
  assertEquals((await exported("--labelled", "--since", "1h", "--target", "y")).lines.length, 101);
  assertEquals((await exported("--until", "2020-01-01")).report.rows, 0);

  await served.process.kill();
  assertEquals((await exported()).report.rows, 101);
  await using restarted = (await bench.serve(args)).process;
  await restarted.stop();
  assertEquals((await exported()).report.rows, 101);
});

Deno.test("a disk that does not answer holds no answer up; what it does not take is counted", async () => {
  await using bench = await Workbench.open();
  await bench.write("linear/model.onnx", linearModel());
  const served = await bench.serve([bench.path("linear"), "--prediction-log", bench.path("log")]);
  const random = new SeededRandom(2), rows = drawRows(3000, 1, random);
  const columns = { a: rows.a, b: rows.b };
  await served.infer("linear", columns);
  const holder = new DatabaseSync(bench.path("log/predictions.db"));
  holder.exec("BEGIN IMMEDIATE");
  let asked = 1, longestMs = 0;
  for (const end = performance.now() + 6000; performance.now() < end; asked++) {
    const start = performance.now();
    assertEquals((await served.infer("linear", columns)).status, 200);
    longestMs = Math.max(longestMs, performance.now() - start);
  }
  holder.exec("ROLLBACK");
  holder.close();
  assertTrue(longestMs < 3000, `the longest answer took ${longestMs} ms`);
  const sum = (text: string, name: string) =>
    [...text.matchAll(new RegExp(`^${name}\\{.*\\} (\\d+)`, "gm"))]
      .reduce((total, [, value]) => total + Number(value), 0);
  await until("every row is written or counted", async () => {
    const text = await served.metrics();
    const dropped = sum(text, "serin_prediction_log_dropped_total");
    const written = sum(text, "serin_prediction_log_rows_total");
    if (written + dropped !== 3000 * asked) {
      throw new Error(`${written} written, ${dropped} dropped of ${3000 * asked}`);
    }
    return dropped > 0;
  });
});

Deno.test("what cannot be logged or exported is refused with a way out", async () => {
  await using bench = await Workbench.open();
  await bench.write("linear/model.onnx", linearModel());
  const serve = ["serve", "linear", "--port", "0", "--admin-port", "0", "--prediction-log", "log"];
  await bench.refused([...serve, "--prediction-log-bytes", "lots"], 2, "--prediction-log-bytes");
  await bench.refused([...serve, "--prediction-log-rate", "0"], 2, "--prediction-log-rate");
  const out = ["predictions", "export", "--output", "out.csv"];
  await bench.refused(out, 2, "--log");
  await bench.refused([...out, "--log", "none"], 1, "none/predictions.db");
  await bench.write("text/predictions.db", "no database at all, but long enough to be looked at");
  await bench.refused([...out, "--log", "text"], 1, "text/predictions.db");
});
