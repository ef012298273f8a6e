/**
 * The operating loop on the cluster: retraining is added to an installation that serves, the inputs of a
 * model shift, Prometheus (which finds the pods as it would in a cluster) fires, Alertmanager's webhook
 * reaches the workload `serin-retrain`, whose training is a Job, and what passes the gate is promoted.
 */
import { kubernetesScrapeConfig } from "../../src/deploy/monitoring/mod.ts";
import { readReplayRows } from "../../src/demo/mod.ts";
import { assertEquals, assertIncludes, assertTrue, until } from "../../src/testing/mod.ts";
import { Callers } from "../loop/callers.ts";
import {
  ALERT,
  GATE,
  type LoopCast,
  retrainYaml,
  ROWS,
  Stations,
  TIMES,
} from "../loop/stations.ts";
import { startAlerting } from "../prometheus/alerting_stack.ts";
import { podTargets } from "../prometheus/pod_targets.ts";
import { findAlertmanager, findPrometheus } from "../prometheus/find_prometheus.ts";
import { ask, post } from "../support/workbench.ts";
import type { Json } from "./cluster.ts";
import { deployFlags, servingPods, TWO_REPLICAS } from "./deployment_steps.ts";
import type { StepTable } from "./step_table.ts";
import { assertNoFailure, QUICK_PLAN, trainByJob, type World } from "./world.ts";

/** A model of its own, which nothing was trained, rolled out or labelled of before. */
const MODEL = "loop";
const RETRAIN = "serin-retrain";
/** Pods that share two cores with a whole cluster take their time. */
const STATION_MS_MAX = 240_000;

/** From adding retraining to taking it away again; the steady callers must not notice. */
export async function loopSteps(table: StepTable, world: World): Promise<void> {
  const prometheus = await findPrometheus(), alertmanager = await findAlertmanager();
  if ("missing" in prometheus) return table.skip("on the cluster", prometheus.missing);
  if ("missing" in alertmanager) return table.skip("on the cluster", alertmanager.missing);
  await using stack = new AsyncDisposableStack();
  const needed = { needed: true };
  await table.step("retraining without its spec", () => withoutSpec(world), needed);
  await table.step("retraining is added", () => addRetraining(world), needed);
  let cast: LoopCast | undefined;
  await table.step("a champion serves", async () => {
    const told = await makeChampion(world);
    cast = await openCast(world, { ...prometheus, ...alertmanager }, stack);
    return told;
  }, needed);
  await new Stations(cast!, STATION_MS_MAX).run(table);
  await table.step("what others send is refused", () => refusals(world));
  await table.step("serin retrain history, explain", () => lookBack(world));
  await stack.disposeAsync();
  await table.step("retraining is taken away", () => removeRetraining(world), { always: true });
}

/** Retraining, added to the installation as it stands. */
const WITH_RETRAINING = ["--keep-settings", ...TWO_REPLICAS, "--set", "retrain.enabled=true"];

/** The volume as the others' are made; the ConfigMap is what a person forgot. */
async function withoutSpec(world: World): Promise<string> {
  const { cluster, folder } = world;
  await Deno.mkdir(`${folder}/retrain`);
  await Deno.chown(`${folder}/retrain`, 65532, 65532);
  await cluster.apply([{
    apiVersion: "v1",
    kind: "PersistentVolume",
    metadata: { name: "serin-test-retrain", labels: { "serin-test": "volume" } },
    spec: {
      capacity: { storage: "20Gi" },
      accessModes: ["ReadWriteOnce"],
      persistentVolumeReclaimPolicy: "Retain",
      storageClassName: "",
      claimRef: { namespace: cluster.namespace, name: "serin-retrain-data" },
      hostPath: { path: `${folder}/retrain` },
    },
  }]);
  const { code, stdout, stderr } = await cluster.serin([
    ...["deploy", "apply", ...WITH_RETRAINING, "--timeout-seconds", "40"],
  ]);
  assertTrue(code !== 0, stdout);
  for (const part of [RETRAIN, "create configmap", "retrain.yaml"]) assertIncludes(stderr, part);
  const { code: found } = await cluster.tryKubectl(["get", "deployment", RETRAIN]);
  assertTrue(found !== 0, "something of it was written");
  assertNoFailure(world);
  return stderr.trim();
}

