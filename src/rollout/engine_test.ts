import { SeededRandom } from "../core/mod.ts";
import { type Database, openDatabase } from "../database/mod.ts";
import {
  assertEquals,
  assertIncludes,
  assertSerinError,
  assertTrue,
  FakeClock,
} from "../testing/mod.ts";
import { RolloutEngine } from "./engine.ts";
import { FakeCatalog } from "./fake_catalog.ts";
import { rolloutMigrations } from "./migrations.ts";
import { rolloutPlanSchema } from "./plan.ts";
import type { Arm, Counted, SyncAnswer, SyncRequest } from "./sync.ts";

const MODEL = "electricity";

type Totals = Partial<Record<Counted, number>>;

/** An engine over a database in memory, and a replica that syncs with it. */
class Rig {
  readonly clock = new FakeClock();
  readonly catalog: FakeCatalog;
  database: Database;
  engine: RolloutEngine;
  sequence = 0;
  counts: SyncRequest["counts"] = [];

  constructor(
    aliases: Record<string, string> = { champion: "1", challenger: "2" },
    readonly path = ":memory:",
  ) {
    this.catalog = new FakeCatalog({ [MODEL]: aliases });
    this.database = openDatabase(path, rolloutMigrations);
    this.engine = this.restart();
  }

  restart(): RolloutEngine {
    const { database, catalog, clock } = this;
    return this.engine = new RolloutEngine({
      database,
      catalog,
      clock,
      random: new SeededRandom(9),
    });
  }

  request(change: Partial<SyncRequest> = {}): SyncRequest {
    return {
      replica: "pod-1",
      incarnation: "a",
      sequence: this.sequence,
      models: [{
        model: MODEL,
        alias: "champion",
        held: ["1", "2", "3"].map((version) => ({ version, warm: true })),
      }],
      counts: structuredClone(this.counts),
      ...change,
    };
  }

  sync(change: Partial<SyncRequest> = {}): Promise<SyncAnswer> {
    this.sequence++;
    return this.engine.sync(this.request(change));
  }

  /** Lets time pass with a sync each second, so that the replica stays live. */
  async pass(seconds: number): Promise<SyncAnswer> {
    let answer = await this.sync();
    for (let i = 0; i < seconds; i++) {
      this.clock.advance(1000);
      answer = await this.sync();
    }
    return answer;
  }

  /** Adds to the replica's totals of one (rollout, step, arm). */
  count(rollout: string, step: number, arm: Arm, more: Totals): void {
    let cell = this.counts.find((one) =>
      one.rollout === rollout && one.step === step && one.arm === arm
    );
    if (cell === undefined) this.counts.push(cell = { rollout, step, arm, totals: {} });
    for (const [name, value] of Object.entries(more) as [Counted, number][]) {
      cell.totals[name] = (cell.totals[name] ?? 0) + value;
    }
  }

  get only() {
    return this.engine.status(this.engine.list()[0].id);
  }
}

Deno.test("a challenger alias begins a rollout; its share comes after the warm-up", async () => {
  const rig = new Rig();
  const first = await rig.sync();
  assertEquals([first.acknowledged, first.intervalMs], [1, 500]);
  assertEquals(first.models[0], {
    model: MODEL,
    alias: "champion",
    stable: "1",
    hold: ["1", "2"],
    assignment: null,
  });
  assertEquals(rig.only.phase, "warmup");
  const { assignment } = (await rig.pass(60)).models[0];
  assertEquals([assignment?.stable, assignment?.canary, assignment?.share, assignment?.step], [
    "1",
    "2",
    0.05,
    0,
  ]);
  assertEquals(rig.engine.list().length, 1);
});

Deno.test("no challenger, or the served version itself: no rollout", async () => {
  for (
    const aliases of [{ champion: "1" }, { champion: "1", challenger: "1" }, {}] as Record<
      string,
      string
    >[]
  ) {
    const rig = new Rig(aliases), answer = await rig.sync();
    assertEquals([rig.engine.list().length, answer.intervalMs], [0, 1000]);
    assertEquals(answer.models[0].stable, aliases.champion ?? null);
  }
  const unknown = await new Rig().sync({
    models: [{ model: "nobody", alias: "champion", held: [] }],
  });
  assertEquals(unknown.models[0].stable, null);
});

