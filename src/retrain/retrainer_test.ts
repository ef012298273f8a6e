import { SeededRandom, SerinError, sha256Hex, silentLog } from "../core/mod.ts";
import { openDatabase } from "../database/mod.ts";
import {
  assertEquals,
  assertIncludes,
  assertSerinError,
  FakeClock,
  until,
} from "../testing/mod.ts";
import type { Alert } from "./alert_webhook.ts";
import type { GateVerdict } from "./ports.ts";
import { retrainSpecSchema } from "./retrain_spec.ts";
import { RetrainStore } from "./retrain_store.ts";
import { Retrainer, type RetrainerOptions } from "./retrainer.ts";
import type { RunRecord } from "./retraining.ts";
import { RETRAIN_MIGRATIONS } from "./schema.ts";

const MINUTE_MS = 60_000;
const ROWS = "a,target\n1,0\n";

/** A world in which a retraining may be cut off at any call. */
class World {
  readonly clock = new FakeClock();
  readonly database = openDatabase(":memory:", RETRAIN_MIGRATIONS);
  readonly calls: string[] = [];
  folder = "";
  aliases: Record<string, string> = { champion: "1" };
  labels = 5000;
  rows = 1000;
  newest = 1;
  /** Version by run: what trainings registered. */
  readonly registered = new Map<string, string>();
  writtenRun: string | undefined;
  trainsElsewhere = false;
  readonly withdrawn: string[] = [];
  verdict: GateVerdict = { outcome: "passed", verdict: "better by 2 points" };
  /** Throws in place of the call, or after it, by name. */
  readonly before = new Map<string, () => void>();
  readonly after = new Map<string, () => void>();
  brakes: Record<string, unknown> = {};
  #trainings = 0;

  open(): Retrainer {
    const spec = retrainSpecSchema.parse({
      models: [{
        model: "electricity",
        data: { csv: ["fresh.csv"], rows_min: 100 },
        brakes: { cooldown_minutes: 60, budget_per_day: 3, ...this.brakes },
      }],
    });
    const options: RetrainerOptions = {
      spec,
      store: new RetrainStore(this.database),
      registry: {
        look: () =>
          this.#call("look", () => ({
            labels: this.labels,
            champion: this.aliases.champion,
            challenger: this.aliases.challenger,
          })),
        setAlias: (_model, alias, version) =>
          this.#call("setAlias", () => void (this.aliases[alias] = version)),
        newestVersion: () => this.#call("newestVersion", () => this.newest),
        findVersionOf: (_model, runId, after) =>
          this.#call("findVersionOf", () => {
            const version = this.registered.get(runId);
            return version !== undefined && Number(version) > after ? version : undefined;
          }),
      },
      data: {
        collect: (_spec, path) =>
          this.#call("collect", () => {
            Deno.writeTextFileSync(path, ROWS);
            return { path, rows: this.rows, source: "fresh.csv" };
          }),
      },
      trainer: {
        isElsewhere: this.trainsElsewhere,
        withdraw: (_model, id) => this.#call("withdraw", () => void this.withdrawn.push(id)),
        train: (_spec, _data, { rows }) =>
          this.#call("train", () => {
            assertEquals([rows.start, rows.end], [0, 700]);
            const runId = `run${++this.#trainings}`, version = String(++this.newest);
            this.writtenRun = runId;
            this.registered.set(runId, version);
            return { version, runId, metrics: { auc: 0.9 } };
          }),
        runOf: () => this.#call("runOf", () => this.writtenRun),
      },
      gate: {
        judge: (_spec, _data, { rows }) =>
          this.#call("judge", () => {
            assertEquals([rows.start, rows.end], [700, 1000]);
            return this.verdict;
          }),
      },
      folder: this.folder,
      clock: this.clock,
      random: new SeededRandom(this.#trainings + this.calls.length),
      log: silentLog,
      sleep: (ms, signal) =>
        ms >= 30_000
          ? new Promise((done) => signal.addEventListener("abort", () => done()))
          : Promise.resolve(),
    };
    return new Retrainer(options);
  }

  /** Runs until nothing is queued, or a call ends the process. */
  async work(retrainer: Retrainer): Promise<void> {
    const ending = new AbortController();
    this.#end = () => ending.abort();
    const running = retrainer.run(ending.signal);
    const store = new RetrainStore(this.database);
    await until("all is done", () =>
      ending.signal.aborted ||
      (retrainer.running === 0 && store.unended().every(({ state }) => state === "pending")));
    ending.abort();
    await running;
  }

  /** The process ends at that call. */
  crashAt(when: "before" | "after", call: string): void {
    this[when].set(call, () => {
      this.#end();
      throw new Error("the process ended");
    });
  }

  #end = () => {};

  #call<T>(name: string, run: () => T): Promise<T> {
    const take = (hooks: Map<string, () => void>) => {
      const hook = hooks.get(name);
      hooks.delete(name);
      hook?.();
    };
    this.calls.push(name);
    try {
      take(this.before);
      const result = run();
      take(this.after);
      return Promise.resolve(result);
    } catch (thrown) {
      return Promise.reject(thrown);
    }
  }
}

