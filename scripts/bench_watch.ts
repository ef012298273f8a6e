/**
 * `deno task bench:watch`: what it costs `serin serve` to be watched: sketches of inputs and predictions,
 * a full prediction log, and a late label for every answer.
 *
 * Two processes that do the same differ by up to a tenth of their processor time (where their memory lies,
 * what was compiled when): more than all of it costs. So each part is measured where it can be switched
 * within one process, or counted by itself:
 *
 * - sketches and the recorder of the log, in the data isolate: `measureIsolate`, on and off in turn;
 * - writing the log, in the main isolate: the processor time of its thread, which does hardly anything else;
 * - labels: the same process with labels and without, in turn, the log writing them too.
 *
 * The servers run the same executable, model and requests with one worker, pinned to one core, a registry
 * and the client on the others; they are started again `--generations N` times (default 6), and asked
 * `--rounds N` times (6) as fast as they can and as often at a fixed rate. Prediction tokens are sealed in
 * all of it: they belong to rollouts, whether labels come or not.
 */
import { formatTable } from "../src/cli/mod.ts";
import { readReplayRows } from "../src/demo/electricity.ts";
import { runSerin, SerinProcess, until, useCompiledSerin } from "../src/testing/mod.ts";
import {
  cpuSeconds,
  drive,
  mainThreadSeconds,
  medianOf,
  pairedMedian,
  toRequest,
} from "./lib/bench_load.ts";
import { type BenchRow, type IsolateWay, measureIsolate } from "./lib/isolate_share.ts";

/** How much is run; a test asks for little. */
export interface BenchSize {
  /** How often the servers are started again. */
  readonly generations: number;
  /** Rounds of each way to serve, a generation and way to ask. */
  readonly rounds: number;
  /** Rounds before the first one that counts. */
  readonly warmRounds: number;
  /** Requests of a round. */
  readonly requests: number;
  /** Requests a second of the second half. */
  readonly rate: number;
  /** Blocks of {@linkcode measureIsolate}. */
  readonly blocks: number;
}

/** What one way to serve took in one way to ask, a number a round. */
export interface WatchResult {
  readonly name: string;
  readonly cpuMicroseconds: number[];
  /** Of that, the main isolate's thread. */
  readonly mainMicroseconds: number[];
  readonly requestsPerSecond: number[];
  readonly p50Ms: number[];
  readonly p99Ms: number[];
}

/** Results of all ways to serve, as fast as they can and at the fixed rate. */
export interface BenchResult {
  readonly isolate: Record<IsolateWay, number[]>;
  readonly saturated: WatchResult[];
  readonly paced: WatchResult[];
  /** Processor time of the registry, which opens the tokens, a label. */
  readonly registryMicroseconds: number;
}

/** The first two are one process, the last two another. */
const WAYS = [
  { name: "nothing", watched: false, labels: false },
  { name: "labels", watched: false, labels: true },
  { name: "sketches and log", watched: true, labels: false },
  { name: "all three", watched: true, labels: true },
] as const;
const [NOTHING, , WATCHED, ALL] = [0, 1, 2, 3];

const DATA = decodeURIComponent(new URL("../data/elec2.csv", import.meta.url).pathname);
const CONNECTIONS = 8, LABELS_AT_ONCE = 500;
/** Different rows: where the same ones come again and again, the processor learns them. */
const ROWS = 2000, ISOLATE_ROWS = 500;
/** A log's ring is soon full, so that making room is measured too. */
const LOG_BYTES = "4Mi";
/** After a round the log writes what it holds: that is part of the round. */
const SETTLE_MS = 700;

interface Server {
  readonly process: SerinProcess;
  readonly port: number;
}

/** A ready-made request of a row, and the row's label. */
interface Row {
  readonly request: Uint8Array;
  readonly label: number;
}

