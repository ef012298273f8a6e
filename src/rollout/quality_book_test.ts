import { openDatabase } from "../database/mod.ts";
import { assertClose, assertEquals, assertTrue, FakeClock } from "../testing/mod.ts";
import { rolloutMigrations } from "./migrations.ts";
import {
  DELAY_BOUNDS,
  LabelTally,
  pruneQuality,
  type QualityWindow,
  readQuality,
} from "./quality_book.ts";

const BUCKET_MS = 300_000, HOUR_MS = 3_600_000, DAY_MS = 24 * HOUR_MS;

function openRig() {
  const clock = new FakeClock(), database = openDatabase(":memory:", rolloutMigrations);
  const label = (version: string, time: number, outcomes: readonly boolean[], model = "m") =>
    database.transaction((tx) => {
      const tally = new LabelTally(clock.now());
      for (const wrong of outcomes) tally.add({ model, version, time, wrong });
      tally.write(tx);
    });
  const read = () => database.read((reader) => readQuality(reader, clock.now()));
  const realised = (version: string, window: QualityWindow) =>
    read().realised.find((one) => one.version === version && one.window === window);
  return { clock, database, label, read, realised };
}

Deno.test("realised quality goes by the time of the prediction, with Wilson's interval", () => {
  const { clock, label, realised } = openRig(), now = clock.now();
  label("1", now - 10 * 60_000, [true, ...Array(9).fill(false)]);
  label("1", now - 5 * HOUR_MS, Array(10).fill(true));
  label("1", now - 3 * DAY_MS, Array(20).fill(false));
  label("2", now - 9 * DAY_MS, [true]);
  const counts = (["1h", "24h", "7d"] as const).map((window) => {
    const { wrong, labelled } = realised("1", window)!;
    return [wrong, labelled];
  });
  assertEquals(counts, [[1, 10], [11, 20], [11, 40]]);
  const { errorRatio, lower, upper } = realised("1", "1h")!;
  assertEquals(errorRatio, 0.1);
  // statsmodels.stats.proportion.proportion_confint(1, 10, method="wilson")
  assertClose(lower, 0.01787621, 1e-6);
  assertClose(upper, 0.40415002, 1e-6);
  assertEquals(realised("2", "7d"), undefined);
});

Deno.test("a window of an hour holds its last 55 to 60 minutes", () => {
  const { clock, label, realised } = openRig();
  clock.advance(BUCKET_MS - clock.now() % BUCKET_MS);
  label("1", clock.now(), [false]);
  clock.advance(HOUR_MS - 1);
  assertEquals(realised("1", "1h")?.labelled, 1);
  clock.advance(1);
  assertEquals(realised("1", "1h"), undefined);
  assertEquals(realised("1", "24h")?.labelled, 1);
});

Deno.test("label delays: counts by bound, their sum, the last arrival", () => {
  const { clock, label, read } = openRig(), now = clock.now();
  label("1", now - 60_000, [false, true]);
  label("2", now - 61_000, [true]);
  label("2", now + 5000, [true]);
  clock.advance(40 * DAY_MS);
  label("1", now, [true], "other");
  const [m, other] = read().delays;
  assertEquals([m.counts[0], m.counts[2], m.counts[3]], [1, 2, 1]);
  assertEquals([m.model, m.sumSeconds, m.lastAt], ["m", 181, now]);
  assertEquals(other.counts[DELAY_BOUNDS.length], 1);
});

Deno.test("a storm of labels writes a handful of rows; what is beyond the horizon goes", () => {
  const { clock, database, label, realised } = openRig(), now = clock.now();
  const rows = () =>
    database.read((reader) =>
      reader.get<{ n: number }>("SELECT count(*) AS n FROM rollout_quality_bucket")!.n
    );
  label("1", now, Array.from({ length: 10_000 }, (_, i) => i % 4 === 0));
  assertEquals(rows(), 2);
  assertEquals(realised("1", "1h")?.errorRatio, 0.25);
  clock.advance(29 * DAY_MS);
  database.transaction((tx) => pruneQuality(tx, clock.now()));
  assertEquals(rows(), 2);
  clock.advance(2 * DAY_MS);
  database.transaction((tx) => pruneQuality(tx, clock.now()));
  assertEquals(rows(), 0);
  const plan = database.read((reader) =>
    reader.all<{ detail: string }>(
      `EXPLAIN QUERY PLAN SELECT model FROM rollout_quality_bucket WHERE bucket < 1 LIMIT 1`,
    )
  );
  assertTrue(plan.every(({ detail }) => detail.startsWith("SEARCH")), JSON.stringify(plan));
});
