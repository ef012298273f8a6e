/**
 * `deno task bench:pods`: memory, processor time and start of `serin serve` and `serin registry`, as
 * the requests and limits of pods need them (docs/decisions/0010). The compiled executable, the
 * electricity model, requests at a fixed rate whatever the answers take; the client runs beside.
 */
import { formatTable } from "../src/cli/mod.ts";
import {
  runSerin,
  SerinProcess,
  TestRegistry,
  until,
  useCompiledSerin,
} from "../src/testing/mod.ts";

/** How much is run; a test asks for little. */
export interface BenchSize {
  /** How long each state is watched. */
  readonly seconds: number;
  /** Requests a second of one replica. */
  readonly rates: readonly number[];
  /** Replicas that sync with one registry. */
  readonly replicas: number;
  /** Starts that are timed. */
  readonly starts: number;
}

/** What one process took in one state. */
export interface PodUse {
  readonly state: string;
  /** Thousandths of a core. */
  readonly millicores: number;
  /** Memory that only this process has: what a pod's limit is held against. */
  readonly anonMiB: number;
  /** Pages of the executable, shared by the pods of a node. */
  readonly fileMiB: number;
  readonly p50Ms?: number;
  readonly p99Ms?: number;
}

/** What was measured. */
export interface BenchResult {
  readonly uses: PodUse[];
  /** From the start of the process to /readyz 200: nothing cached, and the model in the cache. */
  readonly coldStartMs: number[];
  readonly cachedStartMs: number[];
}

const DATA = decodeURIComponent(new URL("../data/elec2.csv", import.meta.url).pathname);
const MODEL = "electricity";

