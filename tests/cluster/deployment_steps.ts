/** From nothing to a model that serves: volumes, manifests, apply, training Job, champion. */
import { assertIncludes, assertTrue, until } from "../../src/testing/mod.ts";
import { type Cluster, type Json, run } from "./cluster.ts";
import { ElectricityTraffic } from "./electricity.ts";
import type { StepTable } from "./step_table.ts";
import {
  assertNoFailure,
  ClusterRegistry,
  MODEL,
  QUICK_PLAN,
  trainByJob,
  type World,
} from "./world.ts";

const ROOT = decodeURIComponent(new URL("../../", import.meta.url).pathname);
const OVERLAYS = ["base", "overlays/dev", "overlays/production"];

/**
 * From the rollouts on: one replica may then go while requests come, and the autoscaler takes none away
 * while the registry is, which would lose what that replica had counted meanwhile.
 */
export const TWO_REPLICAS = ["--set", "serving.replicasMin=2", "--set", "serving.replicasMax=2"];

/** What every `serin deploy` of the test says. */
export function deployFlags(world: Pick<World, "image">): string[] {
  return ["--overlay", "dev", "--set", `image=${world.image}`];
}

/** Manifests: against the schemas, and against the API server. Nothing is written. */
export async function checkManifests(table: StepTable, world: World): Promise<void> {
  const { cluster, folder } = world;
  await table.step("render", async () => {
    await cluster.serinOk(["manifests", "render", "--output", `${folder}/manifests`]);
    const files = [...walk(`${folder}/manifests`)].length;
    const text = await cluster.serinOk(["manifests", "render", ...deployFlags(world)]);
    return `${files} files; dev: ${text.split(/^---$/m).length} objects`;
  }, { needed: true });
  await table.step("kubeconform -strict", async () => {
    const yaml = [...walk(`${folder}/manifests`)].filter((path) => path.endsWith(".yaml"));
    // Prometheus' own files, and kustomize's, are no Kubernetes objects.
    const files = yaml.filter((path) =>
      !/kustomization|patch/.test(path) && /^kind: /m.test(Deno.readTextFileSync(path))
    );
    const { code, stdout, stderr } = await run(`${ROOT}scripts/cluster/kubeconform`, files);
    if (code === 3) throw new Error(`cannot be had here: ${stderr}`);
    assertTrue(code === 0, stdout + stderr);
    return stdout.trim().split("\n").at(-1) ?? "";
  });
  await table.step("kubectl apply --dry-run=server", async () => {
    await cluster.kubectl(["create", "namespace", cluster.namespace]);
    // A custom resource is checked once its kind is known, so the definition goes first.
    const seen: string[] = [];
    for (const overlay of OVERLAYS) {
      const told = await dryRun(cluster, `${folder}/manifests/${overlay}`);
      seen.push(`${overlay.split("/").at(-1)} ${told}`);
    }
    for (const { name: component } of Deno.readDirSync(`${folder}/manifests/components`)) {
      const with_ = `${folder}/with-${component}`;
      await Deno.mkdir(with_);
      const resources = [`../manifests/overlays/production`];
      const components = [`../manifests/components/${component}`];
      await Deno.writeTextFile(
        `${with_}/kustomization.yaml`,
        JSON.stringify({
          apiVersion: "kustomize.config.k8s.io/v1beta1",
          kind: "Kustomization",
          resources,
          components,
        }),
      );
      seen.push(`${component} ${await dryRun(cluster, with_)}`);
    }
    await cluster.kubectl(["delete", "namespace", cluster.namespace]);
    return `objects taken: ${seen.join(", ")}`;
  });
}

/** What tests/controller_test.ts shows on an API server in memory, on this one. */
export async function checkController(table: StepTable, { cluster }: World): Promise<void> {
  await table.step("the controller's own test on this API server", async () => {
    const env = { CONTROL_PLANE_KUBECONFIG: cluster.kubeconfig, SERIN_BIN: `${ROOT}serin` };
    const args = ["test", "-A", "--frozen", "--quiet", "tests/controller_test.ts"];
    const { code, stdout, stderr } = await run(Deno.execPath(), args, { env });
    assertTrue(code === 0, (stdout + stderr).slice(-2000));
    await cluster.kubectl(["delete", "crd", "rollouts.serin.dev"]);
    return stdout.trim().split("\n").at(-1) ?? "";
  });
}

