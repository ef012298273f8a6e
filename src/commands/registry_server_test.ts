import { type ControlClient, createControlClient } from "../control/mod.ts";
import { SeededRandom, silentLog } from "../core/mod.ts";
import {
  assertEquals,
  assertIncludes,
  assertSerinError,
  assertTrue,
  FakeClock,
} from "../testing/mod.ts";
import type { RegistryApp } from "./registry_app.ts";
import { openRegistryServer } from "./registry_server.ts";

const MODEL = "electricity";
const PLAN = { steps: [{ share: 0.5, seconds: 60 }], warmupSeconds: 0 };

/** A registry with three versions, the first of them served by one replica. */
class Bench implements AsyncDisposable {
  #sequence = 0;

  private constructor(
    readonly folder: string,
    readonly registry: RegistryApp,
    readonly control: ControlClient,
    readonly clock: FakeClock,
  ) {}

  static async open(): Promise<Bench> {
    const folder = await Deno.makeTempDir(), clock = new FakeClock();
    const options = { dataFolder: folder, log: silentLog, clock, random: new SeededRandom(3) };
    const registry = await openRegistryServer(options);
    const { models, versions } = registry.registry;
    models.create(MODEL);
    for (const n of [1, 2, 3]) versions.create({ name: MODEL, source: `s3://b/${n}` });
    models.setAlias(MODEL, "champion", "1");
    const fetch = (input: RequestInfo | URL, init?: RequestInit) =>
      Promise.resolve(registry.app.request(input.toString(), init));
    const control = createControlClient({ baseUrl: "http://registry:5000", fetch });
    return new Bench(folder, registry, control, clock);
  }

  async sync(counts: unknown[] = []): Promise<void> {
    const held = ["1", "2", "3"].map((version) => ({ version, warm: true }));
    const body = JSON.stringify({
      replica: "pod-1",
      incarnation: "a",
      sequence: ++this.#sequence,
      models: [{ model: MODEL, alias: "champion", held }],
      counts,
    });
    const response = await this.registry.app.request("/api/serin/v1/sync", {
      method: "POST",
      body,
    });
    assertEquals(response.status, 200, await response.text());
  }

  /** e.g. "champion 1→2 promotion r1", the newest first. */
  async history(): Promise<string[]> {
    return (await this.control.listAliasChanges(MODEL)).map((change) =>
      `${change.alias} ${change.previous ?? "–"}→${change.version ?? "–"} ${change.cause}` +
      (change.rollout === null ? "" : ` ${change.rollout}`)
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.registry.close();
    await Deno.remove(this.folder, { recursive: true });
  }
}

Deno.test("promotion and rollback are in the history of the aliases, with their rollouts", async () => {
  await using bench = await Bench.open();
  await bench.sync();
  const first = await bench.control.startRollout({ model: MODEL, challenger: "2", plan: PLAN });
  await bench.control.promoteRollout(first.id);
  await bench.sync();
  const second = await bench.control.startRollout({ model: MODEL, challenger: "3", plan: PLAN });
  bench.clock.advance(1000);
  await bench.sync();
  await bench.sync([
    { rollout: second.id, step: 0, arm: "canary", totals: { requests: 200, errors: 100 } },
    { rollout: second.id, step: 0, arm: "stable", totals: { requests: 200, errors: 0 } },
  ]);
  assertEquals((await bench.control.getRollout(second.id)).phase, "rolled_back");
  assertEquals(await bench.history(), [
    `challenger 3→– rollback ${second.id}`,
    "challenger –→3 rollout",
    `challenger 2→– promotion ${first.id}`,
    `champion 1→2 promotion ${first.id}`,
    "challenger –→2 rollout",
    "champion –→1 api",
  ]);
  const champion = await bench.control.listAliasChanges(MODEL, { alias: "champion", limit: 1 });
  assertEquals(champion, [{
    alias: "champion",
    version: "2",
    previous: "1",
    time: bench.clock.now() - 1000,
    cause: "promotion",
    rollout: first.id,
  }]);
});

Deno.test("a version that its gate refused is not rolled out, by alias or by hand", async () => {
  await using bench = await Bench.open();
  await bench.sync();
  const { versions } = bench.registry.registry;
  versions.setTag(MODEL, "2", "serin.gate", "refused");
  const start = () => bench.control.startRollout({ model: MODEL, challenger: "2", plan: PLAN });
  await assertSerinError(start, "refused", "it has not passed its gate");
  versions.setTag(MODEL, "2", "serin.gate_force", "outage 7");
  assertEquals((await start()).canary, "2");
});

Deno.test("an abort by hand is in the history too", async () => {
  await using bench = await Bench.open();
  await bench.sync();
  const { id } = await bench.control.startRollout({ model: MODEL, challenger: "2", plan: PLAN });
  await bench.control.abortRollout(id);
  assertEquals((await bench.history())[0], `challenger 2→– abort ${id}`);
});

Deno.test("replicas and what they hold; histories that cannot be told say why", async () => {
  await using bench = await Bench.open();
  assertEquals(await bench.control.listReplicas(), []);
  await bench.sync();
  const [replica] = await bench.control.listReplicas();
  assertEquals([replica.replica, replica.incarnation, replica.live], ["pod-1", "a", true]);
  assertEquals(replica.seenAt, bench.clock.now());
  assertEquals(replica.models[0].held[0], { version: "1", warm: true });
  const { control, registry } = bench;
  await assertSerinError(() => control.listAliasChanges("none"), "not_found", "none");
  const bad: [query: string, part: string][] = [
    ["limit=0", "limit must be a number from 1 to 1000: 0"],
    ["limit=ten", 'limit must be a whole number: "ten"'],
    ["alais=champion", "Unknown in the query: alais"],
  ];
  for (const [query, part] of bad) {
    const response = await registry.app.request(`/api/serin/v1/models/${MODEL}/history?${query}`);
    const { error } = await response.json();
    assertTrue(response.status === 400 && error.code === "invalid_input", query);
    assertIncludes(error.message, part);
  }
});

Deno.test("the age of versions in use and their error in training are on /metrics", async () => {
  await using bench = await Bench.open();
  const { tracking, registry: { versions, models } } = bench.registry;
  const run = { experimentId: "0", userId: "", startedMs: 1, name: "", tags: [] };
  const { runId } = tracking.runs.create(run);
  const metric = { key: "accuracy", value: 0.875, timestamp: 1, step: 0 };
  tracking.runs.logBatch(runId, { metrics: [metric], params: [], tags: [] });
  const source = "s3://b/4", tags = [{ key: "serin.reference_error_ratio", value: "0.25" }];
  versions.create({ name: MODEL, source, runId });
  versions.create({ name: MODEL, source, tags });
  models.setAlias(MODEL, "champion", "4");
  models.setAlias(MODEL, "challenger", "5");
  bench.clock.advance(90_000);
  const text = await (await bench.registry.app.request("/metrics")).text();
  const labels = (version: string) => `model="${MODEL}",model_version="${version}"`;
  assertIncludes(text, `serin_model_age_seconds{${labels("4")},alias="champion"} 90\n`);
  assertIncludes(text, `serin_reference_error_ratio{${labels("4")}} 0.125\n`);
  assertIncludes(text, `serin_reference_error_ratio{${labels("5")}} 0.25\n`);
  assertIncludes(text, `serin_last_training_timestamp_seconds{model="${MODEL}"} `);
});
