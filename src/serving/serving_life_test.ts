/** A serving process as Kubernetes sees it: when it is ready, how it ends. */
import { SerinError, silentLog, systemClock } from "../core/mod.ts";
import type { Assignment } from "../rollout/sync.ts";
import { Metrics } from "../telemetry/mod.ts";
import {
  assertEquals,
  assertIncludes,
  assertSerinError,
  assertTrue,
  FakePeer,
  linearModel,
  slowModel,
  unknownOperatorModel,
  until,
} from "../testing/mod.ts";
import { ModelCache } from "./model_cache.ts";
import { openServing, type Serving, type ServingOptions } from "./serving.ts";

const SPLIT: Assignment = {
  rollout: "r1",
  stable: "1",
  canary: "2",
  step: 0,
  share: 0.5,
  salt: "salt",
  latencyTolerance: { relative: 0.2, absoluteMs: 1 },
};

/** Versions that a registry has; a test may keep one back, or replace it. */
type Versions = Record<string, Uint8Array | Promise<Uint8Array>>;

/** A serving process of its own, and the registry that it follows. */
class Bed implements AsyncDisposable {
  private constructor(
    readonly serving: Serving,
    readonly peer: FakePeer,
    readonly folder: string,
  ) {}

  static async open(
    versions: Versions,
    { peer = new FakePeer(), ...change }: Partial<ServingOptions> & { peer?: FakePeer } = {},
  ): Promise<Bed> {
    const folder = await Deno.makeTempDir();
    try {
      const serving = await openServing({
        host: "127.0.0.1",
        port: 0,
        adminPort: 0,
        workers: 1,
        replica: "r-1",
        models: new Map([["m", { kind: "alias", model: "m", alias: "champion" }]]),
        peer,
        source: {
          identify: (model, version) => Promise.resolve(`${model} ${version}`),
          fetchVersion: async (_, version) => ({ bytes: await versions[version] }),
          fetchRun: () => Promise.reject(new Error("no runs here")),
        },
        cache: await ModelCache.open(folder),
        metrics: new Metrics(),
        clock: systemClock,
        log: silentLog,
        ...change,
      });
      return new Bed(serving, peer, folder);
    } catch (thrown) {
      await Deno.remove(folder, { recursive: true });
      throw thrown;
    }
  }

  async admin(path: string): Promise<{ status: number; text: string }> {
    const answer = await fetch(this.serving.adminUrl + path);
    return { status: answer.status, text: await answer.text() };
  }

  async waitReady(): Promise<void> {
    await until("ready", async () => (await this.admin("/readyz")).status === 200, 90_000);
  }

  /** Waits until /readyz gives a reason that holds the text. */
  async waitReason(part: string): Promise<void> {
    await until(`not ready, for "${part}"`, async () => {
      const { status, text } = await this.admin("/readyz");
      if (status === 503 && text.includes(part)) return true;
      throw new Error(`${status} ${text}`);
    });
  }

  async metric(name: string): Promise<number> {
    return Number(new RegExp(`\n${name} (\\S+)`).exec((await this.admin("/metrics")).text)?.[1]);
  }

  async infer(headers: Record<string, string> = {}, b = 0) {
    const answer = await fetch(`${this.serving.url}/v2/models/m/infer`, {
      method: "POST",
      headers: { "content-type": "application/json", ...headers },
      body: requestOf(b),
    });
    const body = await answer.json();
    return { status: answer.status, version: answer.headers.get("x-serin-model-version"), body };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.serving.stop();
    await Deno.remove(this.folder, { recursive: true });
  }
}

function requestOf(b: number): string {
  const column = (name: string, value: number) => ({
    name,
    shape: [1],
    datatype: "FP32",
    data: [value],
  });
  return JSON.stringify({ inputs: [column("a", 1), column("b", b)] });
}

/** A request on a connection that stays open unless the server closes it. */
async function askRaw(connection: Deno.Conn, path = "/v2"): Promise<string> {
  const text = `GET ${path} HTTP/1.1\r\nHost: serin\r\n\r\n`;
  await connection.write(new TextEncoder().encode(text));
  const buffer = new Uint8Array(65536), size = await connection.read(buffer);
  return size === null ? "" : new TextDecoder().decode(buffer.subarray(0, size));
}

