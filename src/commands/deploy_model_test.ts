import type { RolloutSummary } from "../control/mod.ts";
import { SeededRandom } from "../core/mod.ts";
import type { ModelRegistry } from "../deploy/release/mod.ts";
import {
  assertEquals,
  assertIncludes,
  assertSerinError,
  assertTrue,
  FakeClock,
} from "../testing/mod.ts";
import { type DeployModelOptions, runDeployModel } from "./deploy_model_run.ts";

/** A registry of one model with versions 1 to 3, of which the gate refused 3, and one replica. */
function registryOf(aliases: Record<string, string>) {
  const reasons: string[] = [];
  const registry: ModelRegistry = {
    listModels: () => Promise.resolve([{ name: "prices", aliases: { ...aliases } }]),
    checkVersion: () => Promise.resolve(),
    findRefusal: (_, version) => Promise.resolve(version === "3" ? "its AUC is 0.4" : undefined),
    letThrough: (_model, _version, reason) => Promise.resolve(void reasons.push(reason)),
    setAlias: (_, alias, version) => Promise.resolve(void (aliases[alias] = version)),
    listReplicas: () =>
      Promise.resolve([{
        replica: "a",
        incarnation: "1",
        seenAt: 0,
        live: true,
        models: [{
          model: "prices",
          alias: "champion",
          held: [{ version: aliases.champion, warm: true }],
        }],
      }]),
    listRollouts: () =>
      Promise.resolve(
        aliases.challenger === undefined ? [] : [
          {
            id: "r7",
            model: "prices",
            canary: aliases.challenger,
            phase: "ramp",
          } as RolloutSummary,
        ],
      ),
    abortRollout: () => Promise.resolve(),
    listChampionMoves: () => Promise.resolve([]),
  };
  return { registry, reasons };
}

async function deploy(aliases: Record<string, string>, given: Partial<DeployModelOptions>) {
  const clock = new FakeClock(), printed: string[] = [];
  const { registry, reasons } = registryOf(aliases);
  const options = { model: "models:/prices/1", canary: false, allowFirst: false, json: false };
  const code = await runDeployModel(
    { ...options, timeoutSeconds: 5, ...given },
    { print: (line) => void printed.push(line) },
    {
      cluster: () => Promise.reject(new Error("no cluster is needed")),
      registry: () => Promise.resolve(registry),
      clock,
      random: new SeededRandom(1),
      sleep: (milliseconds) => Promise.resolve(clock.advance(milliseconds)),
      signal: new AbortController().signal,
      progress: { update: () => {}, say: () => {}, end: () => {} },
    },
  );
  return { code, printed: printed.join("\n"), reasons };
}

Deno.test("a canary becomes challenger, a first version the champion", async () => {
  const aliases: Record<string, string> = {};
  const step = { canary: true, allowFirst: true };
  const first = await deploy(aliases, step);
  assertEquals([first.code, aliases.champion], [0, "1"]);
  assertIncludes(first.printed, "version 1 is the champion, warm in every live replica");
  // A step that is run again does nothing.
  assertEquals((await deploy(aliases, step)).code, 0);
  const second = await deploy(aliases, { ...step, model: "models:/prices/2" });
  assertEquals([second.code, aliases], [0, { champion: "1", challenger: "2" }]);
  assertIncludes(second.printed, "`serin canary wait r7`");
  const json = await deploy(aliases, { ...step, model: "models:/prices/2", json: true });
  const { rollout, alias, from } = JSON.parse(json.printed);
  assertEquals([rollout, alias, from], ["r7", "challenger", "2"]);
});

Deno.test("without --allow-first a canary wants a champion; an alias is no version", async () => {
  const canary = () => deploy({}, { canary: true });
  await assertSerinError(canary, "invalid_input", "has no champion to try a canary against");
  await assertSerinError(() => deploy({}, { allowFirst: true }), "usage", "goes with --canary");
  const alias = () => deploy({}, { model: "models:/prices@champion" });
  await assertSerinError(alias, "usage", "must be models:/NAME/VERSION");
});

Deno.test("what its gate refused is deployed by a person alone, with the reason", async () => {
  const aliases = { champion: "1" }, refused = { model: "models:/prices/3" };
  await assertSerinError(() => deploy(aliases, refused), "refused", "its AUC is 0.4");
  assertEquals(aliases.champion, "1");
  const { code, reasons } = await deploy(aliases, { ...refused, force: "the other is on fire" });
  assertEquals([code, aliases.champion, reasons], [0, "3", ["the other is on fire"]]);
  assertTrue(reasons.length === 1, "told once");
});