async function dryRun(cluster: Cluster, folder: string): Promise<number> {
  const how = ["--server-side", "--force-conflicts", "--dry-run=server"];
  const text = await cluster.kubectl(["apply", ...how, "--kustomize", folder]);
  return text.trim().split("\n").length;
}

function* walk(folder: string): Generator<string> {
  for (const entry of Deno.readDirSync(folder)) {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory) yield* walk(path);
    else yield path;
  }
}

/** The cluster of the lab has no StorageClass: the volumes are made by hand, as folders of the node. */
export async function makeVolumes(world: World): Promise<string> {
  const { cluster, folder } = world;
  const claims = { "data-serin-registry-0": "registry", "serin-training-data": "training" };
  for (const place of Object.values(claims)) {
    await Deno.mkdir(`${folder}/${place}`, { recursive: true });
    await Deno.chown(`${folder}/${place}`, 65532, 65532);
  }
  await Deno.copyFile(`${ROOT}data/elec2.csv`, `${folder}/training/elec2.csv`);
  await writeSwapped(`${folder}/training/elec2-swapped.csv`);
  await cluster.apply(
    Object.entries(claims).map(([claim, place]) => ({
      apiVersion: "v1",
      kind: "PersistentVolume",
      metadata: { name: `serin-test-${place}`, labels: { "serin-test": "volume" } },
      spec: {
        capacity: { storage: "20Gi" },
        accessModes: ["ReadWriteOnce", "ReadOnlyMany", "ReadWriteMany"],
        persistentVolumeReclaimPolicy: "Retain",
        storageClassName: "",
        claimRef: { namespace: cluster.namespace, name: claim },
        hostPath: { path: `${folder}/${place}` },
      },
    })),
  );
  return Object.keys(claims).join(", ");
}

/** A feature pipeline with a fault: two columns go by each other's names, in training only. */
async function writeSwapped(path: string): Promise<void> {
  const text = await Deno.readTextFile(`${ROOT}data/elec2.csv`);
  const [header, ...rows] = text.split("\n");
  const swapped = header.replace("nswprice,nswdemand", "nswdemand,nswprice");
  assertTrue(swapped !== header, header);
  await Deno.writeTextFile(path, [swapped, ...rows].join("\n"));
}

/** Plan, apply, healthy; then a training Job, its version, and the champion deployed. */
export async function deploy(table: StepTable, world: World): Promise<void> {
  const { cluster } = world;
  await table.step("volumes", () => makeVolumes(world), { needed: true });
  await table.step("serin deploy plan", async () => {
    const text = await cluster.serinOk(["deploy", "plan", ...deployFlags(world)]);
    for (const part of ["serin-registry", "serin-serving", "serin-controller"]) {
      assertIncludes(text, part);
    }
    const { code } = await cluster.tryKubectl(["get", "statefulset", "serin-registry"]);
    assertTrue(code !== 0, "the plan wrote something");
    return text.trim().split("\n").at(-1) ?? "";
  });
  await table.step("serin deploy apply: healthy within 60 s", async () => {
    const start = performance.now();
    await cluster.serinOk(["deploy", "apply", ...deployFlags(world), "--timeout-seconds", "60"]);
    const seconds = (performance.now() - start) / 1000;
    for (const name of ["serin-serving", "serin-controller"]) {
      await cluster.settled("deployment", name, 1000);
    }
    await cluster.settled("statefulset", "serin-registry", 1000);
    assertTrue(seconds <= 60, `it took ${seconds} s`);
    const token = await cluster.secret("serin-tokens", "admin-token");
    world.registry = new ClusterRegistry(await cluster.serviceUrl("serin-registry", 5000), token);
    world.servingUrl = await cluster.serviceUrl("serin-serving", 8080);
    return `registry, serving and controller healthy after ${seconds.toFixed(1)} s`;
  }, { needed: true });
  await table.step("training Job → registered", async () => {
    const data = ["--data", "/data/elec2.csv", "--target", "target", "--rows", "0-8736"];
    const { version, job } = await trainByJob(world, "first", data);
    world.first = version;
    return `Job ${job} registered version ${version}`;
  }, { needed: true });
  await table.step("champion deployed", () => deployChampion(world), { needed: true });
}

