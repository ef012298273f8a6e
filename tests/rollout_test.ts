/**
 * Rollouts as a user sees them: the alias `challenger` is set through MLflow's API, requests come, and
 * the registry decides. Executable, registry and server are real.
 */
import {
  assertEquals,
  assertIncludes,
  assertTrue,
  failingModel,
  linearModel,
  TestRegistry,
  unknownOperatorModel,
  until,
} from "../src/testing/mod.ts";
import { Traffic, type TrafficOptions } from "./support/traffic.ts";
import { ask, type Json, post, type Served, Workbench } from "./support/workbench.ts";

const MODEL = "prices";
/** Minutes of a real rollout as seconds. */
const PLAN = {
  warmupSeconds: 0,
  steps: [{ share: 0.25, seconds: 1 }, { share: 0.5, seconds: 1 }],
  holdSeconds: 120,
};

/** Registers the versions, points `champion` at the first, and puts the plan into the model's tag. */
async function register(api: TestRegistry, ...versions: Uint8Array[]): Promise<void> {
  for (const version of versions) await api.register(MODEL, version);
  await api.client.models.setAlias(MODEL, "champion", "1");
  const tag = { name: MODEL, key: "serin.rollout_plan", value: JSON.stringify(PLAN) };
  const route = "api/2.0/mlflow/registered-models/set-tag";
  assertEquals((await post(`${api.url}/${route}`, tag)).status, 200);
}

const serve = (bench: Workbench, url: string): Promise<Served> =>
  bench.serve(["--registry", url, "--model", `models:/${MODEL}@champion`]);

const setChallenger = (api: TestRegistry, version = "2") =>
  api.client.models.setAlias(MODEL, "challenger", version);

/** The aliases as MLflow's API tells them. */
async function aliasesOf(api: TestRegistry): Promise<Record<string, string>> {
  const { aliases } = await api.client.models.get(MODEL);
  return Object.fromEntries(aliases.map(({ alias, version }) => [alias, version]));
}

async function onlyRollout(api: TestRegistry): Promise<Json> {
  const { rollouts } = await api.call("GET", "rollouts");
  assertTrue(rollouts.length <= 1, "one rollout");
  return rollouts[0];
}

/** A second version against the first, from the alias to the decision. */
async function rollOut(challenger: Uint8Array, traffic: TrafficOptions = {}) {
  const bench = await Workbench.open();
  const { api } = await bench.registry();
  await register(api, linearModel(), challenger);
  const served = await serve(bench, api.url);
  await using calling = new Traffic(served, MODEL, traffic);
  await setChallenger(api);
  const ended: Json = await until("the rollout ends", async () => {
    const rollout = await onlyRollout(api);
    if (rollout?.endedAt === null) throw new Error(rollout.verdict);
    return rollout;
  }, 60_000);
  return { bench, api, served, calling, ended };
}

async function waitStable(served: Served, version: string): Promise<void> {
  await until(`version ${version} alone is served`, async () => {
    const [model] = (await served.status()).models;
    return model.stable === version && model.assignment === null && model.held.length === 1;
  });
}

Deno.test("a challenger that is not worse is promoted: the alias moves, no request fails", async () => {
  const { bench, api, served, calling, ended } = await rollOut(linearModel());
  await using _ = bench;
  assertEquals(ended.phase, "promoted", ended.verdict);
  assertIncludes(ended.verdict, "not worse by more than the margins");
  assertEquals(await aliasesOf(api), { champion: "2" });
  await waitStable(served, "2");
  assertEquals(calling.failures, []);
  const { headers } = await served.infer(MODEL, { a: [1], b: [0] });
  assertEquals(headers.get("x-serin-model-version"), "2");
  const status = await api.call("GET", `rollouts/${ended.id}`);
  assertEquals(status.plan.steps, PLAN.steps);
});

