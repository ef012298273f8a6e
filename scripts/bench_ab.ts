/**
 * `deno task bench:ab BEFORE AFTER MODEL_FOLDER REQUEST.json…`: what a change costs `serin serve`. Two
 * executables serve the same model with one worker each; rounds are interleaved, their order reversed each
 * time. The client writes ready-made requests to open connections, so that the server is what is saturated.
 * What to quote is processor time a request of the server's whole process, the median over many pairs of
 * short rounds: on a machine that does other things too it is far steadier than requests a second.
 */
import { formatTable } from "../src/cli/mod.ts";
import { freePort, until } from "../src/testing/mod.ts";
import { cpuSeconds, drive, medianOf, ratioOf, toRequest } from "./lib/bench_load.ts";

const ROUNDS = 120, REQUESTS = 2500, CONNECTIONS = 8;

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

async function round({ child, port }: Server, requests: readonly Uint8Array[], count: number) {
  const before = cpuSeconds(child.pid);
  const { seconds } = await drive({ port, requests, count, connections: CONNECTIONS });
  return {
    requestsPerSecond: count / seconds,
    cpuMicroseconds: (cpuSeconds(child.pid) - before) * 1e6 / count,
  };
}

const [before, after, folder, ...files] = Deno.args;
if (files.length === 0) {
  console.error("usage: bench_ab.ts BEFORE AFTER MODEL_FOLDER REQUEST.json…");
  Deno.exit(2);
}
const requests = files.map((file) => toRequest("/v2/models/m/infer", Deno.readFileSync(file)));
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
const seconds = ({ rounds }: Server) => rounds.map((r) => REQUESTS / r.requestsPerSecond);
const cpu = ({ rounds }: Server) => rounds.map((r) => r.cpuMicroseconds);
console.log(`load ${Deno.loadavg().map((x) => x.toFixed(1)).join(" ")}`);
console.log(formatTable(
  ["executable", "requests/s", "processor µs/request"],
  servers.map((server) => [
    server.name,
    (REQUESTS / medianOf(seconds(server))).toFixed(0),
    medianOf(cpu(server)).toFixed(1),
  ]),
));
const [first, second] = servers;
console.log(`after/before: time ${ratioOf(seconds(first), seconds(second))}`);
console.log(`processor time ${ratioOf(cpu(first), cpu(second))}`);
