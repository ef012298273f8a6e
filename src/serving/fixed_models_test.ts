import { SerinError, silentLog } from "../core/mod.ts";
import { assertEquals, assertIncludes, linearModel, until } from "../testing/mod.ts";
import { FixedModels } from "./fixed_models.ts";
import type { IsolatePool } from "./isolate_pool.ts";
import type { ModelCache } from "./model_cache.ts";
import type { VersionSource } from "./version_source.ts";

Deno.test("a version that cannot be had is tried again, whatever went wrong, and its reason is told", async () => {
  const answers = [
    () => Promise.reject(new SerinError("unavailable", "no answer")),
    () => Promise.reject(new TypeError("an answer of another form")),
    () => Promise.resolve({ bytes: linearModel() }),
  ];
  let tries = 0;
  const routed: string[] = [];
  const fixed = new FixedModels({
    models: new Map([["m", { kind: "version", model: "m", version: "3" }]]),
    pool: {
      load: () => Promise.resolve(),
      route: (name: string, { stable }: { stable: string }) =>
        void routed.push(`${name} ${stable}`),
    } as unknown as IsolatePool,
    cache: { fetch: () => answers[tries++]() } as unknown as ModelCache,
    source: {} as VersionSource,
    log: silentLog,
  });
  await fixed.load();
  assertEquals(fixed.reasons(), ["m: no answer"]);
  await until("it is tried again", () => tries === 2);
  await until("why is told", () => fixed.reasons()[0] !== "m: no answer");
  assertIncludes(fixed.reasons()[0], "an answer of another form");
  await until("it is served", () => fixed.reasons().length === 0);
  assertEquals([routed, fixed.report()], [["m 3"], [{ name: "m", stable: "3" }]]);
  fixed.stop();
});
