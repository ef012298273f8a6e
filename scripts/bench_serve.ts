/**
 * `deno task bench:serve`: one row a request against `serin serve`, beside an echo server in the same
 * runtime (the floor: parse the body, answer as many bytes). Interleaved rounds, medians; the client
 * runs on the same cores, so the ratio is what to quote, not the absolute figures.
 */
import { formatTable } from "../src/cli/mod.ts";
import { linearModel, SerinProcess, useCompiledSerin } from "../src/testing/mod.ts";

/** How much is run; a test asks for little. */
export interface BenchSize {
  readonly rounds: number;
  readonly requests: number;
  readonly connections: number;
}

/** One server's medians over the rounds. */
export interface BenchResult {
  readonly name: string;
  readonly requestsPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

const BODY = JSON.stringify({
  inputs: ["a", "b"].map((name) => ({ name, shape: [1], datatype: "FP32", data: [0.5] })),
});

/** Runs the rounds, the servers in turn, their order reversed each round. */
export async function run(size: BenchSize): Promise<BenchResult[]> {
  const folder = await Deno.makeTempDir();
  await Deno.writeFile(`${folder}/model.onnx`, linearModel());
  const echo = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    async (request) => {
      const answer = { model_name: "echo", outputs: (await request.json()).inputs };
      return new Response(JSON.stringify(answer), {
        headers: { "content-type": "application/json" },
      });
    },
  );
  try {
    await using serving = await SerinProcess.start([
      ...["serve", `m=${folder}/model.onnx`, "--port", "0", "--admin-port", "0"],
      ...["--cache", `${folder}/cache`],
    ]);
    const servers = [
      { name: "serin serve", url: `${serving.url}/v2/models/m/infer`, rounds: [] as Round[] },
      { name: "echo (floor)", url: `http://127.0.0.1:${echo.addr.port}/`, rounds: [] as Round[] },
    ];
    for (const { url } of servers) await measure(url, { ...size, requests: size.requests / 4 });
    for (let round = 0; round < size.rounds; round++) {
      for (const server of round % 2 === 0 ? servers : servers.toReversed()) {
        server.rounds.push(await measure(server.url, size));
      }
    }
    return servers.map(({ name, rounds }) => ({
      name,
      requestsPerSecond: median(rounds.map((r) => r.requestsPerSecond)),
      p50Ms: median(rounds.map((r) => r.p50Ms)),
      p99Ms: median(rounds.map((r) => r.p99Ms)),
    }));
  } finally {
    await echo.shutdown();
    await Deno.remove(folder, { recursive: true });
  }
}

type Round = Omit<BenchResult, "name">;

async function measure(url: string, { requests, connections }: BenchSize): Promise<Round> {
  const latencies: number[] = [];
  let left = requests;
  const started = performance.now();
  await Promise.all(Array.from({ length: connections }, async () => {
    while (left-- > 0) {
      const sent = performance.now();
      const headers = { "content-type": "application/json" };
      const answer = await fetch(url, { method: "POST", headers, body: BODY });
      if (!answer.ok) throw new Error(`${answer.status} ${await answer.text()}`);
      await answer.arrayBuffer();
      latencies.push(performance.now() - sent);
    }
  }));
  const seconds = (performance.now() - started) / 1000;
  latencies.sort((a, b) => a - b);
  const at = (q: number) =>
    latencies[Math.min(latencies.length - 1, Math.floor(q * latencies.length))];
  return { requestsPerSecond: latencies.length / seconds, p50Ms: at(0.5), p99Ms: at(0.99) };
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
}

if (import.meta.main) {
  useCompiledSerin();
  const results = await run({ rounds: 7, requests: 8000, connections: 8 });
  console.log(`load ${Deno.loadavg().map((x) => x.toFixed(1)).join(" ")}`);
  console.log(formatTable(
    ["server", "requests/s", "p50 ms", "p99 ms"],
    results.map((r) => [
      ...[r.name, r.requestsPerSecond.toFixed(0), r.p50Ms.toFixed(2), r.p99Ms.toFixed(2)],
    ]),
  ));
  const [serin, floor] = results;
  console.log(
    `ratio to the floor ${(serin.requestsPerSecond / floor.requestsPerSecond).toFixed(2)}`,
  );
}