async function inWorld(test: (world: World) => Promise<void>): Promise<void> {
  const world = new World();
  world.folder = await Deno.makeTempDir();
  try {
    await test(world);
  } finally {
    world.database.close();
    await Deno.remove(world.folder, { recursive: true });
  }
}

function alert(changes: Partial<Alert> = {}): Alert {
  return {
    name: "SerinModelDegraded",
    firing: true,
    model: "electricity",
    fingerprint: "c1fe9e3ba8c9f0d5",
    startsAt: "2026-01-01T00:00:00Z",
    summary: "",
    ...changes,
  };
}

function runOf(retrainer: Retrainer, id: string): RunRecord {
  return retrainer.explain(id).run!;
}

Deno.test("an alert becomes a challenger: each step is recorded with what came of it", () =>
  inWorld(async (world) => {
    const retrainer = world.open();
    const [{ id, decision }] = await retrainer.receive([alert()]);
    assertEquals(decision, "accepted");
    assertEquals(runOf(retrainer, id).state, "queued");
    await world.work(retrainer);
    const run = runOf(retrainer, id);
    assertEquals([run.state, run.reason], ["succeeded", "version 2 passed and is challenger"]);
    assertEquals(world.aliases.challenger, "2");
    assertEquals((await retrainer.rowsOf(id)).sha256, sha256Hex(ROWS));
    assertEquals(run.steps.map(({ step, attempts }) => [step, attempts]), [
      ["collect", 1],
      ["train", 1],
      ["gate", 1],
      ["promote", 1],
    ]);
    assertEquals(run.steps[1].facts, {
      ...{ versionBefore: 1, version: "2", runId: "run1", metrics: { auc: 0.9 } },
    });
  }));

Deno.test("what the gate refuses or cannot tell is no challenger", async () => {
  for (const outcome of ["refused", "undecided"] as const) {
    await inWorld(async (world) => {
      world.verdict = { outcome, verdict: "the numbers" };
      const retrainer = world.open();
      const [{ id }] = await retrainer.receive([alert()]);
      await world.work(retrainer);
      const { state, reason } = runOf(retrainer, id);
      assertEquals([state, reason], [outcome, "version 2: the numbers"]);
      assertEquals(world.aliases.challenger, undefined);
    });
  }
});

Deno.test("a process that ends at any call goes on at the next start, and trains one version", async () => {
  const points = ["collect", "newestVersion", "train", "judge", "look", "setAlias"];
  for (const when of ["before", "after"] as const) {
    for (const point of points) {
      await inWorld(async (world) => {
        const first = world.open();
        const [{ id }] = await first.receive([alert()]);
        world.crashAt(when, point);
        await world.work(first);
        const second = world.open();
        await world.work(second);
        const { state, steps } = runOf(second, id);
        assertEquals(state, "succeeded", `${when} ${point}`);
        assertEquals(world.aliases.challenger, "2", `${when} ${point}`);
        assertEquals([...world.registered.values()], ["2"], `${when} ${point}`);
        assertEquals(steps.length, 4);
      });
    }
  }
});

Deno.test("a step that ends the process again and again ends as failed, with the reason", () =>
  inWorld(async (world) => {
    let retrainer = world.open();
    const [{ id }] = await retrainer.receive([alert()]);
    for (let i = 0; i < 3; i++) {
      world.crashAt("before", "train");
      await world.work(retrainer);
      retrainer = world.open();
    }
    await world.work(retrainer);
    const { state, reason } = runOf(retrainer, id);
    assertEquals([state, reason], [
      "failed",
      "the step train was cut off 3 times by the end of the process",
    ]);
  }));

Deno.test("a training elsewhere is waited for however often this process ends", () =>
  inWorld(async (world) => {
    world.trainsElsewhere = true;
    const [{ id }] = await world.open().receive([alert()]);
    for (let i = 0; i < 7; i++) {
      world.crashAt("before", "train");
      await world.work(world.open());
    }
    const last = world.open();
    await world.work(last);
    const { state, steps } = runOf(last, id);
    assertEquals([state, steps[1].attempts, world.withdrawn], ["succeeded", 8, []]);
  }));