/** Runs all of it. */
export async function run(size: BenchSize): Promise<BenchResult> {
  const folder = await Deno.makeTempDir();
  try {
    const trained = await runSerin(
      ["train", "--data", DATA, "--target", "target", "--out", `${folder}/profiled`],
    );
    if (trained.code !== 0) throw new Error(trained.stderr);
    await Deno.mkdir(`${folder}/bare`);
    await Deno.copyFile(`${folder}/profiled/model.onnx`, `${folder}/bare/model.onnx`);
    const given = (await readReplayRows(0)).slice(-ROWS), rows = given.map(toRow);
    const isolateRows = given.slice(0, Math.min(ISOLATE_ROWS, size.requests));
    const isolate = await measureIsolate(`${folder}/profiled`, isolateRows, size.blocks);
    await using registry = await SerinProcess.start(
      ["registry", "--data", `${folder}/registry`, "--port", "0"],
    );
    const saturated = WAYS.map(({ name }) => newResult(name));
    const paced = WAYS.map(({ name }) => newResult(name));
    const before = cpuSeconds(registry.pid);
    let labelled = 0;
    for (let i = 0; i < size.generations; i++) {
      await using stack = new AsyncDisposableStack();
      const own = `${folder}/generation-${i}`;
      const bare = await startServer(registry, `${folder}/bare`, `${own}-bare`, stack);
      const log = ["--prediction-log", `${own}-log`, "--prediction-log-bytes", LOG_BYTES];
      const watched = await startServer(registry, `${folder}/profiled`, `${own}-all`, stack, log);
      const servers = { bare, watched };
      await turns(servers, rows, { ...size, rate: undefined, rounds: size.warmRounds });
      await turns(servers, rows, { ...size, rate: undefined }, saturated);
      await turns(servers, rows, size, paced);
      labelled += 2 * size.requests * (2 * size.rounds + size.warmRounds);
    }
    const registryMicroseconds = (cpuSeconds(registry.pid) - before) * 1e6 / labelled;
    return { isolate, saturated, paced, registryMicroseconds };
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

function newResult(name: string): WatchResult {
  return {
    ...{ name, cpuMicroseconds: [], mainMicroseconds: [], requestsPerSecond: [] },
    ...{ p50Ms: [], p99Ms: [] },
  };
}

async function startServer(
  registry: SerinProcess,
  model: string,
  own: string,
  stack: AsyncDisposableStack,
  more: readonly string[] = [],
): Promise<Server> {
  const process = stack.use(
    await SerinProcess.start([
      ...["serve", `m=${model}`, "--registry", registry.url, "--port", "0", "--admin-port", "0"],
      ...["--cache", own, "--replica", own.slice(-20), ...more],
    ]),
  );
  await until("ready", async () => {
    const answer = await fetch(`${process.adminUrl}/readyz`);
    await answer.body?.cancel();
    return answer.ok;
  });
  await pin(process.pid, "servers");
  return { process, port: Number(new URL(process.url).port) };
}

/** Servers have the last core to themselves, whoever asks the others; with one core, all share it. */
async function pin(pid: number, who: "servers" | "others"): Promise<void> {
  const last = navigator.hardwareConcurrency - 1;
  const cores = who === "servers" || last === 0 ? `${last}` : `0-${last - 1}`;
  const { success } = await new Deno.Command("taskset", {
    args: ["--all-tasks", "--cpu-list", "--pid", cores, `${pid}`],
    stdout: "null",
    stderr: "null",
  }).output();
  if (!success) throw new Error("taskset (of util-linux) could not pin a process to a core");
}

function toRow({ inputs, label }: BenchRow & { readonly label: number }): Row {
  const tensors = inputs.map(({ name, value }) => ({
    ...{ name, shape: [1], datatype: "FP32", data: [value] },
  }));
  const body = new TextEncoder().encode(JSON.stringify({ inputs: tensors }));
  return { label, request: toRequest("/v2/models/m/infer", body) };
}

type Sizes = Omit<BenchSize, "rate"> & { readonly rate: number | undefined };

/** @param results by way, added to; default: nobody asks, it is to warm up */
async function turns(
  servers: { readonly bare: Server; readonly watched: Server },
  rows: readonly Row[],
  size: Sizes,
  results?: readonly WatchResult[],
): Promise<void> {
  const order = WAYS.map((way, i) => ({ way, result: results?.[i] }));
  for (let i = 0; i < size.rounds; i++) {
    for (const { way, result } of i % 2 === 0 ? order : order.toReversed()) {
      const server = way.watched ? servers.watched : servers.bare;
      const one = await round(server, rows, { ...size, labels: way.labels });
      result?.cpuMicroseconds.push(one.cpuMicroseconds);
      result?.mainMicroseconds.push(one.mainMicroseconds);
      result?.requestsPerSecond.push(one.requestsPerSecond);
      result?.p50Ms.push(one.p50Ms);
      result?.p99Ms.push(one.p99Ms);
    }
  }
}

async function round(
  { process: { pid }, port }: Server,
  rows: readonly Row[],
  { requests: count, rate, labels: isLabelled }: Sizes & { readonly labels: boolean },
) {
  const labels = new LabelSender(port);
  const before = cpuSeconds(pid), mainBefore = mainThreadSeconds(pid);
  const { seconds, latenciesMs } = await drive({
    port,
    requests: rows.map(({ request }) => request),
    count,
    connections: CONNECTIONS,
    rate,
    onAnswer: (row, head) => {
      const token = /x-serin-prediction: (\S+)/i.exec(head);
      if (token === null) throw new Error("an answer has no token");
      if (isLabelled) labels.add(token[1], rows[row].label);
    },
  });
  await labels.end();
  await new Promise((done) => setTimeout(done, SETTLE_MS));
  const at = (q: number) => latenciesMs[Math.floor(q * latenciesMs.length)];
  return {
    requestsPerSecond: count / seconds,
    cpuMicroseconds: (cpuSeconds(pid) - before) * 1e6 / count,
    mainMicroseconds: (mainThreadSeconds(pid) - mainBefore) * 1e6 / count,
    p50Ms: at(0.5),
    p99Ms: at(0.99),
  };
}

/** Labels each answer once, as a job beside the callers does: some hundred at once, one batch at a time. */
class LabelSender {
  readonly #url: string;
  #waiting: { prediction: string; label: number }[] = [];
  #sending: Promise<void> = Promise.resolve();

  constructor(port: number) {
    this.#url = `http://127.0.0.1:${port}/v1/labels`;
  }

  add(prediction: string, label: number): void {
    this.#waiting.push({ prediction, label });
    if (this.#waiting.length >= LABELS_AT_ONCE) this.#send();
  }

  /** Sends what is left, and waits until all is taken. */
  async end(): Promise<void> {
    if (this.#waiting.length > 0) this.#send();
    await this.#sending;
  }

  #send(): void {
    const labels = this.#waiting;
    this.#waiting = [];
    this.#sending = this.#sending.then(async () => {
      const body = JSON.stringify({ labels });
      const answer = await fetch(this.#url, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body,
      });
      const { accepted } = await answer.json();
      if (accepted !== labels.length) throw new Error(`${accepted} of ${labels.length} were taken`);
    });
  }
}