Deno.test("a challenger that fails is rolled back, and the verdict names the errors", async () => {
  const { bench, api, served, calling, ended } = await rollOut(failingModel(), { high: 0.2 });
  await using _ = bench;
  assertEquals(ended.phase, "rolled_back", ended.verdict);
  assertIncludes(ended.verdict, "error ratio");
  assertIncludes(ended.verdict, "valid at every look");
  assertEquals(await aliasesOf(api), { champion: "1" });
  await waitStable(served, "1");
  const failed = calling.failures.length;
  assertTrue(failed > 0 && calling.failures.every((text) => text.startsWith("500: ")), "only 500");
  assertTrue(failed <= ended.canaryRequests, "the stable version failed no request");
  assertEquals((await served.infer(MODEL, { a: [1], b: [0.95] })).status, 200);
});

Deno.test("a challenger whose answers are worse is rolled back by its labels", async () => {
  // Of ten labels one contradicts the first version; the second one's weights are swapped.
  const truth: TrafficOptions["truth"] = ({ label, version }) => {
    const right = Math.random() < 0.9;
    return (version === "1") === right ? label : 1 - label;
  };
  const { bench, api, calling, ended } = await rollOut(linearModel(-1, 1), { truth });
  await using _ = bench;
  assertEquals(ended.phase, "rolled_back", ended.verdict);
  assertIncludes(ended.verdict, "wrong-label ratio");
  assertTrue(ended.labelEvidence >= ended.evidenceNeeded, "by the labels' evidence");
  assertEquals(calling.failures, []);
  assertEquals(await aliasesOf(api), { champion: "1" });
});

Deno.test("a challenger that cannot run gets no traffic: it is rolled back, and the verdict says why", async () => {
  const { bench, api, served, calling, ended } = await rollOut(unknownOperatorModel());
  await using _ = bench;
  assertEquals(ended.phase, "rolled_back", ended.verdict);
  assertIncludes(ended.verdict, "the canary cannot be served");
  assertIncludes(ended.verdict, "Frobnicate");
  assertEquals({ step: ended.step, canary: ended.canaryRequests }, { step: 0, canary: 0 });
  assertEquals(await aliasesOf(api), { champion: "1" });
  await waitStable(served, "1");
  assertEquals([...new Set(calling.answered.map(({ version }) => version))], ["1"]);
  assertEquals(calling.failures, []);
});

/** MLflow without serin's own routes: everything else goes to a registry. */
function openPlainMlflow(registry: string): Deno.HttpServer<Deno.NetAddr> {
  const answer = (request: Request): Promise<Response> | Response => {
    const { pathname, search } = new URL(request.url);
    if (pathname.startsWith("/api/serin/") || pathname.startsWith("/v1/")) {
      return new Response("404 page not found", { status: 404 });
    }
    const { method, headers, body } = request;
    return fetch(`${registry}${pathname}${search}`, { method, headers, body });
  };
  return Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, answer);
}

Deno.test("beside a plain MLflow server serve decides by itself, and says for how much it holds", async () => {
  await using bench = await Workbench.open();
  const { api } = await bench.registry();
  await register(api, linearModel(), failingModel(), linearModel());
  await using mlflow = openPlainMlflow(api.url);
  const served = await serve(bench, `http://127.0.0.1:${mlflow.addr.port}`);
  const said = (part: string) =>
    until(`serve says "${part}"`, () => served.process.stderr.includes(part), 60_000);
  await said("the registry is a plain MLflow server: rollouts are decided in this process");
  assertIncludes(served.process.stderr, 'holdsFor="one replica"');

  await setChallenger(api, "2");
  {
    await using _ = new Traffic(served, MODEL, { high: 0.2 });
    await said(`rollout of ${MODEL} version 2: rolled back`);
  }
  await until("its alias is gone", async () => (await aliasesOf(api)).challenger === undefined);
  await setChallenger(api, "3");
  await using good = new Traffic(served, MODEL);
  await said(`rollout of ${MODEL} version 3: promoted`);
  await until("the alias moved and challenger is gone", async () => {
    const { champion, challenger } = await aliasesOf(api);
    return champion === "3" && challenger === undefined;
  });
  await waitStable(served, "3");
  await good.stop();
  assertEquals(good.failures, []);
  // The registry beside it was asked for nothing but MLflow's own.
  assertEquals((await ask(`${api.url}/api/serin/v1/rollouts`)).json, { rollouts: [] });
  // What decides in the process is there until the last counts are in.
  await served.process.stop();
  assertTrue(!/did not hear|out of reach/.test(served.process.stderr), served.process.stderr);
});
