/**
 * kill -9 in the middle, of each program that holds something: what was acknowledged is there after a
 * restart, nothing is counted twice, and who was not killed goes on.
 */
import { serinCommand, type TestRegistry, until } from "../src/testing/mod.ts";
import { assertEquals, assertIncludes, assertTrue, linearModel } from "../src/testing/mod.ts";
import { type Predicted, Traffic } from "./support/traffic.ts";
import { ask, type Json, post, type Served, Workbench } from "./support/workbench.ts";

const MODEL = "prices";
/** One long step at equal shares: nothing is decided while a test counts. */
const COUNTING = { warmupSeconds: 0, steps: [{ share: 0.5, seconds: 3600 }] };

/** A registry with two equal versions, and a server whose traffic is split between them. */
async function openSplit(bench: Workbench) {
  const registry = await bench.registry();
  const { api } = registry;
  for (let i = 0; i < 2; i++) await api.register(MODEL, linearModel());
  await api.client.models.setAlias(MODEL, "champion", "1");
  const served = await serve(bench, api);
  const body = { model: MODEL, challenger: "2", plan: COUNTING };
  const { id } = await api.call("POST", "rollouts", body);
  await served.waitSplit();
  return { registry, served, id: id as string };
}

function serve(bench: Workbench, api: TestRegistry): Promise<Served> {
  return bench.serve(["--registry", api.url, "--model", `models:/${MODEL}@champion`]);
}

const metricOf = (status: Json, name: string): Json =>
  status.metrics.find((metric: Json) => metric.metric === name);

/** Requests that the registry has counted. */
function counted(status: Json): number {
  const { canary, stable } = metricOf(status, "errors");
  return canary.trials + stable.trials;
}

/** Logs params, metrics and artifacts until the server is gone. @returns what was acknowledged */
async function logUntilGone(api: TestRegistry, acknowledged: Map<string, string>): Promise<void> {
  const { client } = api;
  const experimentId = await client.experiments.ensure("crash");
  const { info } = await client.runs.create({ experimentId, startedMs: 0 });
  acknowledged.set("run", info.run_id);
  acknowledged.set("uri", info.artifact_uri);
  const each = (log: (i: number) => Promise<string>) =>
    (async () => {
      for (let i = 0;; i++) acknowledged.set(await log(i), String(i));
    })();
  await Promise.allSettled([
    each(async (i) => {
      await client.runs.logBatch(info.run_id, { params: [{ key: `p${i}`, value: String(i) }] });
      return `param p${i}`;
    }),
    each(async (i) => {
      await client.runs.logBatch(info.run_id, {
        metrics: [{ key: `m${i}`, value: i, timestamp: 1 }],
      });
      return `metric m${i}`;
    }),
    each(async (i) => {
      const bytes = new TextEncoder().encode(String(i).repeat(20_000));
      await client.artifacts.upload(info.artifact_uri, `f${i}`, bytes);
      return `artifact f${i}`;
    }),
  ]);
}

async function checkLogged(api: TestRegistry, acknowledged: Map<string, string>): Promise<void> {
  const { client } = api;
  const run: Json = await client.runs.get(acknowledged.get("run")!);
  const { params, metrics } = run.data;
  for (const [what, value] of acknowledged) {
    const [kind, key] = what.split(" ");
    const of = (list: Json[]) => String(list.find((item) => item.key === key)?.value);
    if (kind === "param") assertEquals(of(params), value, what);
    if (kind === "metric") assertEquals(of(metrics), value, what);
    if (kind !== "artifact") continue;
    const stream = await client.artifacts.download(acknowledged.get("uri")!, key);
    assertEquals(await new Response(stream).text(), value.repeat(20_000), what);
  }
}

/** Labels each prediction, some wrong. @returns how many were accepted; undefined if not answered */
async function labelAll(served: Served, answered: readonly Predicted[]) {
  const labels = answered.map(({ prediction, label }, i) => ({
    prediction,
    row: 0,
    label: i % 5 === 0 ? 1 - label : label,
  }));
  const { status, json } = await served.label(labels);
  return status === 200 ? json : undefined;
}

Deno.test("a killed registry loses nothing acknowledged and counts nothing twice", async () => {
  await using bench = await Workbench.open();
  const { registry, served, id } = await openSplit(bench);
  const acknowledged = new Map<string, string>();
  const logging = logUntilGone(registry.api, acknowledged);
  await using traffic = new Traffic(served, MODEL);
  await until(
    "it counts",
    async () =>
      counted(await registry.api.call("GET", `rollouts/${id}`)) > 100 && acknowledged.size > 30,
  );
  const early = traffic.answered.slice(0, 50);
  assertEquals(await labelAll(served, early), { accepted: 50, refused: [] });
  await registry.process.kill();
  await logging;
  const before = traffic.answered.length;
  await until("serve goes on", () => traffic.answered.length > before + 200);
  assertEquals((await served.label([{ prediction: early[0].prediction, label: 1 }])).status, 503);

  const { api, process } = await bench.registry(registry.port);
  await checkLogged(api, acknowledged);
  const again = traffic.answered.length;
  await until("serve goes on", () => traffic.answered.length > again + 200);
  await traffic.stop();
  assertEquals(traffic.failures, []);
  // What was labelled before is sent again with the rest, as a caller without an answer would.
  const all = traffic.answered.slice(0, 400);
  assertEquals(await labelAll(served, all), { accepted: 400, refused: [] });
  const status: Json = await until("all is counted", async () => {
    const now = await api.call("GET", `rollouts/${id}`);
    return counted(now) >= traffic.answered.length ? now : undefined;
  });
  assertEquals(counted(status), traffic.answered.length);
  const labels = metricOf(status, "labels");
  assertEquals(labels.canary.trials + labels.stable.trials, 400);
  assertEquals(labels.canary.events + labels.stable.events, 80);
  assertEquals(status.phase, "ramp");

  await process.kill();
  const third = await bench.registry(registry.port);
  const { metrics, evidence, labelEvidence } = await third.api.call("GET", `rollouts/${id}`);
  assertEquals({ metrics, evidence, labelEvidence }, {
    metrics: status.metrics,
    evidence: status.evidence,
    labelEvidence: status.labelEvidence,
  });
});