Deno.test("what has failed while it trains is taken back; where that fails it has failed all the same", () =>
  inWorld(async (world) => {
    const fail = (code: "invalid_data" | "unavailable") => () => {
      throw new SerinError(code, "no luck");
    };
    const begin = async (fingerprint: string, point: string) => {
      const retrainer = world.open();
      world.before.set(point, fail("invalid_data"));
      const [{ id }] = await retrainer.receive([alert({ fingerprint })]);
      await world.work(retrainer);
      assertEquals(runOf(retrainer, id).state, "failed", point);
      world.clock.advance(61 * MINUTE_MS);
      world.labels += 1000;
      return id;
    };
    await begin("a", "collect");
    const id = await begin("b", "train");
    assertEquals(world.withdrawn, [id]);
    await begin("c", "judge");
    assertEquals(world.withdrawn, [id]);
    world.clock.advance(24 * 60 * MINUTE_MS);
    world.before.set("withdraw", fail("unavailable"));
    await begin("d", "train");
    assertEquals(world.withdrawn, [id]);
  }));

Deno.test("what is out of reach for a moment is tried again; what is wrong ends it", () =>
  inWorld(async (world) => {
    const retrainer = world.open();
    world.after.set("train", () => {});
    world.before.set("judge", () => {
      throw new SerinError("unavailable", "the registry is away");
    });
    const [{ id }] = await retrainer.receive([alert()]);
    await world.work(retrainer);
    assertEquals(runOf(retrainer, id).state, "succeeded");
    delete world.aliases.challenger;
    world.clock.advance(61 * MINUTE_MS);
    world.labels += 1000;
    world.rows = 99;
    const again = alert({ startsAt: "2026-01-02T00:00:00Z" });
    const [second] = await retrainer.receive([again]);
    await world.work(retrainer);
    const { state, reason } = runOf(retrainer, second.id);
    assertEquals(state, "failed");
    assertIncludes(reason, "There are 99 labelled rows (fresh.csv), at least 100 are wanted");
  }));

Deno.test("somebody's rollout that began meanwhile is not disturbed", () =>
  inWorld(async (world) => {
    const retrainer = world.open();
    const [{ id }] = await retrainer.receive([alert()]);
    world.after.set("judge", () => world.aliases.challenger = "7");
    await world.work(retrainer);
    const { state, reason } = runOf(retrainer, id);
    assertEquals([state, world.aliases.challenger], ["failed", "7"]);
    assertIncludes(reason, "meanwhile version 7 is challenger");
  }));

Deno.test("brakes: the same alert, one at a time, cool-down, budget, labels", () =>
  inWorld(async (world) => {
    const retrainer = world.open();
    let day = 1;
    const decide = async (changes: Partial<Alert> = {}) => {
      const [{ decision }] = await retrainer.receive([alert(changes)]);
      return decision as string;
    };
    const other = () => ({ startsAt: `2026-02-${String(++day).padStart(2, "0")}T00:00:00Z` });
    assertEquals(await decide(), "accepted");
    assertEquals(await decide(), "duplicate");
    assertEquals(await decide(other()), "running");
    await world.work(retrainer);
    assertEquals(await decide(other()), "rollout_running");
    const promoted = () => {
      world.aliases = { champion: world.aliases.challenger };
      world.labels += 500;
    };
    promoted();
    assertEquals(await decide(), "duplicate");
    assertEquals(await decide(other()), "cool_down");
    world.clock.advance(60 * MINUTE_MS);
    world.labels -= 1;
    assertEquals(await decide(other()), "few_labels");
    world.labels += 1;
    for (let i = 0; i < 2; i++) {
      assertEquals(await decide(other()), "accepted");
      await world.work(retrainer);
      promoted();
      world.clock.advance(60 * MINUTE_MS);
    }
    assertEquals(await decide(other()), "budget");
    world.clock.advance(23 * 60 * MINUTE_MS);
    assertEquals(await decide(), "accepted", "the first alert still fires a day later");
  }));

Deno.test("a failed retraining has answered nothing: the same alert asks again after the cool-down", () =>
  inWorld(async (world) => {
    const retrainer = world.open();
    world.rows = 5;
    await retrainer.receive([alert()]);
    await world.work(retrainer);
    const decide = async () => (await retrainer.receive([alert()]))[0].decision;
    assertEquals(await decide(), "cool_down");
    world.clock.advance(60 * MINUTE_MS);
    // The labels were used by no training.
    assertEquals(await decide(), "accepted");
  }));

Deno.test("two webhooks at once begin one retraining", () =>
  inWorld(async (world) => {
    const retrainer = world.open();
    const decided = await Promise.all(
      [1, 2, 3].map((n) => retrainer.receive([alert({ fingerprint: `f${n}` })])),
    );
    assertEquals(decided.map(([{ decision }]) => decision), ["accepted", "running", "running"]);
  }));

