import { LIMITS, SeededRandom } from "../../core/mod.ts";
import { assertEquals, assertTrue } from "../../testing/mod.ts";
import type { LoggedAnswer } from "./prediction_block.ts";
import { PredictionRecorder, type RecordedPredictions } from "./prediction_recorder.ts";

function answerOf(rows: number, model = "m", version = "1"): LoggedAnswer {
  return {
    model,
    version,
    arm: "stable",
    time: 1,
    nonce: undefined,
    rows,
    inputs: [{ name: "a", datatype: "FP64", data: new Float64Array(rows) }],
    labels: undefined,
    scores: undefined,
  };
}

function openRecorder(rate = 1) {
  const posted: RecordedPredictions[] = [];
  const random = new SeededRandom(7);
  return {
    posted,
    recorder: new PredictionRecorder({ rate, random, post: (one) => posted.push(one) }),
  };
}

const rowsOf = (posted: readonly RecordedPredictions[]) =>
  posted.flatMap(({ blocks }) => blocks).reduce((sum, { rows }) => sum + rows, 0);

Deno.test("a sample is about the share that was asked for", () => {
  const { recorder, posted } = openRecorder(0.25);
  for (let i = 0; i < 20_000; i++) recorder.record(answerOf(1));
  recorder.flush();
  const rows = rowsOf(posted);
  // Five standard deviations; the seed is fixed.
  assertTrue(Math.abs(rows - 5000) < 5 * Math.sqrt(20_000 * 0.25 * 0.75), `${rows} of 20000`);
});

Deno.test("versions are packed apart, and nothing is posted where there is nothing", () => {
  const { recorder, posted } = openRecorder();
  recorder.flush();
  assertEquals(posted, []);
  recorder.record(answerOf(1, "m", "1"));
  recorder.record(answerOf(1, "m", "2"));
  recorder.record(answerOf(1, "n", "1"));
  recorder.flush();
  recorder.flush();
  assertEquals(posted.length, 1);
  const names = posted[0].blocks.map(({ model, version }) => model + version);
  assertEquals(names.toSorted(), ["m1", "m2", "n1"]);
});

Deno.test("what is not written yet is bounded: rows beyond it are dropped and counted", () => {
  const { recorder, posted } = openRecorder();
  const count = 3000;
  for (let i = 0; i < count; i++) recorder.record(answerOf(250));
  recorder.flush();
  const kept = posted.flatMap(({ blocks }) => blocks);
  const bytes = kept.reduce((sum, block) => sum + block.bytes.length, 0);
  const limit = LIMITS.predictionQueueBytesMax;
  assertTrue(bytes <= limit + 128 * 1024 && bytes > limit / 2, `${bytes} bytes wait`);
  const dropped = posted.flatMap(({ dropped }) => dropped);
  assertEquals(new Set(dropped.map(({ reason }) => reason)), new Set(["queue_full"]));
  assertEquals(rowsOf(posted) + dropped.reduce((sum, { rows }) => sum + rows, 0), count * 250);
  recorder.taken(bytes);
  posted.length = 0;
  recorder.record(answerOf(250));
  recorder.flush();
  assertEquals([rowsOf(posted), posted[0].dropped], [250, []]);
});

Deno.test("an answer that is too large is dropped; a large one has a block of its own", () => {
  const { recorder, posted } = openRecorder();
  recorder.record(answerOf(1));
  recorder.record(answerOf(100_000));
  recorder.record(answerOf(200_000));
  recorder.flush();
  assertEquals(posted.flatMap(({ blocks }) => blocks.map(({ rows }) => rows)), [1, 100_000]);
  assertEquals(posted.flatMap(({ dropped }) => dropped), [
    { model: "m", reason: "too_large", rows: 200_000 },
  ]);
});
