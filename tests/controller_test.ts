/**
 * `serin controller` as it runs: the executable, a registry, and an API server. That is one in memory;
 * where CONTROL_PLANE_KUBECONFIG names a cluster, the same is shown on a true one, in a namespace of its
 * own (needs no node: its CustomResourceDefinition is applied, and stays).
 */
import { openKubernetes } from "../src/commands/kubernetes_access.ts";
import { systemClock } from "../src/core/mod.ts";
import { renderManifests } from "../src/deploy/mod.ts";
import type { KubernetesClient, KubernetesObject } from "../src/kubernetes/mod.ts";
import {
  assertEquals,
  assertIncludes,
  assertTrue,
  FakeApiServer,
  FakeKubernetes,
  linearModel,
  type SerinProcess,
  TestRegistry,
  until,
} from "../src/testing/mod.ts";
import { ask, type Json, Workbench } from "./support/workbench.ts";

const MODEL = "prices";
const ROLLOUTS = { apiVersion: "serin.dev/v1alpha1", kind: "Rollout" };
const SERVING = { apiVersion: "apps/v1", kind: "Deployment", name: "serin-serving" };

/** Somewhere to control. */
interface Plane extends AsyncDisposable {
  readonly client: KubernetesClient;
  /** Flags by which a serin finds it. */
  readonly flags: readonly string[];
}

function openFake(): Promise<Plane> {
  const server = new FakeApiServer(new FakeKubernetes({ clock: systemClock }));
  return Promise.resolve({
    client: server.api,
    flags: ["--kube-api", server.url, "--namespace", server.api.namespace],
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  });
}

async function openReal(kubeconfig: string): Promise<Plane> {
  const namespace = `serin-test-${Math.random().toString(36).slice(2, 8)}`;
  const { client, close } = await openKubernetes({ kubeconfig, namespace });
  const kind = { apiVersion: "v1", kind: "Namespace" };
  await client.create({ ...kind, metadata: { name: namespace } });
  const crd = renderManifests().find(({ kind }) => kind === "CustomResourceDefinition")!;
  await client.apply(crd, { fieldManager: "test", force: true });
  await until("the kind Rollout is there", async () => (await client.list(ROLLOUTS)).items);
  return {
    client,
    flags: ["--kubeconfig", kubeconfig, "--namespace", namespace],
    async [Symbol.asyncDispose]() {
      await client.delete({ ...kind, name: namespace });
      close();
    },
  };
}

/** What `serin deploy apply` would have made, without what needs a node. */
async function install({ client }: Plane): Promise<void> {
  const wanted = ["Deployment serin-serving", "CronJob serin-train"];
  for (const object of renderManifests()) {
    if (!wanted.includes(`${object.kind} ${object.metadata.name}`)) continue;
    const metadata: KubernetesObject["metadata"] = {
      ...object.metadata,
      namespace: client.namespace,
    };
    await client.apply({ ...object, metadata }, { fieldManager: "test" });
  }
}

/** A registry and what controls the plane by it; both are started anew where they were. */
class Scene {
  readonly bench: Workbench;
  readonly plane: Plane;
  api!: TestRegistry;
  registry!: SerinProcess;
  #port = "0";

  private constructor(bench: Workbench, plane: Plane) {
    this.bench = bench;
    this.plane = plane;
  }

  static async open(bench: Workbench, plane: Plane): Promise<Scene> {
    const scene = new Scene(bench, plane);
    await install(plane);
    await scene.startRegistry();
    return scene;
  }