Deno.test("a registry that is away costs no request: shares stay, counts arrive later", async () => {
  await using bench = await Workbench.open();
  const { registry, served, id } = await openSplit(bench);
  await registry.process.kill();
  await using traffic = new Traffic(served, MODEL);
  await until(
    "serve says that the registry is away",
    async () => (await served.metrics()).includes("\nserin_registry_reachable 0\n"),
  );
  const before = traffic.answered.length;
  await until("it goes on", () => traffic.answered.length > before + 300);
  await traffic.stop();
  assertEquals(traffic.failures, []);
  const canary = traffic.answered.filter(({ version }) => version === "2").length;
  const share = canary / traffic.answered.length;
  assertTrue(share > 0.35 && share < 0.65, `the canary's share was ${share}`);
  assertEquals((await ask(`${served.adminUrl}/readyz`)).status, 200);

  const { api } = await bench.registry(registry.port);
  await until(
    "what was counted meanwhile arrives",
    async () => counted(await api.call("GET", `rollouts/${id}`)) === traffic.answered.length,
  );
  const told = served.process.stderr.split("the registry is out of reach").length - 1;
  assertEquals(told, 1, served.process.stderr);
});

Deno.test("a killed server starts again and its rollout goes on to the end", async () => {
  await using bench = await Workbench.open();
  const { registry: { api }, served, id } = await openSplit(bench);
  await api.call("POST", `rollouts/${id}/abort`);
  const plan = {
    warmupSeconds: 0,
    steps: [{ share: 0.5, seconds: 0 }],
    canaryRequestsMin: 3000,
    margins: { errorRatio: 100, errorDifference: 0.5, latencyRatio: 100, latencyDifference: 0.9 },
  };
  const body = { model: MODEL, challenger: "2", plan };
  const second = (await api.call("POST", "rollouts", body)).id;
  await served.waitSplit();
  await using first = new Traffic(served, MODEL);
  const partly: Json = await until("it counts", async () => {
    const status = await api.call("GET", `rollouts/${second}`);
    return status.canaryRequests > 50 ? status : undefined;
  });
  await served.process.kill();
  await first.stop();
  assertTrue(partly.endedAt === null, partly.verdict);

  const restarted = await serve(bench, api);
  await using traffic = new Traffic(restarted, MODEL);
  const ended: Json = await until("it ends", async () => {
    const status = await api.call("GET", `rollouts/${second}`);
    if (status.endedAt === null) throw new Error(status.verdict);
    return status;
  });
  await traffic.stop();
  assertEquals(ended.phase, "promoted", ended.verdict);
  assertTrue(ended.canaryRequests >= partly.canaryRequests, "what was counted stays");
  assertEquals(traffic.failures, []);
});

/** Runs in an experiment, newest first. */
async function runsOf(api: TestRegistry, experiment: string): Promise<Json[]> {
  const id = await api.client.experiments.findByName(experiment);
  if (id === undefined) return [];
  const found = await post(`${api.url}/api/2.0/mlflow/runs/search`, { experiment_ids: [id] });
  return found.json.runs ?? [];
}

Deno.test("a killed training leaves its run RUNNING and no folder; the next one works", async () => {
  await using bench = await Workbench.open();
  const { api } = await bench.registry();
  const data = new URL("../data/elec2.csv", import.meta.url);
  await Deno.copyFile(data, bench.path("elec2.csv"));
  const train = [
    ...["train", "--data", "elec2.csv", "--target", "target", "--out", "model", "--json"],
    ...["--registry", api.url, "--experiment", "killed", "--register", "electricity"],
  ];
  const { command, args } = serinCommand();
  const child = new Deno.Command(command, {
    args: [...args, ...train],
    cwd: bench.folder,
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).spawn();
  await until("its run is recorded", async () => (await runsOf(api, "killed")).length === 1);
  child.kill("SIGKILL");
  assertEquals((await child.status).signal, "SIGKILL");
  const [killed] = await runsOf(api, "killed");
  assertEquals(killed.info.status, "RUNNING");
  assertEquals(bench.names(), ["elec2.csv", "registry"]);

  const { code, stdout, stderr } = await bench.run(...train, "--rows", "0-2000");
  assertEquals(code, 0, stderr);
  const { run_id, registered } = JSON.parse(stdout);
  assertEquals(registered, { name: "electricity", version: "1" });
  const runs = await runsOf(api, "killed");
  assertEquals(runs.map(({ info }) => info.status).sort(), ["FINISHED", "RUNNING"]);
  assertEquals(runs.find(({ info }) => info.run_id === run_id)?.info.status, "FINISHED");
  assertIncludes(bench.names().join(), "model");
});
