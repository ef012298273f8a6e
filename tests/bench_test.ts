/** Benchmarks are run by hand (`deno task bench:*`); here only that they run, small. */
import { run } from "../scripts/bench_serve.ts";
import { assertEquals, assertTrue } from "../src/testing/mod.ts";

Deno.test("the serving benchmark runs and measures both servers", async () => {
  const results = await run({ rounds: 1, requests: 40, connections: 2 });
  assertEquals(results.map(({ name }) => name), ["serin serve", "echo (floor)"]);
  for (const { name, requestsPerSecond } of results) assertTrue(requestsPerSecond > 0, name);
});
