import { silentLog, systemClock } from "../core/mod.ts";
import { DriftBook, VersionSketch } from "../monitor/mod.ts";
import { CountLedger } from "../rollout/router/mod.ts";
import { assertEquals, assertSerinError, assertTrue, until } from "../testing/mod.ts";
import { IsolatePool, type IsolateWorker } from "./isolate_pool.ts";
import type { FromIsolate, PostedError, ToIsolate } from "./messages.ts";
import type { ProfiledFile } from "./version_profile.ts";

/** A data isolate that does what a test says. */
class FakeIsolate implements IsolateWorker {
  readonly heard: ToIsolate[] = [];
  onmessage: IsolateWorker["onmessage"] = null;
  onerror: IsolateWorker["onerror"] = null;
  ended = false;

  postMessage(message: ToIsolate): void {
    this.heard.push(message);
    if (message.type === "start") queueMicrotask(() => this.say({ type: "listening", port: 8080 }));
    if (message.type === "drain") queueMicrotask(() => this.say({ type: "drained" }));
  }

  terminate(): void {
    this.ended = true;
  }

  say(message: FromIsolate): void {
    const event = new MessageEvent("message", { data: message });
    this.onmessage?.call(this as unknown as Worker, event);
  }

  /** Loads that it was told, by version. */
  get loads(): string[] {
    return this.heard.flatMap((message) => message.type === "load" ? [message.file.version] : []);
  }

  /** Answers its last load. */
  loaded(error?: PostedError): void {
    const last = this.heard.findLast((message) => message.type === "load")!;
    this.say({ type: "loaded", id: last.id, ...(error === undefined ? {} : { error }) });
  }
}

const WINDOW_MS = 3_600_000;

async function openPool(workers: number, drift = new DriftBook(systemClock, WINDOW_MS)) {
  const isolates: FakeIsolate[] = [];
  const pool = new IsolatePool({
    hostname: "127.0.0.1",
    port: 0,
    workers,
    ledger: new CountLedger(),
    drift,
    log: silentLog,
    onBadEvent: () => {},
    onLabels: () => Promise.reject(new Error("no labels here")),
    openWorker: () => {
      const isolate = new FakeIsolate();
      isolates.push(isolate);
      return isolate;
    },
  });
  await pool.start();
  await until("all listen", () => pool.healthy);
  const stop = () => pool.stop(1000, { loadsMatter: true });
  return { pool, isolates, stop, loads: () => isolates.map((isolate) => isolate.loads.join()) };
}

function file(version: string): ProfiledFile {
  const bytes = new Uint8Array([1, 2, 3]), profile = { missing: "none in this test" };
  return { model: "m", registered: "m", version, bytes, missingAllowed: false, profile };
}

/** Lets everything happen that needs no further word of an isolate. */
const settle = () => new Promise((done) => setTimeout(done, 0));

Deno.test("while something is served, isolates load one after another, and one version at a time", async () => {
  const { pool, isolates: [a, b, c], loads, stop } = await openPool(3);
  pool.route("m", { stable: "1", assignment: null, cells: null });
  const second = pool.load(file("2")), third = pool.load(file("3"));
  const steps: [FakeIsolate, string[]][] = [
    [a, ["2", "", ""]],
    [b, ["2", "2", ""]],
    [c, ["2", "2", "2"]],
    [a, ["2,3", "2", "2"]],
    [b, ["2,3", "2,3", "2"]],
    [c, ["2,3", "2,3", "2,3"]],
  ];
  for (const [next, told] of steps) {
    await settle();
    assertEquals(loads(), told);
    assertTrue(pool.healthy, "one that loads is no reason to be not ready");
    next.loaded();
  }
  await Promise.all([second, third]);
  await stop();
});

Deno.test("while nothing is served, one isolate tries a version, and then all load it at once", async () => {
  const { pool, isolates, loads, stop } = await openPool(3);
  const loading = pool.load(file("1"));
  await settle();
  assertEquals(loads(), ["1", "", ""]);
  isolates[0].loaded();
  await settle();
  assertEquals(loads(), ["1", "1", "1"]);
  for (const isolate of isolates.slice(1)) isolate.loaded();
  await loading;
  await stop();
});

