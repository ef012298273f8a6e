/**
 * `deno task bench:watch`: what it costs `serin serve` to be watched: sketches of inputs and predictions,
 * a full prediction log, and a late label for every answer. The same executable, model and requests serve
 * with nothing of it, with each part alone, and with all three; one worker each, pinned to one core, a
 * registry and the client on the others. Rounds go in turn, their order reversed each time: once as fast
 * as the server can, once at a fixed rate. `--rounds N` (default 60).
 *
 * What to quote is processor time a request of the server's whole process, labels and writes of the log
 * included: what it takes is what is missing at saturation, and on a machine that does other things too
 * it is far steadier than requests a second. Prediction tokens are sealed in all of them: they belong to
 * rollouts, whether labels come or not.
 */
import { formatTable } from "../src/cli/mod.ts";
import { readReplayRows } from "../src/demo/electricity.ts";
import { runSerin, SerinProcess, until, useCompiledSerin } from "../src/testing/mod.ts";
import { cpuSeconds, drive, medianOf, pairedMedian, ratioOf, toRequest } from "./lib/bench_load.ts";

/** How much is run; a test asks for little. */
export interface BenchSize {
  readonly rounds: number;
  /** Requests of a round. */
  readonly requests: number;
  /** Requests a second of the second half. */
  readonly rate: number;
}

/** What one way to serve took in one way to ask, a number a round. */
export interface WatchResult {
  readonly name: string;
  readonly cpuMicroseconds: readonly number[];
  readonly requestsPerSecond: readonly number[];
  readonly p50Ms: readonly number[];
  readonly p99Ms: readonly number[];
}

/** Results of all ways to serve, first as fast as it can, then at the fixed rate. */
export interface BenchResult {
  readonly saturated: readonly WatchResult[];
  readonly paced: readonly WatchResult[];
  /** Processor time of the registry, which opens the tokens, a label. */
  readonly registryMicroseconds: number;
}

const WAYS = [
  { name: "nothing", profile: false, log: false, labels: false },
  { name: "sketches", profile: true, log: false, labels: false },
  { name: "prediction log", profile: false, log: true, labels: false },
  { name: "labels", profile: false, log: false, labels: true },
  { name: "all three", profile: true, log: true, labels: true },
] as const;

const DATA = decodeURIComponent(new URL("../data/elec2.csv", import.meta.url).pathname);
const CONNECTIONS = 8, LABELS_AT_ONCE = 500;
/** Different rows: where the same ones come again and again, the processor learns them. */
const ROWS = 2000;
/** A log's ring is soon full, so that making room is measured too. */
const LOG_BYTES = "8Mi";
/** How many rounds' requests are sent before the first one. */
const WARM_ROUNDS = 8;
/** After a round the log writes what it holds: that is part of the round. */
const SETTLE_MS = 700;

interface Server {
  readonly way: typeof WAYS[number];
  readonly process: SerinProcess;
  readonly port: number;
}

/** A ready-made request of a row, and the row's label. */
interface Row {
  readonly request: Uint8Array;
  readonly label: number;
}

