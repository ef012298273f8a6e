import { SerinError, silentLog } from "../core/mod.ts";
import { assertEquals, assertIncludes, FakeClock, linearModel, until } from "../testing/mod.ts";
import { HeldVersions } from "./held_versions.ts";
import type { IsolatePool } from "./isolate_pool.ts";
import type { ModelCache } from "./model_cache.ts";
import type { VersionSource } from "./version_source.ts";

/** Holds versions in a pool that does as it is told at each load. */
function openHeld(
  loads: (() => Promise<void>)[],
  fetch = () => Promise.resolve({ bytes: linearModel() }),
) {
  const clock = new FakeClock();
  let changes = 0;
  const held = new HeldVersions("m", "m", {
    pool: { load: () => loads.shift()!(), unload: () => {} } as unknown as IsolatePool,
    cache: { fetch } as unknown as ModelCache,
    source: {} as VersionSource,
    clock,
    log: silentLog,
    onChange: () => changes++,
  });
  /** Wants version 1, and waits for what becomes of it. */
  const load = async () => {
    const before = changes;
    clock.advance(2000);
    held.want(["1"], new Set());
    await until("it is decided", () => changes > before);
    return held.report()[0];
  };
  return load;
}

const died = () =>
  Promise.reject(
    new SerinError("unsupported_model", "The data isolate died", {
      details: { mayPass: true },
    }),
  );

Deno.test("an isolate that dies beside a load is no fault of the version; twice in a row is", async () => {
  const well = openHeld([died, () => Promise.resolve()]);
  const first = await well();
  assertEquals([first.warm, first.lasting], [false, false]);
  assertEquals((await well()).warm, true);
  const poison = openHeld([died, died]);
  await poison();
  assertEquals((await poison()).lasting, true);
});

Deno.test("whatever goes wrong with a version is told and tried again; nothing is thrown", async () => {
  const load = openHeld([], () => Promise.reject(new TypeError("connection reset")));
  const { error, lasting } = await load();
  assertIncludes(error!, "connection reset");
  assertEquals(lasting, false);
});

Deno.test("files that are not there time and again hold no rollout up, and are served when they come", async () => {
  let there = false;
  const load = openHeld([() => Promise.resolve()], () => {
    if (there) return Promise.resolve({ bytes: linearModel() });
    return Promise.reject(new SerinError("not_found", "m version 1 holds no model.onnx"));
  });
  const lasting: (boolean | undefined)[] = [];
  for (let i = 0; i < 5; i++) lasting.push((await load()).lasting);
  assertEquals(lasting, [false, false, false, true, true]);
  there = true;
  assertEquals((await load()).warm, true);
});