Deno.test("a version that the first isolate cannot load reaches no other, and the next one is loaded", async () => {
  const { pool, isolates: [a, b], loads, stop } = await openPool(2);
  pool.route("m", { stable: "1", assignment: null, cells: null });
  const bad = pool.load(file("2")), good = pool.load(file("3"));
  await settle();
  a.loaded({ code: "unsupported_model", message: "no such operator", hint: undefined });
  await assertSerinError(() => bad, "unsupported_model", "no such operator");
  await settle();
  assertEquals(loads(), ["2,3", ""]);
  a.loaded();
  await settle();
  b.loaded();
  await good;
  await stop();
});

Deno.test("a model is handed over in memory that isolates share", async () => {
  const { pool, isolates: [only], stop } = await openPool(1);
  const loading = pool.load(file("1"));
  await settle();
  const told = only.heard.find((message) => message.type === "load")!;
  assertTrue(told.file.bytes.buffer instanceof SharedArrayBuffer, "not copied");
  assertEquals([...told.file.bytes], [1, 2, 3]);
  only.loaded();
  await loading;
  await stop();
});

Deno.test("an isolate that dies is replaced while the others answer; at the end it is not waited for", async () => {
  const { pool, isolates, stop } = await openPool(2);
  isolates[0].say({ type: "crashed", why: "out of memory" });
  assertTrue(pool.healthy, "the other answers");
  await until("it is replaced", () => isolates.length === 3);
  assertEquals(pool.restarts, 1);
  await settle();
  // One that dies while it drains has answered what it could.
  isolates[1].postMessage = () => {};
  const stopped = stop();
  isolates[1].say({ type: "crashed", why: "out of memory" });
  assertEquals(await stopped, true);
  assertTrue(isolates.every(({ ended }) => ended), "all are ended");
});

Deno.test("a version whose turn comes while no isolate lives is tried by the next one, not taken for loaded", async () => {
  const { pool, isolates, stop } = await openPool(1);
  pool.route("m", { stable: "1", assignment: null, cells: null });
  const bad = pool.load(file("2")), next = pool.load(file("3"));
  let isLoaded = false;
  void next.then(() => isLoaded = true);
  await settle();
  isolates[0].say({ type: "crashed", why: "out of memory" });
  await assertSerinError(() => bad, "unsupported_model", "out of memory");
  await until("it is replaced and told to load", () => isolates[1]?.loads.join() === "3");
  const start = isolates[1].heard.find((message) => message.type === "start")!;
  assertEquals([start.files.length, isLoaded], [0, false]);
  isolates[1].loaded();
  await next;
  await stop();
});

Deno.test("the end waits for no load where nobody was sent here, and says what it cut off", async () => {
  const joining = await openPool(1);
  joining.isolates[0].postMessage = () => {};
  void joining.pool.load(file("1"));
  await settle();
  assertEquals(await joining.pool.stop(3_600_000, { loadsMatter: false }), true);

  const busy = await openPool(1);
  busy.isolates[0].postMessage = () => {};
  assertEquals(await busy.pool.stop(10, { loadsMatter: true }), false);
});

Deno.test("what an isolate that dies had counted of a version stays, until the version is dropped", async () => {
  const drift = new DriftBook(systemClock, WINDOW_MS);
  const { pool, isolates, stop } = await openPool(1, drift);
  const column = { name: "a", rows: 2, nullRatio: 0, edges: [0, 1], counts: [2], discrete: false };
  const profile = { columns: [column], prediction: undefined, leftOut: 0 };
  const loading = pool.load({ ...file("1"), profile });
  await settle();
  const say = (isolate: FakeIsolate, rows: number) => {
    const sketch = new VersionSketch(profile, drift.partMs);
    const { buffer } = sketch, data = new Float32Array(rows);
    isolate.say({ type: "sketch", model: "m", version: "1", buffer });
    const inputs = [{ name: "a", shape: [rows], data }];
    sketch.observe(inputs, rows, { scores: undefined, now: Date.now() });
  };
  say(isolates[0], 3);
  isolates[0].loaded();
  await loading;
  isolates[0].say({ type: "crashed", why: "out of memory" });
  await until("it is replaced", () => isolates.length === 2);
  say(isolates[1], 4);
  await until("both count", () => drift.drifts()[0]?.rowsTotal === 7);
  pool.unload("m", "1");
  say(isolates[1], 4);
  assertEquals(drift.drifts(), []);
  await stop();
});