function connect({ url }: Serving): Promise<Deno.TcpConn> {
  return Deno.connect({ hostname: "127.0.0.1", port: Number(new URL(url).port) });
}

Deno.test("an end with a delay: not ready at once, answers, closes connections; then nobody is let in", async () => {
  const peer = new FakePeer();
  await using bed = await Bed.open({ "1": linearModel(), "2": linearModel() }, { peer });
  await bed.waitReady();
  peer.hold = ["1", "2"];
  peer.assignment = SPLIT;
  await until("it is split", async () => (await bed.admin("/status")).text.includes("0.5"));
  using idle = await connect(bed.serving);
  assertTrue(!/^connection: close/m.test(await askRaw(idle)), "kept open before");
  const stopped = bed.serving.stop({ delayMs: 1000 });
  assertIncludes((await bed.admin("/readyz")).text, "the process is stopping");
  assertEquals(await bed.metric("serin_draining"), 1);
  await until("the data port says it too", async () => {
    using connection = await connect(bed.serving);
    return (await askRaw(connection, "/v2/health/ready")).startsWith("HTTP/1.1 503");
  });
  using late = await connect(bed.serving);
  const answer = await askRaw(late);
  assertIncludes(answer, "HTTP/1.1 200");
  assertIncludes(answer, "\r\nconnection: close\r\n");
  assertEquals(await askRaw(late), "", "and it is closed");
  for (let i = 0; i < 5; i++) assertEquals((await bed.infer()).status, 200);
  await stopped;
  assertEquals(await askRaw(idle).catch(() => ""), "", "what is idle is not waited for");
  await assertRefused(bed.serving);
  const last = peer.requests.at(-1)!;
  assertEquals(last.leaving, true);
  assertEquals(last.counts.reduce((sum, { totals }) => sum + (totals.requests ?? 0), 0), 5);
});

async function assertRefused(serving: Serving): Promise<void> {
  const refused = await connect(serving).then((connection) => connection.close(), () => "refused");
  assertEquals(refused, "refused");
}

Deno.test("a start that is under way is given up: a model that loads, a registry that is silent", async () => {
  for (const silent of [false, true]) {
    const peer = new FakePeer(), ending = new AbortController(), loading = Promise.withResolvers();
    if (silent) {
      peer.sync = () => {
        loading.resolve(undefined);
        return new Promise(() => {});
      };
    }
    const never: Versions = {
      get "1"(): Promise<Uint8Array> {
        loading.resolve(undefined);
        return new Promise(() => {});
      },
    };
    const opening = Bed.open(never, {
      peer,
      signal: ending.signal,
      ...(silent ? {} : {
        models: new Map([["m", { kind: "version", model: "m", version: "1" }]] as const),
      }),
    });
    await Promise.race([loading.promise, opening]);
    ending.abort();
    await assertSerinError(() => opening, "unavailable", "Ended while it started");
  }
});

Deno.test("a replica that joins is ready when it holds what requests are split with, not before", async () => {
  const peer = new FakePeer(), canary = Promise.withResolvers<Uint8Array>();
  peer.hold = ["1", "2"];
  peer.assignment = SPLIT;
  await using bed = await Bed.open({ "1": linearModel(), "2": canary.promise }, { peer });
  await bed.waitReason("version 2 is being loaded, and requests are split with it now");
  assertEquals(await bed.metric("serin_ready"), 0);
  canary.resolve(linearModel());
  await bed.waitReady();
  const seen = new Set<unknown>();
  for (let i = 0; i < 64; i++) seen.add((await bed.infer()).version);
  assertEquals([...seen].sort(), ["1", "2"], "from its first moment on");
});

Deno.test("the same key gets the same version on a replica that was there and on one that joins", async () => {
  const versions = { "1": linearModel(), "2": linearModel() };
  const peer = new FakePeer();
  peer.hold = ["1", "2"];
  peer.assignment = SPLIT;
  await using first = await Bed.open(versions, { peer });
  await first.waitReady();
  await using joined = await Bed.open(versions, { peer, replica: "r-2", workers: 2 });
  await joined.waitReady();
  // On a machine that is busy with other tests an isolate may be taken for hung and replaced.
  const versionOf = (bed: Bed, key: string) =>
    until(`${key} is answered`, async () => (await bed.infer({ "x-serin-key": key })).version);
  for (let i = 0; i < 30; i++) {
    const key = `user-${i}`;
    assertEquals(await versionOf(joined, key), await versionOf(first, key), key);
  }
});