/** A part's cost, and the part of it that is missing at saturation. */
interface Part {
  readonly name: string;
  readonly value: number;
  readonly low: number;
  readonly high: number;
}

/** The parts, and their sum: its interval is that of independent parts. */
function partsOf(isolate: BenchResult["isolate"], results: readonly WatchResult[]): Part[] {
  const more = (one: number, other: number) => other - one;
  const part = (name: string, before: readonly number[], after: readonly number[]): Part => ({
    name,
    ...pairedMedian(before, after, more),
  });
  const main = (way: number) => results[way].mainMicroseconds;
  const parts = [
    part("sketches", isolate.nothing, isolate.sketches),
    part("log: recorder", isolate.nothing, isolate.recorder),
    part("log: written", main(NOTHING), main(WATCHED)),
    part("labels, logged", results[WATCHED].cpuMicroseconds, results[ALL].cpuMicroseconds),
  ];
  const value = parts.reduce((sum, one) => sum + one.value, 0);
  const off = (end: "low" | "high") =>
    Math.sqrt(parts.reduce((sum, one) => sum + (one[end] - one.value) ** 2, 0));
  return [...parts, {
    name: "together",
    value,
    low: value - off("low"),
    high: value + off("high"),
  }];
}

function show(isolate: BenchResult["isolate"], results: readonly WatchResult[]): string {
  const base = medianOf(results[NOTHING].cpuMicroseconds);
  const ways = formatTable(
    ["", "processor µs/request", "of the main isolate", "requests/s", "p50 ms", "p99 ms"],
    results.map((one) => [
      one.name,
      medianOf(one.cpuMicroseconds).toFixed(1),
      medianOf(one.mainMicroseconds).toFixed(2),
      medianOf(one.requestsPerSecond).toFixed(0),
      medianOf(one.p50Ms).toFixed(2),
      medianOf(one.p99Ms).toFixed(2),
    ]),
  );
  const percent = (value: number) => (100 * value / base).toFixed(1);
  const parts = formatTable(
    ["", "µs/request", "% of a request"],
    partsOf(isolate, results).map(({ name, value, low, high }) => [
      name,
      `${value.toFixed(2)} (${low.toFixed(2)} to ${high.toFixed(2)})`,
      `${percent(value)} (${percent(low)} to ${percent(high)})`,
    ]),
  );
  const alone = pairedMedian(
    ...[results[0].cpuMicroseconds, results[1].cpuMicroseconds] as const,
    (one, other) => other - one,
  );
  const labels = `${alone.value.toFixed(2)} (${alone.low.toFixed(2)} to ${alone.high.toFixed(2)})`;
  return `${ways}\n\n${parts}\n\nlabels without a log: ${labels} µs`;
}

if (import.meta.main) {
  useCompiledSerin();
  await pin(Deno.pid, "others");
  const given = (flag: string, fallback: number) => {
    const at = Deno.args.indexOf(flag);
    return at < 0 ? fallback : Number(Deno.args[at + 1]);
  };
  const size = {
    ...{ generations: given("--generations", 6), rounds: given("--rounds", 6), warmRounds: 6 },
    ...{ requests: 3000, rate: 5000, blocks: 200 },
  };
  const before = Deno.loadavg();
  const { isolate, saturated, paced, registryMicroseconds } = await run(size);
  const load = [...before, ...Deno.loadavg()].map((x) => x.toFixed(1)).join(" ");
  console.log(`load before and after ${load}`);
  console.log(`\nas fast as it can\n${show(isolate, saturated)}`);
  console.log(`\n${size.rate} requests/s\n${show(isolate, paced)}`);
  console.log(`\nregistry: ${registryMicroseconds.toFixed(1)} µs a label`);
}
