import { SerinError } from "../core/mod.ts";
import { retrainSpecSchema } from "../retrain/mod.ts";
import { assertEquals, assertSerinError, FakeClock } from "../testing/mod.ts";
import { checkOwnUrl, type JobTrainerOptions, openJobTrainer } from "./retrain_job.ts";

const SPEC = retrainSpecSchema.parse({
  models: [{ model: "m", data: { csv: ["fresh.csv"] }, train: "train.yaml" }],
}).models[0];
const DATA = { path: "retrain/runs/t1/data.csv", rows: 1000, source: "" };
const OPTIONS = { rows: { start: 0, end: 700 }, id: "t1", versionBefore: 1, out: "" };
const REQUEST = "serin.training_request", STATUS = "serin.training_status";
const HOUR_MS = 3_600_000;

/** A registry whose controller does what `controller` says each time that it is looked at. */
class Cluster {
  readonly clock = new FakeClock();
  readonly tags = new Map<string, string>();
  readonly asked: unknown[] = [];
  /** Who each version was trained for, from version 1 on; undefined: it was deleted. */
  readonly versions: (string | undefined)[] = ["champion"];
  looks = 0;
  away = 0;
  controller: (look: number) => void = () => {};

  status(id: string, phase: string, message = "", job = "j"): void {
    this.tags.set(STATUS, JSON.stringify({ id, phase, job, message }));
  }

  request(id: string): void {
    this.tags.set(REQUEST, JSON.stringify({ id }));
  }

  open() {
    return openJobTrainer({
      // Only what is read is there.
      client: ({
        models: {
          get: () => this.#answer(() => this.#model()),
          setTag: (_model: string, key: string, value: string) => {
            this.asked.push(JSON.parse(value));
            this.tags.set(key, value);
            return Promise.resolve();
          },
          removeTag: (_model: string, key: string) => Promise.resolve(void this.tags.delete(key)),
        },
        versions: {
          get: (_model: string, number: string) => this.#answer(() => this.#version(number)),
        },
        runs: { get: () => Promise.resolve({ data: { metrics: [{ key: "auc", value: 0.9 }] } }) },
      }) as unknown as JobTrainerOptions["client"],
      ownUrl: Promise.resolve("http://serin-retrain:8083"),
      clock: this.clock,
      sleep: (ms) => {
        this.clock.advance(ms);
        this.controller(++this.looks);
        return Promise.resolve();
      },
    });
  }

  train() {
    return this.open().train(SPEC, DATA, OPTIONS);
  }

  #version(number: string) {
    const id = this.versions[Number(number) - 1];
    if (id === undefined) throw new SerinError("not_found", `no version ${number}`);
    return { version: number, run_id: `run${number}`, tags: [{ key: REQUEST, value: id }] };
  }

  #model() {
    const tags = [...this.tags].map(([key, value]) => ({ key, value }));
    return { tags, latest_versions: [{ version: String(this.versions.length) }] };
  }

  #answer<T>(get: () => T): Promise<T> {
    if (this.away-- > 0) return Promise.reject(new SerinError("unavailable", "registry away"));
    return new Promise((done) => done(get()));
  }
}

Deno.test("a Job is asked for with an address of its rows, waited for, and its version found", async () => {
  const cluster = new Cluster();
  cluster.controller = (look) => {
    if (look === 1) cluster.status("t1", "running");
    if (look === 3) cluster.versions.push("t1");
  };
  const trained = { version: "2", runId: "run2", metrics: { auc: 0.9 } };
  assertEquals(await cluster.train(), trained);
  const args = [
    ...["--data", "http://serin-retrain:8083/api/serin/v1/retrainings/t1/rows.csv"],
    ...["--data-wait-seconds", "300", "--target", "target", "--rows", "0-700"],
    ...["--tag", "serin.training_request=t1", "--spec", "train.yaml"],
  ];
  assertEquals(cluster.asked, [{ id: "t1", arguments: args }]);
  // Taken again after a crash: the same id asks for nothing new, whatever was asked since.
  assertEquals(await cluster.train(), trained);
  cluster.request("other");
  assertEquals(await cluster.train(), trained);
  assertEquals(cluster.asked.length, 1);
});

Deno.test("the version is the Job's own, among those that others made meanwhile", async () => {
  const cluster = new Cluster();
  cluster.controller = (look) => {
    cluster.status("t1", "running");
    if (look === 1) cluster.versions.push("somebody");
    if (look === 2) cluster.versions.push("t1", undefined, "another");
  };
  assertEquals((await cluster.train()).version, "3");
  // Its pod was tried again when it had registered one already.
  cluster.versions.push("t1");
  assertEquals((await cluster.train()).version, "6");
});