Deno.test("models that nobody has registered leave no trace, however many are asked for", async () => {
  const rig = new Rig();
  for (let i = 0; i < 20; i++) {
    await rig.sync({ models: [{ model: `nobody ${i}`, alias: "champion", held: [] }] });
  }
  const rows = rig.database.read((reader) => reader.all("SELECT * FROM rollout_observed LIMIT 99"));
  assertEquals(rows.length, 0);
  // One that is registered later begins its rollout as any other.
  rig.catalog.models.set("nobody 1", { champion: "1", challenger: "2" });
  await rig.sync({ models: [{ model: "nobody 1", alias: "champion", held: [] }] });
  assertEquals(rig.engine.list().map(({ model }) => model), ["nobody 1"]);
});

Deno.test("repeated, older and reordered syncs count nothing twice", async () => {
  const rig = new Rig();
  await rig.pass(60);
  const { id } = rig.only;
  rig.count(id, 0, "canary", { requests: 5 });
  rig.count(id, 0, "stable", { requests: 95, errors: 2 });
  await rig.sync();
  const repeated = rig.request();
  rig.count(id, 0, "stable", { requests: 100, errors: 1 });
  await rig.sync();
  for (let i = 0; i < 3; i++) {
    assertEquals((await rig.engine.sync(repeated)).acknowledged, repeated.sequence);
  }
  const error = rig.only.metrics[0];
  assertEquals([error.canary.trials, error.stable.trials, error.stable.events], [5, 195, 3]);
  // A new process begins its totals again; they come on top.
  await rig.engine.sync(rig.request({ incarnation: "b", sequence: 0 }));
  assertEquals(rig.only.metrics[0].stable.trials, 390);
});

Deno.test("totals that shrink within an incarnation are refused as a whole", async () => {
  const rig = new Rig();
  await rig.pass(60);
  const { id } = rig.only;
  rig.count(id, 0, "stable", { requests: 10 });
  await rig.sync();
  rig.counts = [];
  rig.count(id, 0, "canary", { requests: 50 });
  rig.count(id, 0, "stable", { requests: 9 });
  await assertSerinError(() => rig.sync(), "conflict", "went back from 10 to 9");
  assertEquals(rig.only.metrics[0].canary.trials, 0);
});

Deno.test("unknown rollouts, steps and late counts are accepted and ignored", async () => {
  const rig = new Rig();
  await rig.pass(60);
  const { id } = rig.only;
  rig.count("gone", 0, "canary", { requests: 10, errors: 10 });
  rig.count(id, 40, "canary", { requests: 10, errors: 10 });
  await rig.sync();
  assertEquals(rig.only.metrics[0].canary.trials, 0);
  await rig.engine.abort(id);
  rig.count(id, 0, "canary", { requests: 10, errors: 10 });
  await rig.sync();
  assertEquals([rig.only.phase, rig.only.metrics[0].canary.trials], ["aborted", 0]);
});

Deno.test("a dead canary is rolled back in the very sync that brings the evidence", async () => {
  const rig = new Rig();
  await rig.pass(60);
  rig.count(rig.only.id, 0, "canary", { requests: 4, errors: 4 });
  rig.count(rig.only.id, 0, "stable", { requests: 80 });
  const { assignment, hold } = (await rig.sync()).models[0];
  assertEquals([assignment, hold], [null, ["1"]]);
  assertEquals(rig.catalog.models.get(MODEL), { champion: "1" });
  assertEquals(rig.only.phase, "rolled_back");
  assertIncludes(rig.only.verdict, "4 canary requests: error ratio ∞");
  await rig.pass(3);
  assertEquals(rig.engine.list().length, 1);
  // The same version, set again by a person, is tried again.
  rig.catalog.models.get(MODEL)!.challenger = "2";
  await rig.sync();
  assertEquals(rig.engine.list().length, 2);
});

