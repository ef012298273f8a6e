/**
 * `deno task bench:ab BEFORE AFTER MODEL_FOLDER REQUEST.json…`: what a change costs `serin serve`. Two
 * executables serve the same model with one worker each; rounds are interleaved, their order reversed each
 * time. The client writes ready-made requests to open connections, so that the server is what is saturated.
 * What to quote is processor time a request of the server's whole process: on a machine that does other
 * things too it is far steadier than requests a second.
 */
import { formatTable } from "../src/cli/mod.ts";
import { freePort, until } from "../src/testing/mod.ts";

const ROUNDS = 10, REQUESTS = 20_000, CONNECTIONS = 8;
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

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b), half = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
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
  for (const server of servers) await round(server, requests, REQUESTS / 2);
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
console.log(
  `load ${Deno.loadavg().map((x) => x.toFixed(1)).join(" ")}, ${requests.length} requests`,
);
console.log(formatTable(
  ["executable", "requests/s", "processor µs/request"],
  servers.map(({ name, rounds }) => [
    name,
    median(rounds.map((r) => r.requestsPerSecond)).toFixed(0),
    median(rounds.map((r) => r.cpuMicroseconds)).toFixed(1),
  ]),
));
const ratio = (value: (r: Server["rounds"][number]) => number) => {
  const ratios = servers[1].rounds.map((r, i) => value(r) / value(servers[0].rounds[i]));
  const [low, high] = [Math.min(...ratios), Math.max(...ratios)].map((x) => x.toFixed(3));
  return `${median(ratios).toFixed(3)} (${low} to ${high})`;
};
console.log(`after/before, median of pairs: requests/s ${ratio((r) => r.requestsPerSecond)}`);
console.log(`processor time ${ratio((r) => r.cpuMicroseconds)}`);
