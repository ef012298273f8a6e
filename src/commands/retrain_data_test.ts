import { silentLog } from "../core/mod.ts";
import { PredictionLog } from "../monitor/prediction_log/mod.ts";
import { BlockWriter, type LoggedAnswer } from "../monitor/prediction_log/prediction_block.ts";
import { retrainSpecSchema } from "../retrain/mod.ts";
import { assertEquals, assertIncludes, FakeClock } from "../testing/mod.ts";
import { openDataCollector } from "./retrain_data.ts";

Deno.test("of a log that grows, no more is collected than rows_max wants, and no label of no class", async () => {
  const folder = await Deno.makeTempDir(), clock = new FakeClock();
  const log = await PredictionLog.open({
    ...{ folder, rate: 1, bytesMax: 2 ** 24, clock, log: silentLog },
  });
  for (let n = 0; n < 40; n++) {
    clock.advance(1000);
    const nonce = new Uint8Array(8).fill(n);
    const inputs = [{ name: "x", datatype: "FP32", data: Float32Array.of(n) }];
    const answer: LoggedAnswer = {
      ...{
        model: "m",
        version: "1",
        arm: "stable" as const,
        time: clock.now(),
        nonce,
        rows: 1,
        inputs,
      },
      ...{ labels: undefined, scores: undefined },
    };
    const writer = new BlockWriter(answer, 1000);
    writer.add(answer);
    log.add({ blocks: [writer.finish()], dropped: [] }, () => {});
    log.addLabels([{ nonce, row: 0, label: n === 35 ? 7 : n % 2 }]);
  }
  log.write({ now: true });
  const data = { prediction_log: [folder], rows_min: 10, rows_max: 12 };
  const [spec] = retrainSpecSchema.parse({ models: [{ model: "m", data }] }).models;
  const path = `${folder}/rows.csv`;
  const training = { objective: "binary" as const, target: undefined, dataset: undefined };
  const { rows, source } = await openDataCollector({
    now: () => clock.now(),
    trainingOf: () => Promise.resolve({ ...training, classes: [0, 1] }),
  }).collect(spec, path);
  assertEquals(rows, 11);
  assertIncludes(source, "1 rows left out, whose label is none of 0 and 1");
  assertEquals((await Deno.readTextFile(path)).split("\n")[1], "28,0");
  log.close();
  await Deno.remove(folder, { recursive: true });
});
