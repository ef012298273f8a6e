import { assertEquals, assertIncludes, FakeClock } from "../testing/mod.ts";
import { Metrics } from "../telemetry/mod.ts";
import { DriftBook } from "./drift_book.ts";
import { addDriftMetrics } from "./drift_metrics.ts";
import type { ModelProfile } from "./model_profile.ts";
import { VersionSketch } from "./version_sketch.ts";

const profile: ModelProfile = {
  columns: [{
    name: "a",
    rows: 400,
    nullRatio: 0.02,
    edges: [0, 1, 2],
    counts: [200, 200],
    discrete: false,
  }],
  prediction: undefined,
  leftOut: 0,
};
const WINDOW_MS = 3_600_000;

function openRig() {
  const clock = new FakeClock(), book = new DriftBook(clock, WINDOW_MS);
  const isolate = () => {
    const key = {}, sketch = new VersionSketch(profile, book.partMs);
    book.add(key, "m", "1", sketch.buffer);
    const count = (rows: number, value: number) => {
      const data = new Float32Array(rows).fill(value);
      const inputs = [{ name: "a", shape: [rows], data }];
      sketch.observe(inputs, rows, { scores: undefined, now: clock.now() });
    };
    return { key, count };
  };
  const read = () => {
    clock.advance(1000);
    const [drift] = book.drifts();
    return drift && [drift.rowsTotal, drift.columns[0].rows, drift.columns[0].unseenRatio];
  };
  return { clock, book, isolate, read };
}

Deno.test("isolates add up; one that dies keeps its part of the window and of the total", () => {
  const { clock, book, isolate, read } = openRig();
  book.hold("m", "1", profile);
  const a = isolate(), b = isolate();
  a.count(150, 0.5);
  b.count(50, 7);
  assertEquals(read(), [200, 200, 0.25]);
  book.retire(a.key);
  assertEquals(read(), [200, 200, 0.25]);
  const c = isolate();
  c.count(200, 0.5);
  assertEquals(read(), [400, 400, 0.125]);
  book.retire(c.key);
  clock.advance(30 * 60_000);
  b.count(1, 1);
  assertEquals(read(), [401, 401, 50 / 401]);
  clock.advance(40 * 60_000);
  assertEquals(read(), [401, 1, undefined]);
});

Deno.test("a version that is dropped leaves; what comes late of it is not taken", () => {
  const { book, isolate, read } = openRig();
  book.hold("m", "1", profile);
  isolate().count(300, 1);
  assertEquals(read()?.[0], 300);
  book.drop("m", "1");
  assertEquals(read(), undefined);
  isolate().count(300, 1);
  assertEquals(read(), undefined);
  book.hold("m", "1", profile);
  assertEquals(read(), [0, 0, undefined]);
});

Deno.test("metrics: what is known is shown, what is not is absent", async () => {
  const { clock, book, isolate } = openRig(), metrics = new Metrics();
  book.hold("m", "1", profile);
  book.hold("m", "2", { missing: "there is no profile.json beside its model.onnx" });
  addDriftMetrics(metrics, () => book.drifts());
  const labels = 'model="m",model_version="1"';
  assertIncludes(await metrics.text(), `serin_feature_rows_total{${labels}} 0\n`);
  assertEquals((await metrics.text()).includes("serin_feature_drift_psi{"), false);
  isolate().count(300, 2);
  clock.advance(1000);
  const text = await metrics.text();
  assertIncludes(text, `serin_feature_null_ratio{${labels},column="a"} 0\n`);
  assertIncludes(text, `serin_feature_reference_null_ratio{${labels},column="a"} 0.02\n`);
  assertEquals(/serin_feature_drift_psi\{[^}]*column="a"\} [1-9]/.test(text), true);
  assertEquals(text.includes('model_version="2"'), false);
  assertEquals(book.watched().map(({ version, rows, missing }) => [version, rows, missing]), [
    ["1", 300, undefined],
    ["2", 0, "there is no profile.json beside its model.onnx"],
  ]);
});
