import { SeededRandom } from "../../src/core/mod.ts";

/**
 * What benchmarks of `serin serve` share: a client that costs little beside the server, processor time,
 * and ratios with their intervals.
 */

/** How often rounds are drawn again for an interval (bootstrap over pairs of rounds). */
const RESAMPLES = 2000;
/** One answer's head and body. */
const ANSWER_BYTES_MAX = 64 * 1024;

/** A load of requests on keep-alive connections. */
export interface Load {
  readonly port: number;
  /** Ready-made, in turn: see {@linkcode toRequest}. */
  readonly requests: readonly Uint8Array[];
  readonly count: number;
  readonly connections: number;
  /** Requests a second, sent when they are due whatever the answers take; default as fast as it can. */
  readonly rate?: number | undefined;
  /** Told of each answer: which request it was, and the answer's head. */
  readonly onAnswer?: ((request: number, head: string) => void) | undefined;
}

/** What came of a load. */
export interface LoadResult {
  readonly seconds: number;
  /** From when each was due to its answer, ascending. */
  readonly latenciesMs: Float64Array;
}

/** Sends ready-made requests, one after another on each connection, until all are answered. */
export async function drive(load: Load): Promise<LoadResult> {
  const { count, connections, rate } = load, latenciesMs = new Float64Array(count);
  const started = performance.now();
  let sent = 0;
  const next = async (): Promise<{ n: number; dueAt: number } | undefined> => {
    if (sent >= count) return undefined;
    const n = sent++;
    if (rate === undefined) return { n, dueAt: performance.now() };
    const dueAt = started + n * 1000 / rate, wait = dueAt - performance.now();
    if (wait > 0) await new Promise((done) => setTimeout(done, wait));
    return { n, dueAt };
  };
  const answered = (n: number, dueAt: number, head: string) => {
    latenciesMs[n] = performance.now() - dueAt;
    load.onAnswer?.(n % load.requests.length, head);
  };
  await Promise.all(Array.from({ length: connections }, () => ask(load, next, answered)));
  return { seconds: (performance.now() - started) / 1000, latenciesMs: latenciesMs.sort() };
}

async function ask(
  { port, requests }: Load,
  next: () => Promise<{ n: number; dueAt: number } | undefined>,
  answered: (n: number, dueAt: number, head: string) => void,
): Promise<void> {
  using connection = await Deno.connect({ hostname: "127.0.0.1", port });
  connection.setNoDelay(true);
  const buffer = new Uint8Array(ANSWER_BYTES_MAX), decoder = new TextDecoder();
  for (let one = await next(); one !== undefined; one = await next()) {
    const request = requests[one.n % requests.length];
    for (let sent = 0; sent < request.length;) {
      sent += await connection.write(request.subarray(sent));
    }
    let got = 0, wanted = Infinity, head = "";
    while (got < wanted) {
      const length = await connection.read(buffer.subarray(got));
      if (length === null) throw new Error("the server closed the connection");
      got += length;
      if (wanted !== Infinity) continue;
      head = decoder.decode(buffer.subarray(0, got));
      const end = head.indexOf("\r\n\r\n");
      if (end < 0) continue;
      if (!head.startsWith("HTTP/1.1 200")) throw new Error(head);
      wanted = end + 4 + Number(/content-length: (\d+)/i.exec(head)![1]);
    }
    answered(one.n, one.dueAt, head);
  }
}

/** @returns a JSON body as the bytes of a POST */
export function toRequest(path: string, body: Uint8Array): Uint8Array {
  const head = `POST ${path} HTTP/1.1\r\nhost: localhost\r\n` +
    `content-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n`;
  return Uint8Array.from([...new TextEncoder().encode(head), ...body]);
}

const libc = Deno.build.os === "linux"
  ? Deno.dlopen("libc.so.6", {
    clock_getcpuclockid: { parameters: ["i32", "buffer"], result: "i32" },
    clock_gettime: { parameters: ["i32", "buffer"], result: "i32" },
  })
  : undefined;

/**
 * By the system's clock of that process, to the nanosecond: /proc has hundredths of a second.
 *
 * @returns processor time that a whole process has used, its ended threads included, seconds
 */
export function cpuSeconds(pid: number): number {
  const clock = new Int32Array(1), time = new BigInt64Array(2);
  const failed = libc === undefined || libc.symbols.clock_getcpuclockid(pid, clock) !== 0 ||
    libc.symbols.clock_gettime(clock[0], time) !== 0;
  if (failed) throw new Error(`cannot read the processor time of process ${pid}`);
  return Number(time[0]) + Number(time[1]) / 1e9;
}

/** @returns processor time of a process's first thread, seconds: that of serin's main isolate */
export function mainThreadSeconds(pid: number): number {
  return Number(Deno.readTextFileSync(`/proc/${pid}/schedstat`).split(" ")[0]) / 1e9;
}

/** @returns the middle one of some numbers */
export function medianOf(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b), middle = sorted.length / 2;
  return (sorted[Math.ceil(middle - 1)] + sorted[Math.floor(middle)]) / 2;
}

/**
 * The median over pairs of rounds: a round that was disturbed (on a machine that does other things too)
 * does not move it, as it would a mean.
 *
 * @returns `of(before, after)` with its 95 % interval
 */
export function pairedMedian(
  before: readonly number[],
  after: readonly number[],
  of: (before: number, after: number) => number,
): { value: number; low: number; high: number } {
  const random = new SeededRandom(1), pairs = before.map((one, round) => of(one, after[round]));
  const drawn = Array.from(
    { length: RESAMPLES },
    () => medianOf(pairs.map(() => pairs[random.uint32() % pairs.length])),
  ).sort((a, b) => a - b);
  const [low, high] = [0.025, 0.975].map((q) => drawn[Math.floor(q * RESAMPLES)]);
  return { value: medianOf(pairs), low, high };
}

/** @returns the median ratio over pairs of rounds, with its 95 % interval, for people */
export function ratioOf(before: readonly number[], after: readonly number[]): string {
  const { value, low, high } = pairedMedian(before, after, (one, other) => other / one);
  return `${value.toFixed(3)} (${low.toFixed(3)} to ${high.toFixed(3)})`;
}