/** Brings a rollout with good counts to the end of its ramp. */
async function promoteByEvidence(rig: Rig): Promise<SyncAnswer> {
  await rig.pass(60);
  const { id } = rig.only;
  let answer = await rig.sync();
  for (const [step, share] of [0.05, 0.1, 0.25, 0.5].entries()) {
    for (const [arm, part] of [["canary", share], ["stable", 1 - share]] as const) {
      const requests = 4000 * part;
      rig.count(id, step, arm, {
        requests,
        errors: requests / 200,
        latency_measured: requests,
        latency_p95: requests / 50,
      });
    }
    answer = await rig.pass(300);
  }
  return answer;
}

Deno.test("a good canary is promoted: the served alias moves, challenger goes", async () => {
  const rig = new Rig(), answer = await promoteByEvidence(rig);
  assertEquals(rig.only.phase, "promoted");
  assertEquals(rig.catalog.models.get(MODEL), { champion: "2" });
  assertEquals([answer.models[0].stable, answer.models[0].assignment], ["2", null]);
  await rig.pass(3);
  assertEquals(rig.engine.list().length, 1);
  const { decisions, running } = rig.engine.metrics();
  assertEquals(decisions, [{ model: MODEL, phase: "promoted", count: 1 }]);
  assertEquals(running, []);
});

Deno.test("a crash between decision and alias: the alias follows at the restart", async () => {
  const rig = new Rig();
  await rig.pass(60);
  const { id } = rig.only;
  rig.count(id, 0, "canary", { requests: 4, errors: 4 });
  const { removeAlias } = rig.catalog;
  rig.catalog.removeAlias = () => Promise.reject(new Error("the process died here"));
  await rig.sync();
  assertEquals(rig.engine.status(id).phase, "rolled_back");
  assertEquals(rig.catalog.models.get(MODEL)?.challenger, "2");
  // No second rollout of the same version begins while the alias is still there.
  await rig.sync();
  assertEquals(rig.engine.list().length, 1);
  rig.catalog.removeAlias = removeAlias;
  await rig.restart().tick();
  assertEquals(rig.catalog.models.get(MODEL), { champion: "1" });
  await rig.sync();
  assertEquals(rig.engine.list().length, 1);
});

Deno.test("an alias that a person moved is not overruled by an old promotion", async () => {
  const rig = new Rig();
  const { promote } = rig.catalog;
  rig.catalog.promote = () => Promise.reject(new Error("out of reach"));
  await promoteByEvidence(rig);
  assertEquals(rig.only.phase, "promoted");
  rig.catalog.promote = promote;
  rig.catalog.models.set(MODEL, { champion: "3" });
  await rig.sync();
  assertEquals(rig.catalog.models.get(MODEL), { champion: "3" });
});

Deno.test("a restart has identical evidence, and waits until replicas are heard", async () => {
  const rig = new Rig();
  await rig.pass(60);
  rig.count(rig.only.id, 0, "canary", { requests: 30, errors: 1 });
  rig.count(rig.only.id, 0, "stable", { requests: 300, errors: 2 });
  await rig.pass(10);
  const before = rig.only;
  rig.restart();
  await rig.sync();
  const after = rig.only;
  assertEquals([after.evidence, after.metrics], [before.evidence, before.metrics]);
  assertTrue(Math.abs(after.evidence - 1) > 0.1, "there is some evidence");
  // The step's time is over just then, but not every replica may have been heard yet.
  rig.clock.advance(400_000);
  rig.restart();
  assertEquals((await rig.sync()).models[0].assignment?.step, 0);
  assertEquals((await rig.pass(5)).models[0].assignment?.step, 1);
});