/** Runs all of it. */
export async function run(size: BenchSize): Promise<BenchResult> {
  const folder = await Deno.makeTempDir();
  const uses: PodUse[] = [];
  try {
    await using registry = await SerinProcess.start(
      ["registry", "--data", `${folder}/registry`, "--port", "0"],
    );
    uses.push(await watch("registry, idle", registry.pid, size.seconds));
    const body = await prepare(registry.url, folder);
    const starts = await timeStarts(registry.url, folder, size.starts);
    await using replicas = new AsyncDisposableStack();
    const serve = async (cache: string) => {
      const replica = await startReplica(registry.url, `${folder}/${cache}`);
      replicas.use(replica);
      return replica;
    };
    const first = await serve("c0");
    uses.push(await watch("serve, idle", first.pid, size.seconds));
    for (const rate of size.rates) {
      const load = sendAt(rate, size.seconds, `${first.url}/v2/models/${MODEL}/infer`, body);
      const use = await watch(`serve, ${rate} requests/s`, first.pid, size.seconds);
      uses.push({ ...use, ...await load });
    }
    for (let i = 1; i < size.replicas; i++) await serve(`c${i}`);
    uses.push(await watch(`registry, ${size.replicas} replicas`, registry.pid, size.seconds));
    return { uses, ...starts };
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Trains and registers the model. @returns a request of one row */
async function prepare(registry: string, folder: string): Promise<string> {
  const trained = await runSerin([
    ...["train", "--data", DATA, "--target", "target", "--out", `${folder}/model`],
    ...["--registry", registry, "--register", MODEL],
  ]);
  if (trained.code !== 0) throw new Error(trained.stderr);
  await new TestRegistry(registry).client.models.setAlias(MODEL, "champion", "1");
  const served = await startReplica(registry, `${folder}/c0`);
  try {
    const answer = await fetch(`${served.url}/v2/models/${MODEL}`);
    const { inputs } = await answer.json();
    return JSON.stringify({
      inputs: inputs.map(({ name, datatype }: { name: string; datatype: string }) => ({
        name,
        datatype,
        shape: [1],
        data: [datatype === "BYTES" ? "x" : 0.5],
      })),
    });
  } finally {
    await served.stop();
  }
}

async function startReplica(registry: string, cache: string): Promise<SerinProcess> {
  const replica = await SerinProcess.start([
    ...["serve", "--registry", registry, "--model", `models:/${MODEL}@champion`],
    ...["--port", "0", "--admin-port", "0", "--cache", cache, "--replica", cache.slice(-20)],
  ]);
  await until("ready", async () => {
    const answer = await fetch(`${replica.adminUrl}/readyz`);
    await answer.body?.cancel();
    return answer.ok;
  });
  return replica;
}

async function timeStarts(registry: string, folder: string, starts: number) {
  const time = async (cache: string) => {
    const started = performance.now();
    const replica = await startReplica(registry, cache);
    const took = performance.now() - started;
    await replica.stop();
    return took;
  };
  const coldStartMs: number[] = [], cachedStartMs: number[] = [];
  for (let i = 0; i < starts; i++) {
    coldStartMs.push(await time(`${folder}/start-${i}`));
    cachedStartMs.push(await time(`${folder}/start-${i}`));
  }
  return { coldStartMs, cachedStartMs };
}

/** Sends at a fixed rate: a late answer does not hold the next request back. */
async function sendAt(rate: number, seconds: number, url: string, body: string) {
  const latencies: number[] = [], sent: Promise<void>[] = [];
  const started = performance.now();
  const send = async () => {
    const at = performance.now();
    const headers = { "content-type": "application/json" };
    const answer = await fetch(url, { method: "POST", headers, body });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${answer.status} ${text}`);
    latencies.push(performance.now() - at);
  };
  for (let elapsed = 0; elapsed < seconds; elapsed = (performance.now() - started) / 1000) {
    while (sent.length < elapsed * rate) sent.push(send());
    await new Promise((done) => setTimeout(done, 2));
  }
  await Promise.all(sent);
  latencies.sort((a, b) => a - b);
  const at = (q: number) => latencies[Math.floor(q * (latencies.length - 1))];
  return { p50Ms: at(0.5), p99Ms: at(0.99) };
}

/** Watches a process; memory is the most that was seen. */
async function watch(state: string, pid: number, seconds: number): Promise<PodUse> {
  const before = await readTicks(pid), started = performance.now();
  let anonMiB = 0, fileMiB = 0;
  while (performance.now() - started < seconds * 1000) {
    const status = await Deno.readTextFile(`/proc/${pid}/status`);
    const mib = (name: string) => Number(new RegExp(`${name}:\\s+(\\d+)`).exec(status)![1]) / 1024;
    anonMiB = Math.max(anonMiB, mib("RssAnon"));
    fileMiB = Math.max(fileMiB, mib("RssFile"));
    await new Promise((done) => setTimeout(done, 200));
  }
  const elapsed = (performance.now() - started) / 1000;
  // Linux counts in hundredths of a second.
  const millicores = (await readTicks(pid) - before) / 100 / elapsed * 1000;
  return { state, millicores, anonMiB, fileMiB };
}

/** User and system time of a process, all its threads. */
async function readTicks(pid: number): Promise<number> {
  const stat = await Deno.readTextFile(`/proc/${pid}/stat`);
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return Number(fields[11]) + Number(fields[12]);
}

if (import.meta.main) {
  useCompiledSerin();
  const { uses, coldStartMs, cachedStartMs } = await run({
    seconds: 20,
    rates: [50, 500],
    replicas: 3,
    starts: 5,
  });
  console.log(formatTable(
    ["state", "millicores", "anonymous MiB", "executable MiB", "p50 ms", "p99 ms"],
    uses.map((use) => [
      use.state,
      ...[use.millicores, use.anonMiB, use.fileMiB].map((value) => value.toFixed(0)),
      ...[use.p50Ms, use.p99Ms].map((value) => value?.toFixed(1) ?? ""),
    ]),
  ));
  const said = (times: number[]) =>
    times.toSorted((a, b) => a - b).map((ms) => ms.toFixed(0)).join(", ");
  console.log(`start to ready, ms: cold ${said(coldStartMs)}; cached ${said(cachedStartMs)}`);
}
