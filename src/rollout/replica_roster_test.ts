/** Replicas that come, go and die in the middle of a rollout. */
import { SeededRandom } from "../core/mod.ts";
import { openDatabase } from "../database/mod.ts";
import { assertEquals, assertIncludes, FakeClock } from "../testing/mod.ts";
import { RolloutEngine } from "./engine.ts";
import { FakeCatalog } from "./fake_catalog.ts";
import { rolloutMigrations } from "./migrations.ts";
import { rolloutPlanSchema } from "./plan.ts";
import type { Assignment, SyncRequest } from "./sync.ts";

const MODEL = "electricity";
const PLAN = rolloutPlanSchema.parse({
  warmupSeconds: 0,
  steps: [{ share: 0.25, seconds: 10 }, { share: 0.5, seconds: 600 }],
  canaryRequestsMin: 0,
});

/** A registry's engine, and replicas that sync with it each second. */
class Fleet {
  readonly clock = new FakeClock();
  readonly engine = new RolloutEngine({
    database: openDatabase(":memory:", rolloutMigrations),
    catalog: new FakeCatalog({ [MODEL]: { champion: "1", challenger: "2" } }),
    clock: this.clock,
    random: new SeededRandom(9),
    planFor: () => PLAN,
  });
  #sequence = 0;

  /** @param warm the versions that it has loaded */
  async sync(replica: string, warm: string[], change: Partial<SyncRequest> = {}) {
    const held = ["1", "2"].map((version) => ({ version, warm: warm.includes(version) }));
    const { models } = await this.engine.sync({
      replica,
      incarnation: replica,
      sequence: this.#sequence++,
      models: [{ model: MODEL, alias: "champion", held }],
      counts: [],
      ...change,
    });
    return models[0];
  }

  /** @returns the split that the last of them was told */
  async pass(seconds: number, replicas: Record<string, string[]>): Promise<Assignment | null> {
    let assignment: Assignment | null = null;
    for (let i = 0; i < seconds; i++) {
      this.clock.advance(1000);
      for (const [name, warm] of Object.entries(replicas)) {
        ({ assignment } = await this.sync(name, warm));
      }
    }
    return assignment;
  }

  get verdict(): string {
    return this.engine.status(this.engine.list()[0].id).verdict;
  }
}

const BOTH = ["1", "2"];

Deno.test("a share begins when every live replica is warm, and one that joins leaves it as it is", async () => {
  const fleet = new Fleet();
  assertEquals(await fleet.pass(3, { b: ["1"], a: BOTH }), null);
  const begun = await fleet.pass(1, { a: BOTH, b: BOTH });
  assertEquals(begun?.share, 0.25);
  // One that scales out has nothing yet: it hears what it must hold, nobody's share changes for it.
  const joining = await fleet.sync("c", []);
  assertEquals([joining.hold, joining.assignment], [BOTH, begun]);
  assertEquals((await fleet.sync("a", BOTH)).assignment, begun);
  // Nor does it grow while the new one loads, however long the step lasts.
  assertEquals(await fleet.pass(30, { c: ["1"], a: BOTH, b: BOTH }), begun);
  assertEquals((await fleet.pass(1, { a: BOTH, b: BOTH, c: BOTH }))?.share, 0.5);
});

Deno.test("every replica, whatever it holds, is told the same split of the same keys", async () => {
  const fleet = new Fleet();
  await fleet.pass(1, { a: BOTH });
  const told = [
    await fleet.sync("a", BOTH),
    await fleet.sync("b", ["1"]),
    await fleet.sync("c", []),
  ];
  const [first, ...others] = told.map(({ assignment }) => assignment);
  assertEquals(first?.share, 0.25);
  for (const other of others) assertEquals(other, first);
});

Deno.test("a replica that is killed holds a rollout for its liveness time-out, no longer", async () => {
  const fleet = new Fleet();
  await fleet.pass(1, { a: BOTH });
  await fleet.pass(10, { a: BOTH, b: ["1"] });
  assertEquals((await fleet.pass(4, { a: BOTH }))?.share, 0.25);
  assertEquals((await fleet.pass(1, { a: BOTH }))?.share, 0.5);
});

Deno.test("a replica that takes its leave holds nothing from then on, and is listed as gone", async () => {
  const fleet = new Fleet();
  await fleet.pass(1, { a: BOTH });
  assertEquals((await fleet.pass(10, { b: ["1"], a: BOTH }))?.share, 0.25);
  await fleet.sync("b", ["1"], { leaving: true });
  // What it had sent before and was not waited for arrives after its last word.
  await fleet.sync("b", ["1"], { sequence: 0 });
  assertEquals((await fleet.sync("a", BOTH)).assignment?.share, 0.5);
  const listed = fleet.engine.replicas().map(({ replica, live }) => [replica, live]);
  assertEquals(listed, [["a", true], ["b", false]]);
});

Deno.test("the last counts of a replica that leaves are counted", async () => {
  const fleet = new Fleet();
  const rollout = (await fleet.pass(1, { a: BOTH }))!.rollout;
  const totals = { requests: 12, errors: 1 };
  await fleet.sync("a", BOTH, {
    leaving: true,
    counts: [{ rollout, step: 0, arm: "canary", totals }],
  });
  assertEquals(fleet.engine.status(rollout).canaryRequests, 12);
});

Deno.test("without any live replica a share neither grows nor goes", async () => {
  const fleet = new Fleet();
  const begun = await fleet.pass(1, { a: BOTH });
  await fleet.sync("a", BOTH, { leaving: true });
  fleet.clock.advance(60_000);
  await fleet.engine.tick();
  assertIncludes(fleet.verdict, "no live replica serves this model");
  assertEquals((await fleet.sync("b", ["1"])).assignment, begun);
});