async function addRetraining(world: World): Promise<string> {
  const { cluster, folder } = world;
  await Deno.mkdir(`${folder}/retrain-spec`);
  await Deno.writeTextFile(`${folder}/retrain-spec/retrain.yaml`, retrainYaml(MODEL, ""));
  await Deno.writeTextFile(`${folder}/retrain-spec/gate.yaml`, GATE);
  await cluster.kubectl([
    ...["create", "configmap", RETRAIN, `--from-file=${folder}/retrain-spec`],
  ]);
  const start = performance.now();
  await cluster.serinOk(["deploy", "apply", ...WITH_RETRAINING, "--timeout-seconds", "180"]);
  const seconds = (performance.now() - start) / 1000;
  const status = await cluster.serinOk(["deploy", "status"]);
  assertIncludes(status, RETRAIN);
  assertNoFailure(world);
  return `${RETRAIN} healthy, the replicas send their logs to it, after ${seconds.toFixed(1)} s`;
}

async function makeChampion(world: World): Promise<string> {
  const { cluster, registry, servingUrl } = world;
  const data = ["--data", "/data/elec2.csv", "--target", "target", "--rows", ROWS.join("-")];
  const { version, job } = await trainByJob(world, "loop-first", data, MODEL);
  await registry.setTag("serin.rollout_plan", QUICK_PLAN, MODEL);
  await registry.mlflow.models.setAlias(MODEL, "champion", version);
  await until("the controller has set the arguments", async () => {
    const { spec } = await cluster.get("deployment", "serin-serving");
    return spec.template.spec.containers[0].args?.includes(`models:/${MODEL}@champion`);
  }, 30_000);
  await cluster.settled("deployment", "serin-serving");
  await until("the model answers", async () => {
    return (await ask(`${servingUrl}/v2/models/${MODEL}/ready`)).status === 200;
  });
  assertEquals(version, "1");
  assertNoFailure(world);
  return `version ${version} of ${job}`;
}

/** How the workload is reached: its address, and the token that it wants. */
async function retrainAccess({ cluster }: World): Promise<{ url: string; token: string }> {
  const url = await cluster.serviceUrl(RETRAIN, 8083);
  return { url, token: await cluster.secret("serin-tokens", "admin-token") };
}

async function openCast(
  world: World,
  programs: Parameters<typeof startAlerting>[0],
  stack: AsyncDisposableStack,
): Promise<LoopCast> {
  const { cluster, registry, folder } = world;
  const { url, token } = await retrainAccess(world);
  const webhookToken = await cluster.secret("serin-tokens", "webhook-token");
  const path = (name: string) => `${folder}/alerting/${name}`;
  const write = async (name: string, content: string | Uint8Array) => {
    await Deno.mkdir(`${folder}/alerting`, { recursive: true });
    const text = typeof content === "string" ? content : new TextDecoder().decode(content);
    await Deno.writeTextFile(path(name), text);
    return path(name);
  };
  const tokenFile = await write("webhook-token", webhookToken);
  const scrapeConfigs = scrapeConfigsOf(cluster.namespace, path("pods.json"));
  stack.use(await followPods(world, path("pods.json")));
  const alerting = stack.use(
    await startAlerting(programs, { path, write }, {
      ...{ scrapeConfigs, times: TIMES },
      retrain: { url: `${url}/v1/alerts`, tokenFile },
    }),
  );
  const rows = (await readReplayRows(ROWS[0])).slice(0, ROWS[1] - ROWS[0]);
  const callers = stack.use(new Callers(world.servingUrl, MODEL, rows));
  const authorization = `Bearer ${token}`;
  return {
    ...{ model: MODEL, champion: "1", callers, alerting },
    registry: (path) => registry.call("GET", `/api/serin/v1/${path}`),
    // Its pod is replaced in between.
    retrain: (path) =>
      until(`${RETRAIN} answers`, async () => {
        const init = { headers: { authorization } };
        const answer = await ask(`${url}/api/serin/v1/${path}`, init).catch(() => undefined);
        return answer?.status === 200 && answer.json;
      }, 120_000),
    retrainMetrics: async () => (await ask(`${url}/metrics`)).text,
    servingMetrics: async () => {
      const pods = await servingPods(world);
      return await Promise.all(
        pods.map(async ({ address }) => (await ask(`http://${address}:8081/metrics`)).text),
      );
    },
    disturb: () => deletePod(world),
  };
}

/**
 * As manifests/prometheus/prometheus-kubernetes.yaml has it, with a file in the place of its discovery:
 * Debian's Prometheus has none of Kubernetes.
 */
function scrapeConfigsOf(namespace: string, file: string): readonly unknown[] {
  const discovery = { file_sd_configs: [{ files: [file], refresh_interval: "1s" }] };
  const { scrape_configs } = kubernetesScrapeConfig({
    ...{ namespace, intervalSeconds: 1, alertmanagers: [], discovery },
  }) as { scrape_configs: readonly unknown[] };
  return scrape_configs;
}