Deno.test("an end that nobody writes, or writes wrongly, is seen by the version", async () => {
  for (const phase of ["running", "failed"]) {
    const cluster = new Cluster();
    cluster.controller = (look) => {
      cluster.status("t1", "running");
      if (look < 1000) return;
      cluster.status("t1", phase, "its end was not seen");
      cluster.versions.push("t1");
    };
    assertEquals((await cluster.train()).version, "2", phase);
  }
  const never = new Cluster();
  never.controller = () => never.status("t1", "running");
  await assertSerinError(() => never.train(), "conflict", "The Job j has not ended in 12 h");
});

Deno.test("a Job that fails, one that nobody takes, one that registers elsewhere", async () => {
  const failing = new Cluster();
  failing.controller = () => failing.status("t1", "failed", "error: no column");
  await assertSerinError(() => failing.train(), "invalid_data", "Job j failed: error: no column");
  const alone = new Cluster();
  const nobody = await assertSerinError(() => alone.train(), "unavailable", "No controller", "t1");
  assertEquals([nobody.retriable, alone.clock.monotonic() < HOUR_MS / 10], [true, true]);
  const elsewhere = new Cluster();
  elsewhere.controller = () => elsewhere.status("t1", "succeeded");
  await assertSerinError(() => elsewhere.train(), "conflict", "has no version");
});

Deno.test("another training of the model is waited for, unless nobody takes it", async () => {
  const busy = new Cluster();
  busy.request("other");
  busy.controller = (look) => {
    const phase = look < 2000 ? "running" : "failed";
    if (busy.asked.length === 0) return busy.status("other", phase);
    busy.versions.push("t1");
  };
  assertEquals((await busy.train()).version, "2");
  assertEquals(busy.clock.monotonic() > HOUR_MS, true);
  const forgotten = new Cluster();
  forgotten.request("other");
  await assertSerinError(() => forgotten.train(), "unavailable", "taken the training other");
  assertEquals(forgotten.asked, []);
});

Deno.test("a registry that is away for a moment is waited for", async () => {
  const cluster = new Cluster();
  cluster.controller = (look) => {
    cluster.status("t1", "running");
    if (look === 50) cluster.away = 25;
    if (look === 90) cluster.versions.push("t1");
  };
  assertEquals((await cluster.train()).version, "2");
  const gone = new Cluster();
  gone.away = 1000;
  await assertSerinError(() => gone.train(), "unavailable", "registry away");
  assertEquals(gone.clock.monotonic() < 70_000, true);
});

Deno.test("a request that has not begun is taken back; others, and what runs, are let alone", async () => {
  const check = async (prepare: (cluster: Cluster) => void, isTaken: boolean) => {
    const cluster = new Cluster();
    prepare(cluster);
    const before = cluster.tags.get(REQUEST);
    await cluster.open().withdraw("m", "t1");
    assertEquals(cluster.tags.get(REQUEST), isTaken ? undefined : before);
  };
  await check((cluster) => cluster.request("t1"), true);
  await check((cluster) => {
    cluster.request("t1");
    cluster.status("t1", "running", "waits for the Job x: one at a time", "");
  }, true);
  await check((cluster) => {
    cluster.request("t1");
    cluster.status("t1", "running");
  }, false);
  await check((cluster) => cluster.request("other"), false);
  await check(() => {}, false);
});

Deno.test("--own-url is an address that others can reach, without secrets", async () => {
  const check = (ownUrl?: string, host = "127.0.0.1", trainIn = "job") =>
    checkOwnUrl({ ownUrl, host, trainIn });
  assertEquals(check("http://serin-retrain:8083/"), "http://serin-retrain:8083");
  assertEquals(check("https://host/behind/a/path"), "https://host/behind/a/path");
  assertEquals([check(), check(undefined, "::", "worker")], [undefined, undefined]);
  for (const host of ["0.0.0.0", "::", "[::]"]) {
    await assertSerinError(() => check(undefined, host), "configuration", host);
  }
  for (const url of ["serin-retrain:8083", "ftp://host", "http://h/?a=hunter2", "http://h#a"]) {
    await assertSerinError(() => check(url), "configuration", "--own-url is no http(s) address");
  }
  for (const url of ["http://u:hunter2@h", "ftp://hunter2@h", "http://h?a=hunter2"]) {
    const { message } = await assertSerinError(() => check(url), "configuration", "--own-url");
    assertEquals(message.includes("hunter2"), false, url);
  }
});