/** Runs the rounds, the ways to serve in turn. */
export async function run(size: BenchSize): Promise<BenchResult> {
  const folder = await Deno.makeTempDir();
  try {
    const trained = await runSerin(
      ["train", "--data", DATA, "--target", "target", "--out", `${folder}/profiled`],
    );
    if (trained.code !== 0) throw new Error(trained.stderr);
    await Deno.mkdir(`${folder}/bare`);
    await Deno.copyFile(`${folder}/profiled/model.onnx`, `${folder}/bare/model.onnx`);
    await using registry = await SerinProcess.start(
      ["registry", "--data", `${folder}/registry`, "--port", "0"],
    );
    await using stack = new AsyncDisposableStack();
    const servers: Server[] = [];
    for (const way of WAYS) servers.push(await startServer(way, folder, registry, stack));
    const rows = await readRows();
    // Until the engine has compiled what runs: the first rounds take half as long again.
    const warm = { ...size, rate: undefined, requests: WARM_ROUNDS * size.requests };
    for (const server of servers) await round(server, rows, warm);
    const before = cpuSeconds(registry.pid);
    const saturated = await turns(servers, rows, { ...size, rate: undefined });
    const paced = await turns(servers, rows, size);
    const labelled = 2 * size.rounds * size.requests *
      WAYS.filter(({ labels }) => labels).length;
    const registryMicroseconds = (cpuSeconds(registry.pid) - before) * 1e6 / labelled;
    return { saturated, paced, registryMicroseconds };
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function startServer(
  way: typeof WAYS[number],
  folder: string,
  registry: SerinProcess,
  stack: AsyncDisposableStack,
): Promise<Server> {
  const own = `${folder}/${way.name.replaceAll(" ", "-")}`;
  const process = stack.use(
    await SerinProcess.start([
      ...["serve", `m=${folder}/${way.profile ? "profiled" : "bare"}`],
      ...["--registry", registry.url, "--port", "0", "--admin-port", "0", "--cache", own],
      ...["--replica", way.name.replaceAll(" ", "-")],
      ...(way.log ? ["--prediction-log", `${own}-log`, "--prediction-log-bytes", LOG_BYTES] : []),
    ]),
  );
  await until("ready", async () => {
    const answer = await fetch(`${process.adminUrl}/readyz`);
    await answer.body?.cancel();
    return answer.ok;
  });
  await pin(process.pid, "servers");
  return { way, process, port: Number(new URL(process.url).port) };
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

async function readRows(): Promise<Row[]> {
  const encoder = new TextEncoder();
  return (await readReplayRows(0)).slice(-ROWS).map(({ inputs, label }) => ({
    label,
    request: toRequest(
      "/v2/models/m/infer",
      encoder.encode(JSON.stringify({
        inputs: inputs.map(({ name, value }) => ({
          name,
          shape: [1],
          datatype: "FP32",
          data: [value],
        })),
      })),
    ),
  }));
}

type Sizes = Omit<BenchSize, "rate"> & { readonly rate: number | undefined };

async function turns(
  servers: readonly Server[],
  rows: readonly Row[],
  size: Sizes,
): Promise<WatchResult[]> {
  const results = servers.map(({ way: { name } }) => ({
    name,
    cpuMicroseconds: [] as number[],
    requestsPerSecond: [] as number[],
    p50Ms: [] as number[],
    p99Ms: [] as number[],
  }));
  const order = servers.map((server, i) => ({ server, result: results[i] }));
  for (let i = 0; i < size.rounds; i++) {
    for (const { server, result } of i % 2 === 0 ? order : order.toReversed()) {
      const one = await round(server, rows, size);
      result.cpuMicroseconds.push(one.cpuMicroseconds);
      result.requestsPerSecond.push(one.requestsPerSecond);
      result.p50Ms.push(one.p50Ms);
      result.p99Ms.push(one.p99Ms);
    }
  }
  return results;
}

async function round(server: Server, rows: readonly Row[], { requests: count, rate }: Sizes) {
  const { way, process: { pid }, port } = server, labels = new LabelSender(port);
  const before = cpuSeconds(pid);
  const { seconds, latenciesMs } = await drive({
    port,
    requests: rows.map(({ request }) => request),
    count,
    connections: CONNECTIONS,
    rate,
    onAnswer: (row, head) => {
      const token = /x-serin-prediction: (\S+)/i.exec(head);
      if (token === null) throw new Error("an answer has no token");
      if (way.labels) labels.add(token[1], rows[row].label);
    },
  });
  await labels.end();
  await new Promise((done) => setTimeout(done, SETTLE_MS));
  const at = (q: number) => latenciesMs[Math.floor(q * latenciesMs.length)];
  return {
    requestsPerSecond: count / seconds,
    cpuMicroseconds: (cpuSeconds(pid) - before) * 1e6 / count,
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

function table(results: readonly WatchResult[]): string {
  const [{ cpuMicroseconds: without, requestsPerSecond: speed }] = results;
  const times = (rates: readonly number[]) => rates.map((rate) => 1 / rate);
  const more = (cpu: readonly number[]) => {
    const { value, low, high } = pairedMedian(without, cpu, (one, other) => other - one);
    return `${value.toFixed(1)} (${low.toFixed(1)} to ${high.toFixed(1)})`;
  };
  return formatTable(
    ["", "processor µs/request", "more", "ratio", "time ratio", "requests/s", "p50 ms", "p99 ms"],
    results.map((result) => [
      result.name,
      medianOf(result.cpuMicroseconds).toFixed(1),
      more(result.cpuMicroseconds),
      ratioOf(without, result.cpuMicroseconds),
      ratioOf(times(speed), times(result.requestsPerSecond)),
      medianOf(result.requestsPerSecond).toFixed(0),
      medianOf(result.p50Ms).toFixed(2),
      medianOf(result.p99Ms).toFixed(2),
    ]),
  );
}

if (import.meta.main) {
  useCompiledSerin();
  await pin(Deno.pid, "others");
  const at = Deno.args.indexOf("--rounds"), rounds = at < 0 ? 60 : Number(Deno.args[at + 1]);
  const rate = 5000, before = Deno.loadavg();
  const { saturated, paced, registryMicroseconds } = await run({ rounds, requests: 4000, rate });
  const load = [...before, ...Deno.loadavg()].map((x) => x.toFixed(1)).join(" ");
  console.log(`load before and after ${load}; ${rounds} rounds`);
  console.log(`\nas fast as it can\n${table(saturated)}`);
  console.log(`\n${rate} requests/s\n${table(paced)}`);
  console.log(`\nregistry: ${registryMicroseconds.toFixed(1)} µs a label`);
}