Deno.test("what starts nothing: resolved, foreign, unknown and unwanted alerts", () =>
  inWorld(async (world) => {
    const retrainer = world.open();
    const check = async (changes: Partial<Alert>, decision: string, reason: string) => {
      const [record] = await retrainer.receive([alert(changes)]);
      assertEquals(record.decision as string, decision);
      assertIncludes(record.reason, reason);
      assertEquals(record.run, undefined);
    };
    await check({ firing: false }, "resolved", "over");
    await check({ model: undefined }, "no_model", "label model");
    await check({ model: "electrcity" }, "unknown_model", 'did you mean "electricity"?');
    assertEquals(world.calls, [], "the registry was not asked");
    assertEquals(new RetrainStore(world.database).counts().map(({ model }) => model), [
      "",
      "",
      ...Array(4).fill("electricity"),
    ]);
  }));

Deno.test("a group of alerts is one decision a model; resolved ones among firing ones are left out", () =>
  inWorld(async (world) => {
    const retrainer = world.open();
    const decided = await retrainer.receive([
      alert({ name: "SerinInputDrift", fingerprint: "a", firing: false }),
      alert({ name: "SerinInputDrift", fingerprint: "b" }),
      alert({ name: "SerinModelDegraded", fingerprint: "c" }),
      alert({ model: "other", fingerprint: "d" }),
    ]);
    assertEquals(decided.map(({ decision }) => decision), ["accepted", "unknown_model"]);
    assertEquals(decided[0].alerts.map(({ fingerprint }) => fingerprint), ["b", "c"]);
  }));

Deno.test("a repeated alert is one record that counts how often it came", () =>
  inWorld(async (world) => {
    world.labels = 3;
    const retrainer = world.open();
    const [first] = await retrainer.receive([alert()]);
    world.clock.advance(MINUTE_MS);
    world.labels = 4;
    const [again] = await retrainer.receive([alert()]);
    assertEquals([again.id, again.times, again.lastMs - again.firstMs], [first.id, 2, MINUTE_MS]);
    assertIncludes(again.reason, "4 new labels");
    const store = new RetrainStore(world.database);
    assertEquals(store.list({ limit: 10 }).length, 1);
    assertEquals(store.counts().find(({ decision }) => decision === "few_labels")?.count, 2);
  }));

Deno.test("the registry out of reach: nothing is decided, Alertmanager is to send it again", () =>
  inWorld(async (world) => {
    const retrainer = world.open();
    world.before.set("look", () => {
      throw new SerinError("unavailable", "Cannot reach the registry");
    });
    await assertSerinError(() => retrainer.receive([alert()]), "unavailable", "registry");
    assertEquals(new RetrainStore(world.database).list({ limit: 10 }), []);
    assertEquals((await retrainer.receive([alert()]))[0].decision, "accepted");
  }));

Deno.test("approval: it waits, also over a restart; it expires; it is given once", () =>
  inWorld(async (world) => {
    world.brakes = { approval: true, approval_hours_max: 2 };
    let retrainer = world.open();
    const [{ id, decision }] = await retrainer.receive([alert()]);
    assertEquals(decision, "pending");
    await world.work(retrainer);
    retrainer = world.open();
    assertEquals(runOf(retrainer, id).state, "pending");
    await assertSerinError(() => retrainer.approve("t0"), "not_found", "t0");
    assertEquals(retrainer.approve(id).run?.state, "queued");
    await world.work(retrainer);
    assertEquals(runOf(retrainer, id).state, "succeeded");
    await assertSerinError(() => retrainer.approve(id), "conflict", "succeeded");
    world.aliases = { champion: "2" };
    world.labels += 1000;
    world.clock.advance(61 * MINUTE_MS);
    const [second] = await retrainer.receive([alert({ fingerprint: "b" })]);
    assertEquals(second.decision, "pending");
    world.clock.advance(120 * MINUTE_MS);
    await assertSerinError(() => retrainer.approve(second.id), "conflict", "expired");
    assertIncludes(runOf(retrainer, second.id).reason, "within 2 h");
    const [third] = await retrainer.receive([alert({ fingerprint: "b" })]);
    assertEquals(third.decision, "pending", "what nobody approved has cost nothing");
  }));

Deno.test("a model that left the spec ends its retraining; old retrainings' files are removed", () =>
  inWorld(async (world) => {
    const store = new RetrainStore(world.database);
    for (let n = 0; n < 8; n++) {
      await Deno.mkdir(`${world.folder}/runs/old${n}`, { recursive: true });
    }
    store.decide({
      id: "tgone",
      ...{
        model: "gone",
        decision: "accepted",
        reason: "",
        alerts: [],
        brakes: [],
        now: 1,
        labels: 0,
      },
    });
    const retrainer = world.open();
    await world.work(retrainer);
    assertEquals(runOf(retrainer, "tgone").reason, "retrain.yaml has this model no more");
    assertEquals([...Deno.readDirSync(`${world.folder}/runs`)].length, 0);
  }));
