/**
 * `deno task bench:ab BEFORE AFTER MODEL_FOLDER REQUEST.json…`: what a change costs `serin serve`. Two
 * executables serve the same model with one worker each; rounds are interleaved, their order reversed each
 * time. The client writes ready-made requests to open connections, so that the server is what is saturated.
 * What to quote is processor time a request of the server's whole process, summed over many short rounds:
 * on a machine that does other things too it is far steadier than requests a second.
 */
import { formatTable } from "../src/cli/mod.ts";
import { SeededRandom } from "../src/core/mod.ts";
import { freePort, until } from "../src/testing/mod.ts";

const ROUNDS = 120, REQUESTS = 2500, CONNECTIONS = 8;
/** How often rounds are drawn again for the interval (bootstrap over pairs of rounds). */
const RESAMPLES = 2000;
/** Of /proc/PID/stat; USER_HZ is 100 wherever Linux runs today. */
const TICKS_A_SECOND = 100;

interface Server {
  readonly name: string;
  readonly child: Deno.ChildProcess;
  readonly port: number;
  readonly rounds: { requestsPerSecond: number; cpuMicroseconds: number }[];
}

async function start(binary: string, folder: string, cache: string): Promise<Server> {
  const port = freePort(), adminPort = freePort();
  const child = new Deno.Command(binary, {
    args: ["serve", `m=${folder}`, "--port", `${port}`, "--admin-port", `${adminPort}`].concat(
      "--cache",
      cache,
    ),
    stdout: "null",
    stderr: "null",
  }).spawn();
  await until(`${binary} is ready`, async () => {
    const answer = await fetch(`http://127.0.0.1:${adminPort}/readyz`).catch(() => undefined);
    await answer?.body?.cancel();
    return answer?.ok;
  });
  return { name: binary, child, port, rounds: [] };
}

/** Processor time of a process, seconds. */
function cpuSeconds(pid: number): number {
  const text = Deno.readTextFileSync(`/proc/${pid}/stat`);
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) / TICKS_A_SECOND;
}

/** Asks on one connection, one request after another, until none is left. */
async function ask(port: number, requests: readonly Uint8Array[], take: () => number) {
  const connection = await Deno.connect({ hostname: "127.0.0.1", port });
  connection.setNoDelay(true);
  const buffer = new Uint8Array(64 * 1024), decoder = new TextDecoder();
  for (let n = take(); n >= 0; n = take()) {
    const request = requests[n % requests.length];
    for (let sent = 0; sent < request.length;) {
      sent += await connection.write(request.subarray(sent));
    }
    let got = 0, wanted = Infinity;
    while (got < wanted) {
      const length = await connection.read(buffer.subarray(got));
      if (length === null) throw new Error("the server closed the connection");
      got += length;
      if (wanted !== Infinity) continue;
      const head = decoder.decode(buffer.subarray(0, got)), end = head.indexOf("\r\n\r\n");
      if (end < 0) continue;
      if (!head.startsWith("HTTP/1.1 200")) throw new Error(head);
      wanted = end + 4 + Number(/content-length: (\d+)/i.exec(head)![1]);
    }
  }
  connection.close();
}

async function round(server: Server, requests: readonly Uint8Array[], count: number) {
  let left = count;
  const before = cpuSeconds(server.child.pid), started = performance.now();
  const take = () => --left;
  await Promise.all(Array.from({ length: CONNECTIONS }, () => ask(server.port, requests, take)));
  const seconds = (performance.now() - started) / 1000;
  return {
    requestsPerSecond: count / seconds,
    cpuMicroseconds: (cpuSeconds(server.child.pid) - before) * 1e6 / count,
  };
}

/** The ratio of two sums over rounds, with its 95 % interval. */
function ratioOf(before: readonly number[], after: readonly number[]): string {
  const random = new SeededRandom(1), all = before.map((_, round) => round);
  const sum = (values: readonly number[], rounds: readonly number[]) =>
    rounds.reduce((total, round) => total + values[round], 0);
  const ratio = (rounds: readonly number[]) => sum(after, rounds) / sum(before, rounds);
  const drawn = Array.from(
    { length: RESAMPLES },
    () => ratio(all.map(() => random.uint32() % all.length)),
  ).sort((a, b) => a - b);
  const [low, high] = [0.025, 0.975].map((q) => drawn[Math.floor(q * RESAMPLES)].toFixed(3));
  return `${ratio(all).toFixed(3)} (${low} to ${high})`;
}

function asRequest(body: Uint8Array): Uint8Array {
  const head = `POST /v2/models/m/infer HTTP/1.1\r\nhost: localhost\r\n` +
    `content-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n`;
  return Uint8Array.from([...new TextEncoder().encode(head), ...body]);
}

const [before, after, folder, ...files] = Deno.args;
if (files.length === 0) {
  console.error("usage: bench_ab.ts BEFORE AFTER MODEL_FOLDER REQUEST.json…");
  Deno.exit(2);
}
const requests = files.map((file) => asRequest(Deno.readFileSync(file)));
const cache = await Deno.makeTempDir();
const servers = [
  await start(before, folder, `${cache}/before`),
  await start(after, folder, `${cache}/after`),
];
try {
  for (const server of servers) await round(server, requests, 4 * REQUESTS);
  for (let i = 0; i < ROUNDS; i++) {
    for (const server of i % 2 === 0 ? servers : servers.toReversed()) {
      server.rounds.push(await round(server, requests, REQUESTS));
    }
  }
} finally {
  for (const { child } of servers) child.kill("SIGINT");
  await Promise.all(servers.map(({ child }) => child.status));
  await Deno.remove(cache, { recursive: true });
}
const mean = (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / values.length;
const seconds = ({ rounds }: Server) => rounds.map((r) => REQUESTS / r.requestsPerSecond);
const cpu = ({ rounds }: Server) => rounds.map((r) => r.cpuMicroseconds);
console.log(`load ${Deno.loadavg().map((x) => x.toFixed(1)).join(" ")}`);
console.log(formatTable(
  ["executable", "requests/s", "processor µs/request"],
  servers.map((server) => [
    server.name,
    (REQUESTS / mean(seconds(server))).toFixed(0),
    mean(cpu(server)).toFixed(1),
  ]),
));
const [first, second] = servers;
console.log(`after/before: time ${ratioOf(seconds(first), seconds(second))}`);
console.log(`processor time ${ratioOf(cpu(first), cpu(second))}`);
