import type { RolloutStatus, RolloutSummary } from "../control/mod.ts";
import { SerinError } from "../core/mod.ts";
import { assertEquals, assertIncludes, assertSerinError, FakeClock } from "../testing/mod.ts";
import { runWait, type WaitOptions, type WaitRegistry } from "./canary_wait_run.ts";

const BASE = {
  id: "r1",
  model: "prices",
  canary: "2",
  steps: 2,
  canaryRequests: 40,
  verdict: "no verdict yet",
} as const;

type Look = Partial<RolloutStatus> | SerinError;

/** Runs the wait over what each look shows; the last one stays. */
async function wait(looks: readonly Look[], given: Partial<WaitOptions> = {}, id?: string) {
  const clock = new FakeClock(), printed: string[] = [], said: string[] = [];
  let at = 0;
  const next = (): Promise<RolloutStatus> => {
    const look = looks[Math.min(at++, looks.length - 1)];
    if (look instanceof SerinError) return Promise.reject(look);
    return Promise.resolve({ ...BASE, phase: "ramp", step: 0, share: 0.1, ...look } as never);
  };
  const registry: WaitRegistry = {
    control: {
      listRollouts: () => Promise.resolve(looks.length === 0 ? [] : [BASE as RolloutSummary]),
      getRollout: next,
    },
    client: {
      models: {
        findByAlias: (name) =>
          Promise.resolve(name === "prices" ? { version: "1" } as never : undefined),
      },
    },
  };
  const options = { registry: "", timeoutSeconds: 5, json: false, ...given };
  const code = await runWait(
    options,
    { positionals: [id], print: (line) => printed.push(line) },
    registry,
    {
      clock,
      sleep: (ms) => Promise.resolve(clock.advance(ms)),
      signal: new AbortController().signal,
      progress: { update: () => {}, say: (text) => said.push(text) },
      timeoutMs: options.timeoutSeconds * 1000,
    },
  );
  return { code, printed: printed.join("\n"), said };
}

Deno.test("the exit code says how a rollout ended", async () => {
  for (
    const [phase, code] of [
      ...[["promoted", 0], ["rolled_back", 3], ["inconclusive", 1]] as const,
      ...[["superseded", 1], ["aborted", 1]] as const,
    ]
  ) {
    const ended = await wait([{}, { phase, verdict: `it is ${phase}` }], { model: "prices" });
    assertEquals([ended.code, ended.printed], [code, `prices version 2: it is ${phase}`]);
  }
});

Deno.test("steps are told once each; a registry that is away is waited for", async () => {
  const away = new SerinError("unavailable", "Cannot reach it");
  const looks = [{}, { phase: "warmup" }, {}, {}, away, { step: 1, share: 0.333 }, {
    phase: "hold",
    step: 1,
    share: 0.333,
  }, { phase: "promoted" }] as const;
  const { code, said } = await wait(looks, {}, "r1");
  assertEquals(code, 0);
  assertEquals(said.map((line) => line.slice(line.indexOf(": ") + 2)), [
    "warming up",
    "step 1 of 2, 10 %",
    "step 2 of 2, 33.3 %",
    "held at step 2 of 2, 33.3 %",
  ]);
});

Deno.test("time is up: the rollout goes on, and that is told", async () => {
  const { code, printed } = await wait([{}], { model: "prices", timeoutSeconds: 1 });
  assertEquals(code, 1);
  assertIncludes(printed, "time is up, the rollout goes on (ramp)");
  assertIncludes(printed, "serin canary explain r1");
});

Deno.test("a first version is the champion without a rollout; another one has to have one", async () => {
  const { code, printed } = await wait([], { canary: "models:/prices/1" });
  assertEquals(code, 0);
  assertEquals(printed, "prices version 1 is the champion: there is no rollout of it.");
  await assertSerinError(
    () => wait([], { canary: "models:/prices/3" }),
    "not_found",
    "no rollout of prices version 3",
    "champion is version 1",
  );
});

Deno.test("one rollout is named, in one way", async () => {
  const two = () => wait([{}], { canary: "models:/prices/2", model: "prices" });
  await assertSerinError(two, "usage", "each name a rollout");
  const alias = () => wait([{}], { canary: "models:/prices@champion" });
  await assertSerinError(alias, "usage", "must be models:/NAME/VERSION");
  // A mistake is no reason to wait.
  const gone = new SerinError("unauthenticated", "The registry wants a token");
  await assertSerinError(() => wait([{}, gone], {}, "r1"), "unauthenticated", "wants a token");
});