Deno.test("a registry that was away for long hears its replicas before time ends a rollout", async () => {
  const rig = new Rig();
  await rig.pass(60);
  const { id } = rig.only;
  // An hour without the registry: the canary fails, and nobody is told.
  rig.clock.advance(3_600_000);
  rig.restart();
  await rig.engine.tick();
  assertEquals(rig.only.phase, "ramp");
  rig.count(id, 0, "canary", { requests: 50, errors: 50 });
  rig.count(id, 0, "stable", { requests: 950 });
  await rig.sync();
  assertEquals(rig.only.phase, "rolled_back");
  // One whose replicas have nothing to tell ends as it would have.
  const silent = new Rig();
  await silent.pass(60);
  silent.clock.advance(3_600_000);
  silent.restart();
  await silent.pass(6);
  assertEquals(silent.only.phase, "inconclusive");
});

Deno.test("moving an alias supersedes a rollout, removing the challenger aborts", async () => {
  const rig = new Rig();
  await rig.pass(61);
  rig.catalog.models.get(MODEL)!.challenger = "3";
  await rig.sync();
  assertEquals(rig.engine.list().map(({ phase, canary }) => `${canary} ${phase}`).sort(), [
    "2 superseded",
    "3 warmup",
  ]);
  rig.clock.advance(1);
  delete rig.catalog.models.get(MODEL)!.challenger;
  await rig.sync();
  assertIncludes(
    rig.only.verdict,
    "aborted: the alias challenger was removed; evidence against it was 1.0 of 200",
  );
  rig.clock.advance(1);
  rig.catalog.models.set(MODEL, { champion: "1", challenger: "2" });
  await rig.sync();
  rig.clock.advance(1);
  rig.catalog.models.set(MODEL, { champion: "3", challenger: "2" });
  await rig.sync();
  assertEquals([rig.only.stable, rig.only.canary, rig.only.phase], ["3", "2", "warmup"]);
});

Deno.test("inconclusive: the stable version serves all, until a person decides", async () => {
  const rig = new Rig();
  await rig.pass(60);
  const { id } = rig.only;
  rig.clock.advance(2_200_000);
  const { assignment, hold } = (await rig.sync()).models[0];
  assertEquals([rig.only.phase, assignment, hold], ["inconclusive", null, ["1", "2"]]);
  await rig.pass(3);
  assertEquals(rig.engine.list().length, 1);
  await rig.engine.promote(id);
  assertEquals(rig.engine.metrics().decisions, [
    { model: MODEL, phase: "inconclusive", count: 1 },
    { model: MODEL, phase: "promoted", count: 1 },
  ]);
  assertEquals(rig.catalog.models.get(MODEL), { champion: "2" });
  assertIncludes(rig.only.verdict, "promoted by hand: evidence against it was 1.0 of 200");
  await assertSerinError(() => rig.engine.abort(id), "conflict", "promoted by hand");
  await assertSerinError(() => rig.engine.status("r0"), "not_found");
});

Deno.test("a rollout by hand has its own plan; an ended version may be tried again", async () => {
  const rig = new Rig({ champion: "1" });
  await rig.sync();
  const plan = rolloutPlanSchema.parse({ steps: [{ share: 0.3, seconds: 5 }], warmupSeconds: 0 });
  const started = await rig.engine.start({ model: MODEL, challenger: "2", plan });
  assertEquals([started.phase, started.share, rig.catalog.models.get(MODEL)?.challenger], [
    "ramp",
    0.3,
    "2",
  ]);
  assertEquals((await rig.sync()).models[0].assignment?.share, 0.3);
  await assertSerinError(
    () => rig.engine.start({ model: MODEL, challenger: "2" }),
    "conflict",
    started.id,
  );
  await assertSerinError(
    () => rig.engine.start({ model: MODEL, challenger: "1" }),
    "invalid_input",
  );
  await assertSerinError(
    () => rig.engine.start({ model: "x", challenger: "1" }),
    "not_found",
    '"x"',
  );
});

Deno.test("a canary that a replica cannot load is named while the rollout warms up", async () => {
  const rig = new Rig();
  const broken = { version: "2", warm: false, error: "no such operator" };
  await rig.sync({ models: [{ model: MODEL, alias: "champion", held: [broken] }] });
  assertIncludes(rig.only.verdict, "pod-1: no such operator");
});