/** Writes what the discovery would tell Prometheus, each second. */
async function followPods({ cluster }: World, file: string): Promise<AsyncDisposable> {
  const ending = new AbortController();
  const write = async () => {
    const { items } = await cluster.get("pods", "--selector", "app.kubernetes.io/name=serin");
    await Deno.writeTextFile(`${file}.new`, JSON.stringify(podTargets(items)));
    await Deno.rename(`${file}.new`, file);
  };
  await write();
  const running = (async () => {
    while (!ending.signal.aborted) {
      await new Promise((done) => setTimeout(done, 1000));
      // The API server may be busy: the file stays as it was.
      await write().catch(() => {});
    }
  })();
  return {
    async [Symbol.asyncDispose]() {
      ending.abort();
      await running;
    },
  };
}

/** The workload's pod is deleted while its Job trains: another goes on. */
async function deletePod({ cluster }: World): Promise<string> {
  const [pod] = await cluster.readyPods("retrain");
  const name = pod.metadata.name;
  await cluster.kubectl(["delete", "pod", name, "--wait=false"]);
  return `${name} was deleted meanwhile`;
}

/** Bad input, as it may come from anyone who reaches the port. */
async function refusals(world: World): Promise<string> {
  const { cluster } = world;
  const { url, token } = await retrainAccess(world);
  const replica = await cluster.secret("serin-tokens", "replica-token");
  const webhook = await cluster.secret("serin-tokens", "webhook-token");
  const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
  const send = async (body: unknown, token?: string) => {
    const headers = token === undefined ? undefined : bearer(token);
    return (await post(`${url}/v1/alerts`, body, headers)).status;
  };
  const look = async (address: string) => (await ask(address, { headers: bearer(webhook) })).status;
  const seen = {
    "no token": await send({}),
    "another token": await send({}, "another-token-of-somebody"),
    "a replica's token": await send({}, replica),
    "not Alertmanager's": await send({ alerts: "all" }, token),
    "no JSON": await send("{", webhook),
    "the webhook's token, history": await look(`${url}/api/serin/v1/retrainings`),
    "the webhook's token, the registry": await look(
      `${world.registry.url}/api/2.0/mlflow/registered-models/get?name=${MODEL}`,
    ),
  };
  assertEquals(Object.values(seen), [401, 401, 403, 400, 400, 403, 401]);
  const page = (await ask(`${url}/metrics`)).text;
  assertTrue(/serin_retrain_webhooks_total\{outcome="invalid_input"\} 2/.test(page), page);
  return Object.entries(seen).map(([what, status]) => `${what}: ${status}`).join(", ");
}

async function lookBack(world: World): Promise<string> {
  const { cluster } = world;
  const { url, token } = await retrainAccess(world);
  const env = { SERIN_RETRAIN: url, SERIN_RETRAIN_TOKEN: token };
  const history = await cluster.serinOk(["retrain", "history", "--json"], env);
  const { id } = JSON.parse(history).retrainings.find(({ run }: Json) => run !== undefined);
  const explained = await cluster.serinOk(["retrain", "explain", id], env);
  for (const part of [ALERT, "succeeded", "few_labels"]) assertIncludes(explained, part);
  const { items } = await cluster.get("jobs", "--selector", "app.kubernetes.io/component=training");
  const jobs = items.filter(({ metadata }: Json) => metadata.name.includes(MODEL));
  assertEquals(jobs.length, 2, "one Job trained the first version, one the second");
  return explained.trim().split("\n").slice(0, 3).join("\n");
}

/** An installation without it: what retrains is gone, what it knew stays until a person deletes it. */
async function removeRetraining(world: World): Promise<string> {
  const { cluster } = world;
  await cluster.serinOk([
    ...["deploy", "apply", ...deployFlags(world), ...TWO_REPLICAS, "--timeout-seconds", "180"],
  ]);
  await until("its pod is gone", async () => {
    return (await cluster.readyPods("retrain")).length === 0;
  }, 60_000);
  await cluster.kubectl(["delete", "configmap", RETRAIN, "--ignore-not-found"]);
  await cluster.kubectl(["get", "persistentvolumeclaim", "serin-retrain-data"]);
  await cluster.kubectl(["delete", "persistentvolumeclaim", "serin-retrain-data"]);
  assertNoFailure(world);
  return "its volume stayed until it was deleted by hand";
}