Deno.test("a replica that serves stays ready when a canary, or the next version, cannot be loaded", async () => {
  await using bed = await Bed.open({ "1": linearModel(), "2": unknownOperatorModel() });
  await bed.waitReady();
  bed.peer.hold = ["1", "2"];
  bed.peer.assignment = SPLIT;
  await until(
    "it is told",
    () =>
      bed.peer.requests.at(-1)?.models[0].held.some(({ error }) => error?.includes("Frobnicate")),
  );
  assertEquals((await bed.admin("/readyz")).status, 200);
  bed.peer.assignment = null;
  bed.peer.stable = "2";
  const { requests } = bed.peer, seen = requests.length;
  await until("it heard that", () => requests.length > seen + 1);
  assertEquals((await bed.admin("/readyz")).status, 200);
  assertEquals((await bed.infer()).version, "1");
  assertIncludes(
    (await bed.admin("/metrics")).text,
    'serin_version_unservable{model="m",model_version="2"} 1',
  );
});

Deno.test("why a new replica is not ready: no registry, no alias, a version without files", async () => {
  const peer = new FakePeer();
  peer.reachable = false;
  const missing = new SerinError("not_found", "m version 1 holds no model.onnx");
  const versions: Versions = {
    get "1"(): Promise<Uint8Array> {
      return Promise.reject(missing);
    },
    "3": linearModel(),
  };
  await using bed = await Bed.open(versions, { peer });
  await bed.waitReason(
    "m@champion: the registry has not answered yet: The registry does not answer",
  );
  const early = await bed.infer();
  assertEquals([early.status, early.body.code], [503, "not_ready"]);
  peer.stable = null;
  peer.hold = [];
  peer.reachable = true;
  await bed.waitReason('no model of that name, or its alias \\"champion\\" is not set');
  Object.assign(peer, { stable: "1", hold: ["1"] });
  await bed.waitReason("version 1 cannot be served: m version 1 holds no model.onnx");
  Object.assign(peer, { stable: "3", hold: ["3"] });
  await bed.waitReady();
  assertEquals((await bed.infer()).version, "3");
});

Deno.test("without a model it is ready, says what it serves, and goes on syncing", async () => {
  await using bed = await Bed.open({}, { models: new Map() });
  await bed.waitReady();
  const answer = await bed.infer();
  assertEquals([answer.status, answer.body.code], [404, "not_found"]);
  assertIncludes(answer.body.hint, "no model is served here at all");
  const scored = await fetch(`${bed.serving.url}/invocations`, { method: "POST", body: "{}" });
  assertEquals([scored.status, (await scored.json()).error], [404, "No model is served here"]);
  const seen = bed.peer.requests.length;
  await until("it syncs on", () => bed.peer.requests.length > seen + 1);
  assertEquals(bed.peer.requests.at(-1)!.models, []);
});

Deno.test("requests in flight are counted while they wait and run, and are 0 after", async () => {
  await using bed = await Bed.open({ "1": slowModel(1000, 0.9) }, { workers: 2 });
  await bed.waitReady();
  assertEquals(await bed.metric("serin_inflight_requests"), 0);
  let most = 0, isSeen = false;
  // Twelve at a time, again and again: a look may come late on a busy machine.
  const asking = async () => {
    while (!isSeen) await Promise.all(Array.from({ length: 12 }, () => bed.infer({}, 0.95)));
  };
  const watching = until("all are seen", async () => {
    most = Math.max(most, await bed.metric("serin_inflight_requests"));
    return most >= 10;
  }, 90_000).finally(() => isSeen = true);
  await Promise.all([watching, asking()]);
  assertTrue(most <= 12, `never more than there are: ${most}`);
  await until("none is left", async () => await bed.metric("serin_inflight_requests") === 0);
});