async function deployChampion(world: World): Promise<string> {
  const { cluster, registry, first } = world;
  await registry.setTag("serin.rollout_plan", QUICK_PLAN);
  const start = performance.now();
  await registry.mlflow.models.setAlias(MODEL, "champion", first);
  await until("the controller has set the arguments", async () => {
    const { spec } = await cluster.get("deployment", "serin-serving");
    const { args } = spec.template.spec.containers[0];
    return args?.includes(`models:/${MODEL}@champion`);
  }, 30_000);
  await cluster.settled("deployment", "serin-serving");
  await until("the model answers", async () => {
    const answer = await fetch(`${world.servingUrl}/v2/models/${MODEL}/ready`);
    await answer.body?.cancel();
    return answer.status === 200;
  });
  const seconds = (performance.now() - start) / 1000;
  world.traffic = await new ElectricityTraffic({
    url: world.servingUrl,
    model: MODEL,
    start: 8736,
    rate: 25,
  }).start();
  await until("requests are answered", () => world.traffic.answered > 50);
  assertNoFailure(world);
  const pods = await cluster.readyPods("serving");
  return `version ${first} on ${pods.length} pods ${seconds.toFixed(1)} s after the alias was set`;
}

/** More load than the pods were given: the autoscaler adds some, and takes them away again. */
export async function autoscale(table: StepTable, world: World): Promise<void> {
  const { cluster, servingUrl } = world;
  const replicas = async () => (await cluster.get("deployment", "serin-serving")).spec.replicas;
  await table.step("HPA scales out and back", async () => {
    const before = await replicas();
    const load = await new ElectricityTraffic({
      url: servingUrl,
      model: MODEL,
      start: 8736,
      rate: 400,
      connections: 16,
      labelDelayMs: -1,
    }).start();
    let most: number;
    try {
      most = await until("a replica was added", async () => {
        const now = await replicas();
        return now > before && now;
      }, 180_000);
      await cluster.settled("deployment", "serin-serving", 60_000);
    } finally {
      await load.stop();
    }
    await until("replicas are taken away", async () => (await replicas()) === before, 240_000);
    await cluster.settled("deployment", "serin-serving", 60_000);
    assertTrue(load.failures.length === 0, load.failures.slice(0, 3).join("; "));
    assertNoFailure(world);
    return `${before} → ${most} → ${before} replicas, ${load.answered} requests, 0 failed`;
  });
}

/** @returns the value of a sample of a metrics page */
export function sampleOf(page: string, name: string): number | undefined {
  const line = page.split("\n").find((each: string) => each.startsWith(`${name}`));
  return line === undefined ? undefined : Number(line.split(" ").at(-1));
}

/** A serving pod that was ready when it was looked up. */
export interface ServingPod {
  readonly address: string;
  /** Asks its admin port. */
  status(): Promise<Json>;
}

/** @returns every serving pod that is ready */
export async function servingPods(world: World): Promise<ServingPod[]> {
  const token = await world.cluster.secret("serin-tokens", "replica-token");
  const pods = await world.cluster.readyPods("serving");
  return pods.map(({ metadata, status: { podIP } }: Json) => ({
    address: podIP,
    status: async () => {
      const headers = { authorization: `Bearer ${token}` };
      const answer = await fetch(`http://${podIP}:8081/status`, { headers });
      if (!answer.ok) throw new Error(`${metadata.name}: ${answer.status}`);
      return await answer.json();
    },
  }));
}