  async startRegistry(): Promise<void> {
    const { process, api, port } = await this.bench.registry(this.#port);
    [this.registry, this.api, this.#port] = [process, api, port];
  }

  controller(): Promise<SerinProcess> {
    const registry = ["--registry", this.api.url, "--port", "0", "--interval-seconds", "0.2"];
    return this.bench.start("controller", ...registry, ...this.plane.flags);
  }

  async args(): Promise<Json> {
    const serving: Json = await this.plane.client.get(SERVING);
    return serving.spec.template.spec.containers[0].args ?? [];
  }

  async rollouts(): Promise<Json[]> {
    return [...(await this.plane.client.list(ROLLOUTS)).items];
  }

  async events(): Promise<string[]> {
    const { items } = await this.plane.client.list({ apiVersion: "v1", kind: "Event" });
    return items.filter((event: Json) => event.involvedObject.kind === "Rollout")
      .map((event: Json) => event.reason).toSorted();
  }

  async training(): Promise<Json> {
    const { tags } = await this.api.client.models.get(MODEL);
    const tag = tags.find(({ key }) => key === "serin.training_status");
    return tag === undefined ? undefined : JSON.parse(tag.value);
  }
}

const ARGS = ["--model", `models:/${MODEL}@champion`];

async function followModels(scene: Scene): Promise<void> {
  const { api, plane: { client } } = scene;
  await api.register(MODEL, linearModel());
  await api.client.models.setAlias(MODEL, "champion", "1");
  await until("the Deployment is told", async () => (await scene.args()).length > 0);
  assertEquals(await scene.args(), ARGS);
  const evil = [{ name: "serin", args: ["--evil"] }];
  const spec = { template: { spec: { containers: evil } } };
  const { name, ...kind } = SERVING, metadata = { name, namespace: client.namespace };
  await client.apply({ ...kind, metadata, spec }, { fieldManager: "somebody", force: true });
  await until("the edit is put right", async () => (await scene.args())[0] === "--model");
}

async function mirrorRollout(scene: Scene): Promise<Json> {
  const { api, plane: { client } } = scene;
  const challenger = await api.register(MODEL, linearModel());
  const { id } = await api.call("POST", "rollouts", {
    model: MODEL,
    challenger,
    alias: "champion",
  });
  const [object] = await until("the rollout has its object", async () => {
    const rollouts = await scene.rollouts();
    return rollouts[0]?.status !== undefined && rollouts;
  });
  assertEquals([object.metadata.name, object.spec.canary], [`${MODEL}-${id}`, "2"]);
  const ref = { ...ROLLOUTS, name: object.metadata.name };
  await client.patch(ref, { spec: { canary: "9" } });
  await client.patch(ref, { status: { verdict: "all is lost" } }, { subresource: "status" });
  await until("the edits are put right", async () => {
    const [{ spec, status }] = await scene.rollouts();
    return spec.canary === "2" && status.verdict !== "all is lost";
  });
  await client.delete(ref);
  await until("it is made anew", async () => (await scene.rollouts())[0]?.status !== undefined);
  return object;
}

async function train(scene: Scene): Promise<void> {
  const { api, plane: { client } } = scene;
  const request = { id: "one", arguments: ["--rows", "0-9"] };
  await api.client.models.setTag(MODEL, "serin.training_request", JSON.stringify(request));
  const status = await until("the training runs", () => scene.training());
  assertEquals([status.id, status.phase], ["one", "running"]);
  const { items: [job, ...others] } = await client.list({ apiVersion: "batch/v1", kind: "Job" });
  assertEquals([job.metadata.name, others.length], [status.job, 0]);
  const { args } = (job as Json).spec.template.spec.containers[0];
  assertEquals(args.slice(-4), ["--rows", "0-9", "--register", MODEL]);
}

/** Neither killing the controller nor an outage of the registry changes anything it must not. */
async function outages(scene: Scene, controller: SerinProcess): Promise<SerinProcess> {
  const reachable = async () =>
    (await scene.rollouts())[0].status.conditions
      .find(({ type }: Json) => type === "RegistryReachable").status;
  await scene.registry.stop();
  await until("it is said that the registry is gone", async () => await reachable() === "False");
  assertEquals(await scene.args(), ARGS);
  const ready = await ask(`${controller.url}/readyz`);
  assertEquals([ready.status, ready.json.ready], [200, true]);
  assertIncludes(ready.json.reasons[0], "nothing is changed meanwhile");
  await controller.kill();
  await scene.startRegistry();
  const next = await scene.controller();
  await until("the next one goes on", async () => await reachable() === "True");
  return next;
}

async function twoControllers(scene: Scene, first: SerinProcess): Promise<void> {
  const leads = async ({ url }: SerinProcess) =>
    (await ask(`${url}/metrics`)).text.includes("\nserin_controller_leader 1");
  const second = await scene.controller();
  await until("the second is ready", async () => (await ask(`${second.url}/readyz`)).json.ready);
  assertEquals([await leads(first), await leads(second)], [true, false]);
  assertEquals((await first.stop()).code, 0);
  await until("the second leads", () => leads(second), 10_000);
  const rollout = (await scene.rollouts())[0];
  await scene.api.call("POST", `rollouts/${rollout.spec.rollout}/abort`);
  await until(
    "it mirrors the end",
    async () => (await scene.rollouts())[0].status.phase === "aborted",
  );
  const events = await scene.events();
  assertEquals(events.filter((reason) => reason === "Aborted"), ["Aborted"]);
  const { text } = await ask(`${second.url}/metrics`);
  assertTrue(!/errors_total\{[^}]*\} [1-9]/.test(text), text);
  assertEquals((await ask(`${second.url}/livez`)).status, 200);
}

async function check(open: () => Promise<Plane>): Promise<void> {
  await using plane = await open();
  await using bench = await Workbench.open();
  const scene = await Scene.open(bench, plane);
  const first = await scene.controller();
  await followModels(scene);
  await mirrorRollout(scene);
  await train(scene);
  const second = await outages(scene, first);
  await twoControllers(scene, second);
}

Deno.test("the controller makes Kubernetes look like the registry, whatever is killed", () =>
  check(openFake));

const kubeconfig = Deno.env.get("CONTROL_PLANE_KUBECONFIG");
const skipped = kubeconfig === undefined ? " (skipped: CONTROL_PLANE_KUBECONFIG names none)" : "";

Deno.test({
  name: `the same on a true control plane${skipped}`,
  ignore: kubeconfig === undefined,
  fn: () => check(() => openReal(kubeconfig!)),
});

Deno.test("bad command lines of the controller say what to do, at once", async () => {
  await using bench = await Workbench.open();
  const registry = ["--registry", "http://127.0.0.1:9"];
  const none = bench.path("none");
  await bench.refused(["controller"], 2, "--registry");
  await bench.refused(
    ["controller", ...registry, "--kubeconfig", none],
    2,
    "There is no kubeconfig",
  );
  const exec = await bench.write(
    "exec.yaml",
    `
current-context: a
clusters: [{name: c, cluster: {server: "https://127.0.0.1:9"}}]
contexts: [{name: a, context: {cluster: c, user: u}}]
users: [{name: u, user: {exec: {command: aws}}}]
`,
  );
  await bench.refused(
    ["controller", ...registry, "--kubeconfig", exec],
    2,
    "aws (exec)",
    "--kube-api",
  );
  const broken = await bench.write("broken.yaml", "clusters: [\n");
  await bench.refused(["controller", ...registry, "--kubeconfig", broken], 2, "broken.yaml");
  const both = ["--kube-api", "http://127.0.0.1:9", "--context", "x"];
  await bench.refused(["controller", ...registry, ...both], 2, "do not go together");
});
