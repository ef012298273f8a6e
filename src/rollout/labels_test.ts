import { SeededRandom, SystemRandom } from "../core/mod.ts";
import { openDatabase } from "../database/mod.ts";
import { assertEquals, assertIncludes, assertSerinError, FakeClock } from "../testing/mod.ts";
import { RolloutEngine } from "./engine.ts";
import { FakeCatalog } from "./fake_catalog.ts";
import { rolloutMigrations } from "./migrations.ts";
import { rolloutPlanSchema } from "./plan.ts";
import type { LabelsRequest, SyncRequest } from "./sync.ts";
import { createTokenSealer, type TokenContent } from "./token.ts";

const DAY_MS = 24 * 3600 * 1000;
type Label = LabelsRequest["labels"][number];

/** A running rollout at a share of one half, with the sealer of a replica. */
async function openRig() {
  const clock = new FakeClock(), database = openDatabase(":memory:", rolloutMigrations);
  const catalog = new FakeCatalog({ m: { champion: "1", challenger: "2" } });
  const plan = rolloutPlanSchema.parse({ steps: [{ share: 0.5, seconds: 1e6 }], warmupSeconds: 0 });
  const engine = new RolloutEngine({
    database,
    catalog,
    clock,
    random: new SeededRandom(2),
    planFor: () => plan,
  });
  const held = ["1", "2"].map((version) => ({ version, warm: true }));
  const request: SyncRequest = {
    replica: "pod",
    incarnation: "a",
    sequence: 1,
    models: [{ model: "m", alias: "champion", held }],
    counts: [],
  };
  const { tokenKeys, models } = await engine.sync(request);
  const rollout = models[0].assignment!.rollout;
  const sealer = createTokenSealer(tokenKeys, new SystemRandom());
  const seal = (change: Partial<TokenContent> = {}) =>
    sealer.seal({
      model: "m",
      version: "2",
      rollout,
      step: 0,
      arm: "canary",
      time: clock.now(),
      keyHash: undefined,
      rows: 1,
      predictions: [{ label: 1, probability: 0.9 }],
      ...change,
    })!;
  const label = (...labels: (Omit<Label, "row"> & { row?: number })[]) =>
    engine.labels({ labels: labels.map((one) => ({ row: 0, ...one })) });
  const counts = () => engine.status(rollout).metrics.find(({ metric }) => metric === "labels")!;
  return { clock, engine, catalog, rollout, seal, label, counts, sync: () => engine.sync(request) };
}

Deno.test("labels count by arm and version; a repeat is accepted without counting", async () => {
  const { seal, label, counts, engine } = await openRig(), prediction = seal();
  assertEquals(await label({ prediction, label: 0 }), { accepted: 1, refused: [] });
  for (const same of [0, "0", false, "0.0"]) {
    assertEquals(await label({ prediction, label: same }), { accepted: 1, refused: [] });
  }
  const { accepted, refused } = await label({ prediction, label: 1 }, {
    prediction: seal(),
    label: true,
  });
  assertEquals([accepted, refused[0].index, refused[0].code], [1, 0, "already_labelled"]);
  assertEquals([counts().canary.events, counts().canary.trials], [1, 2]);
  assertEquals(engine.metrics().labels, [{ model: "m", version: "2", labelled: 2, wrong: 1 }]);
});

Deno.test("of many rows of an assignment the test counts one wrong, quality all", async () => {
  const { seal, label, counts, engine } = await openRig();
  const predictions = Array.from({ length: 16 }, () => ({ label: 1 }));
  const prediction = seal({ rows: 16, predictions });
  await label(...predictions.map((_, row) => ({ prediction, row, label: row === 0 ? 1 : 0 })));
  assertEquals([counts().canary.events, counts().canary.trials], [1, 1]);
  assertEquals(engine.metrics().labels, [{ model: "m", version: "2", labelled: 16, wrong: 15 }]);
});

Deno.test("what cannot be matched is refused with its reason", async () => {
  const { seal, label, clock } = await openRig(), old = seal();
  const large = seal({ rows: 5000, predictions: Array(5000).fill({ label: 1 }) });
  const { refused, accepted } = await label(
    { prediction: "junk", label: 1 },
    { prediction: seal(), row: 1, label: 1 },
    { prediction: large, row: 7, label: 1 },
  );
  assertEquals(accepted, 0);
  assertEquals(refused.map(({ code }) => code), [
    "invalid_token",
    "row_out_of_range",
    "no_prediction",
  ]);
  clock.advance(29 * DAY_MS);
  assertEquals((await label({ prediction: old, label: 1 })).accepted, 1);
  clock.advance(2 * DAY_MS);
  assertEquals((await label({ prediction: old, label: 1 })).refused[0].code, "expired");
  clock.advance(60 * DAY_MS);
  assertEquals((await label({ prediction: old, label: 1 })).refused[0].code, "unknown_key");
});

Deno.test("a label that can be no class of the model is refused; one that it never predicted is not", async () => {
  const { seal, label, engine } = await openRig(), prediction = seal();
  const junk = ["UP", "", "0.7", 0.7, "NaN", "1e400"].map((one) => ({ prediction, label: one }));
  const { refused, accepted } = await label(...junk);
  assertEquals([accepted, new Set(refused.map(({ code }) => code))], [0, new Set(["no_class"])]);
  assertIncludes(refused[0].message, '"UP" can be no class');
  assertEquals(engine.metrics().labels, []);
  assertEquals((await label({ prediction, label: " 7 " })).accepted, 1);
  const named = seal({ predictions: [{ label: "UP" }] });
  assertEquals((await label({ prediction: named, label: 7 })).accepted, 1);
});

Deno.test("sticky keys, ended rollouts and no rollout: quality only", async () => {
  const { seal, label, counts, engine, rollout } = await openRig();
  await label({ prediction: seal({ keyHash: 7 }), label: 0 }, {
    prediction: seal({ rollout: undefined }),
    label: 0,
  });
  assertEquals(counts().canary.trials, 0);
  const late = seal();
  await engine.abort(rollout);
  await label({ prediction: late, label: 0 });
  assertEquals(counts().canary.trials, 0);
  assertEquals(engine.metrics().labels[0].labelled, 3);
});

Deno.test("wrong labels alone roll a canary back, on their own half of alpha", async () => {
  const { seal, label, engine, rollout, catalog } = await openRig();
  for (let i = 0; i < 60; i++) {
    await label(
      { prediction: seal(), label: i % 3 === 0 ? 0 : 1 },
      { prediction: seal({ arm: "stable", version: "1" }), label: i % 30 === 0 ? 0 : 1 },
    );
  }
  const { phase, verdict, evidence } = engine.status(rollout);
  assertEquals(phase, "rolled_back");
  assertIncludes(verdict, "wrong-label ratio");
  assertEquals(Math.abs(evidence - 1) < 1e-9, true);
  assertEquals(catalog.models.get("m"), { champion: "1" });
});

Deno.test("more labels than a request may carry are refused", async () => {
  const { engine } = await openRig();
  const labels = Array(10_001).fill({ prediction: "x", row: 0, label: 1 });
  await assertSerinError(() => engine.labels({ labels }), "too_large", "at most 10000");
});
