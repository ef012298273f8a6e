import { assertEquals, assertIncludes } from "../testing/mod.ts";
import { addInferenceMetrics } from "./inference_metrics.ts";
import { InferenceStats } from "./inference_stats.ts";
import { Metrics } from "./metrics.ts";
import { StatsTotals } from "./stats_totals.ts";

function count(stats: InferenceStats, requests: number): void {
  for (let i = 0; i < requests; i++) stats.answered("m", "1", 0.002);
  stats.failed("m", "1", 0.3, "exception");
  stats.scored("m", "1", new Float32Array([0.02, 0.97]));
  stats.status(200);
}

Deno.test("counters never go back when an isolate dies and another takes its place", () => {
  const totals = new StatsTotals(), requests = () => totals.total().versions[0].answered;
  for (let round = 1; round <= 3; round++) {
    const isolate = {}, stats = new InferenceStats();
    count(stats, 10);
    totals.update(isolate, structuredClone(stats.snapshot()));
    assertEquals(requests(), 10 * round);
    totals.retire(isolate);
    assertEquals(requests(), 10 * round);
  }
  assertEquals(totals.total().versions[0].failed, { exception: 3 });
  assertEquals(totals.total().statuses, { 200: 3 });
});

Deno.test("histograms are cumulative, end in +Inf, and count and sum agree", async () => {
  const stats = new InferenceStats(), metrics = new Metrics();
  count(stats, 4);
  addInferenceMetrics(metrics, () => stats.snapshot());
  const text = await metrics.text();
  const labels = 'model="m",model_version="1"';
  const name = "serin_inference_duration_seconds";
  assertIncludes(text, `${name}_bucket{${labels},le="0.001"} 0\n`);
  assertIncludes(text, `${name}_bucket{${labels},le="0.0025"} 4\n`);
  assertIncludes(text, `${name}_bucket{${labels},le="+Inf"} 5\n`);
  assertIncludes(text, `${name}_count{${labels}} 5\n`);
  assertIncludes(text, `serin_inference_requests_total{${labels}} 5\n`);
  assertIncludes(text, `serin_inference_errors_total{${labels},reason="exception"} 1\n`);
  assertIncludes(text, `serin_prediction_probability_ratio_bucket{${labels},le="0.05"} 1\n`);
});
