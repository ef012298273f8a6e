/** Benchmarks are run by hand (`deno task bench:*`); here only that they run, small. */
import { run as runPods } from "../scripts/bench_pods.ts";
import { run } from "../scripts/bench_serve.ts";
import { run as runWatch } from "../scripts/bench_watch.ts";
import { assertEquals, assertTrue } from "../src/testing/mod.ts";

Deno.test("the serving benchmark runs and measures both servers", async () => {
  const results = await run({ rounds: 1, requests: 40, connections: 2 });
  assertEquals(results.map(({ name }) => name), ["serin serve", "echo (floor)"]);
  for (const { name, requestsPerSecond } of results) assertTrue(requestsPerSecond > 0, name);
});

Deno.test("the benchmark of pods runs and measures both servers", async () => {
  const size = { seconds: 1, rates: [20], replicas: 2, starts: 1 };
  const { uses, coldStartMs, cachedStartMs } = await runPods(size);
  assertEquals(uses.map(({ state }) => state), [
    ...["registry, idle", "serve, idle", "serve, 20 requests/s", "registry, 2 replicas"],
  ]);
  for (const { state, anonMiB } of uses) assertTrue(anonMiB > 1, state);
  assertTrue([...coldStartMs, ...cachedStartMs].every((ms) => ms > 0), "starts are timed");
});

Deno.test("the benchmark of watching runs every way to serve, as fast as it can and at a rate", {
  // The engine, which runs in this process too, keeps a message port.
  sanitizeResources: false,
}, async () => {
  const few = { generations: 1, rounds: 1, warmRounds: 0, blocks: 1 };
  const { isolate, saturated, paced } = await runWatch({ ...few, requests: 20, rate: 100 });
  assertEquals(Object.keys(isolate), ["nothing", "sketches", "recorder", "both"]);
  for (const results of [saturated, paced]) {
    assertEquals(results.map(({ name }) => name), [
      ...["nothing", "labels", "sketches and log", "all three"],
    ]);
    for (const { name, cpuMicroseconds } of results) assertTrue(cpuMicroseconds[0] > 0, name);
  }
  assertTrue(paced[0].requestsPerSecond[0] < 110, "requests wait until they are due");
});
