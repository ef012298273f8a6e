import { assertEquals, assertIncludes, FakeClock } from "../testing/mod.ts";
import { Metrics } from "./metrics.ts";
import { addModelMetrics, addQualityMetrics } from "./quality_metrics.ts";
import { sharedReading } from "./shared_reading.ts";

Deno.test("realised quality, label delay and age are shown as they are read", async () => {
  const metrics = new Metrics();
  const one = { model: "m", version: "2" };
  addQualityMetrics(metrics, [1, 60], () => ({
    realised: [{ ...one, window: "1h", labelled: 10, errorRatio: 0.1, lower: 0.02, upper: 0.4 }],
    delays: [{ model: "m", counts: [1, 2, 3], sumSeconds: 500, lastAt: 4000 }],
  }));
  const aliased = ["champion", "stable"].map((alias) => ({
    ...one,
    alias,
    createdMs: 1000,
    referenceError: alias === "champion" ? 0.125 : undefined,
  }));
  const read = () => ({ aliased, newest: [{ model: "m", createdMs: 2000 }] });
  addModelMetrics(metrics, { read, now: () => 61_000 });
  const text = await metrics.text();
  for (
    const line of [
      'serin_realised_error_ratio{model="m",model_version="2",window="1h"} 0.1',
      'serin_realised_error_lower_ratio{model="m",model_version="2",window="1h"} 0.02',
      'serin_realised_error_upper_ratio{model="m",model_version="2",window="1h"} 0.4',
      'serin_realised_labels{model="m",model_version="2",window="1h"} 10',
      'serin_label_delay_seconds_bucket{model="m",le="60"} 3',
      'serin_label_delay_seconds_count{model="m"} 6',
      'serin_last_label_timestamp_seconds{model="m"} 4',
      'serin_model_age_seconds{model="m",model_version="2",alias="stable"} 60',
      'serin_reference_error_ratio{model="m",model_version="2"} 0.125',
      'serin_last_training_timestamp_seconds{model="m"} 2',
    ]
  ) assertIncludes(text, `${line}\n`);
});

Deno.test("a reading is shared within a scrape and renewed for the next", () => {
  const clock = new FakeClock();
  let reads = 0;
  const read = sharedReading(() => ++reads, clock);
  assertEquals([read(), read()], [1, 1]);
  clock.advance(1000);
  assertEquals(read(), 2);
});
