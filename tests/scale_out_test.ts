/** Replicas that come, go and die while a rollout runs: executable, registry and servers are real. */
import { assertEquals, assertTrue, linearModel, TestRegistry, until } from "../src/testing/mod.ts";
import { Traffic } from "./support/traffic.ts";
import { type Json, post, type Served, Workbench } from "./support/workbench.ts";

const MODEL = "prices";
const ROW = { a: [1], b: [0] };
/** Long enough to be looked at: nothing ends by itself. */
const PLAN = {
  warmupSeconds: 0,
  steps: [{ share: 0.5, seconds: 1 }, { share: 0.75, seconds: 3600 }],
  canaryRequestsMin: 1,
  holdSeconds: 3600,
};

async function openRollout(bench: Workbench): Promise<TestRegistry> {
  const { api } = await bench.registry();
  for (let version = 1; version <= 2; version++) await api.register(MODEL, linearModel());
  await api.client.models.setAlias(MODEL, "champion", "1");
  const tag = { name: MODEL, key: "serin.rollout_plan", value: JSON.stringify(PLAN) };
  const route = "api/2.0/mlflow/registered-models/set-tag";
  assertEquals((await post(`${api.url}/${route}`, tag)).status, 200);
  return api;
}

function serve(bench: Workbench, api: TestRegistry, name: string): Promise<Served> {
  return bench.serve([
    ...["--registry", api.url, "--model", `models:/${MODEL}@champion`, "--replica", name],
    ...["--cache", bench.path(name), "--shutdown-delay-seconds", "0.5"],
  ]);
}

async function rolloutOf(api: TestRegistry): Promise<Json> {
  const { rollouts } = await api.call("GET", "rollouts");
  return await api.call("GET", `rollouts/${rollouts[0].id}`);
}

/** The version that each of some keys gets. */
async function versionsOf(served: Served): Promise<string[]> {
  const versions: string[] = [];
  for (let key = 0; key < 40; key++) {
    const { status, headers } = await served.infer(MODEL, ROW, { "x-serin-key": `user-${key}` });
    assertEquals(status, 200);
    versions.push(headers.get("x-serin-model-version")!);
  }
  return versions;
}

Deno.test("a replica that joins splits keys as the others do, from its first ready moment on", async () => {
  await using bench = await Workbench.open();
  const api = await openRollout(bench);
  const first = await serve(bench, api, "pod-1");
  await using traffic = new Traffic(first, MODEL);
  await api.client.models.setAlias(MODEL, "challenger", "2");
  await until("the last step", async () => (await rolloutOf(api)).step === 1);
  await until("it is applied", async () => (await first.status()).models[0].assignment?.step === 1);
  const before = await versionsOf(first);
  assertEquals(new Set(before).size, 2);
  for (const name of ["pod-2", "pod-3"]) {
    const joined = await serve(bench, api, name);
    assertEquals(await versionsOf(joined), before, name);
    const { phase, share } = await rolloutOf(api);
    assertEquals([phase, share], ["ramp", 0.75]);
  }
  assertEquals(await versionsOf(first), before);
  await traffic.stop();
  assertEquals(traffic.failures, []);
});

Deno.test("a replica that ends hands its last counts over; one that is killed is soon not live", async () => {
  await using bench = await Workbench.open();
  const api = await openRollout(bench);
  const [stays, ends] = await Promise.all(
    ["pod-1", "pod-2"].map((name) => serve(bench, api, name)),
  );
  await api.client.models.setAlias(MODEL, "challenger", "2");
  await Promise.all([stays.waitSplit(), ends.waitSplit()]);
  // What is sent in the last moment before the signal is in no regular sync.
  const answers = await Promise.all(Array.from({ length: 200 }, () => ends.infer(MODEL, ROW)));
  assertEquals(answers.filter(({ status }) => status !== 200).length, 0);
  const { code } = await ends.process.stop();
  assertEquals(code, 0);
  const { stepCounts } = await rolloutOf(api);
  const counted = stepCounts.reduce(
    (sum: number, step: Json) => sum + step.canaryRequests + step.stableRequests,
    0,
  );
  assertEquals(counted, 200);
  const liveOf = async () => {
    const { replicas } = await api.call("GET", "replicas");
    return replicas.filter(({ live }: Json) => live).map(({ replica }: Json) => replica);
  };
  const [live, ...others] = await liveOf();
  assertTrue(live.startsWith("pod-1") && others.length === 0, "the one that left is not live");
  await stays.process.kill();
  await until("the killed one is not live", async () => (await liveOf()).length === 0, 10_000);
});