Deno.test("two machines whose replicas have the same name are two replicas", async () => {
  const rig = new Rig();
  const cold = [{ version: "1", warm: true }, { version: "2", warm: false }];
  const models = [{ model: MODEL, alias: "champion", held: cold }];
  await rig.pass(59);
  await rig.engine.sync(rig.request({ incarnation: "other machine", models }));
  await rig.pass(2);
  assertEquals(rig.only.phase, "warmup");
  assertIncludes(rig.only.verdict, "the canary is warm on 1 of 2 live replicas");
});

Deno.test("an unreachable catalog: counts are kept, the last aliases are answered", async () => {
  const rig = new Rig();
  await rig.pass(60);
  const { id } = rig.only;
  rig.count(id, 0, "stable", { requests: 7 });
  rig.catalog.failNext = 1;
  assertEquals((await rig.sync()).models[0].assignment?.canary, "2");
  assertEquals(rig.only.metrics[0].stable.trials, 7);
  const fresh = new Rig();
  fresh.catalog.failNext = 1;
  await assertSerinError(() => fresh.sync(), "unavailable");
});

Deno.test("many replicas at once, in any order: every count once (seed 4)", async () => {
  const rig = new Rig();
  await rig.pass(60);
  const { id } = rig.only, random = new SeededRandom(4);
  const requests = Array.from({ length: 60 }, (_, i) => {
    const sequence = 1 + Math.floor(i / 3);
    return rig.request({
      replica: `pod-${i % 3}`,
      incarnation: "x",
      sequence,
      counts: [{ rollout: id, step: 0, arm: "stable", totals: { requests: sequence * 2 } }],
    });
  });
  const shuffled = [...requests, ...requests].sort(() => random.unit() - 0.5);
  await Promise.all(shuffled.map((request) => rig.engine.sync(request)));
  assertEquals(rig.only.metrics[0].stable.trials, 3 * 40);
});

Deno.test("another process over the same file goes on where the first one stopped", async () => {
  const folder = await Deno.makeTempDir();
  const rig = new Rig(undefined, `${folder}/serin.db`);
  try {
    await rig.pass(60);
    rig.count(rig.only.id, 0, "canary", { requests: 20, errors: 1 });
    const { tokenKeys } = await rig.sync(), before = rig.only;
    rig.database.close();
    rig.database = openDatabase(rig.path, rolloutMigrations);
    rig.restart();
    const answer = await rig.sync();
    assertEquals(rig.only.metrics, before.metrics);
    assertEquals(answer.tokenKeys, tokenKeys);
    assertEquals(answer.models[0].assignment?.rollout, before.id);
  } finally {
    rig.database.close();
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("a version that may not be rolled out never begins, and its rollout says why", async () => {
  const { database, catalog, clock } = new Rig({ champion: "1", challenger: "2" });
  const refusalOf = (_model: string, version: string) =>
    version === "2" ? "it has not passed its gate: auc 0.71 is too low" : undefined;
  const random = new SeededRandom(9);
  const engine = new RolloutEngine({ database, catalog, clock, random, refusalOf });
  const request: SyncRequest = {
    ...{ replica: "pod-1", incarnation: "a", sequence: 0, counts: [] },
    models: [{ model: MODEL, alias: "champion", held: [{ version: "1", warm: true }] }],
  };
  const { models } = await engine.sync(request);
  assertEquals([models[0].hold, models[0].assignment], [["1"], null]);
  const [{ phase, canaryRequests, verdict }] = engine.list();
  assertEquals([phase, canaryRequests], ["rolled_back", 0]);
  assertIncludes(verdict, "rolled back before it began: it has not passed its gate: auc 0.71");
  assertEquals(catalog.models.get(MODEL), { champion: "1" });
  const start = () => engine.start({ model: MODEL, challenger: "2" });
  await assertSerinError(start, "refused", "auc 0.71 is too low");
  assertEquals((await engine.start({ model: MODEL, challenger: "3" })).phase, "warmup");
});
