/** The registry's volume is lost, and its state comes back from a backup that was taken while it ran. */
import { assertEquals, assertIncludes, until } from "../../src/testing/mod.ts";
import { CLUSTER_SCRIPT, type Json } from "./cluster.ts";
import type { StepTable } from "./step_table.ts";
import { assertNoFailure, MODEL, type World } from "./world.ts";

const POD = "serin-restore";
const CLAIM = "data-serin-registry-0";

/** As docs/runbook/backup-and-restore.md has it. */
export async function backupSteps(table: StepTable, world: World): Promise<void> {
  const { cluster, folder } = world;
  const archive = `${folder}/backup.tar`;
  await table.step("backup of the running registry", async () => {
    await backup(world, archive);
    const checked = await cluster.serinOk(["restore", "--input", archive, "--check"]);
    assertIncludes(checked, "is whole");
    assertNoFailure(world);
    return checked.split("\n").find((line) => line.startsWith("files"))!.replace(/ +/g, " ");
  });
  await table.step("restore into an empty volume", async () => {
    const before = await stateOf(world), start = world.traffic.answered;
    await replaceVolume(world);
    await restore(world, archive);
    await cluster.kubectl(["scale", "statefulset", "serin-registry", "--replicas=1"]);
    await cluster.settled("statefulset", "serin-registry");
    assertEquals(await stateOf(world), before);
    const { version } = (await world.registry.mlflow.models.findByAlias(MODEL, "champion"))!;
    const bytes = await world.registry.modelFile(version);
    await until(
      "replicas have found it",
      async () => (await world.registry.replicasWith(version)).length > 0,
    );
    assertNoFailure(world);
    return `champion ${version}, ${bytes.length} bytes; ` +
      `${world.traffic.answered - start} requests meanwhile, 0 failed`;
  });
}

/** Versions, aliases and tags: what a registry is there for. */
async function stateOf({ registry }: World): Promise<Json> {
  const path = `/api/2.0/mlflow/registered-models/get?name=${MODEL}`;
  const { registered_model } = await registry.call("GET", path);
  const { aliases, tags, latest_versions } = registered_model;
  return { aliases, tags, versions: latest_versions.map(({ version }: Json) => version) };
}

async function backup({ cluster }: World, path: string): Promise<void> {
  const command = [
    "exec",
    "serin-registry-0",
    "--",
    "/serin",
    "backup",
    "--data",
    "/var/lib/serin",
  ];
  const { success, stdout, stderr } = await new Deno.Command(CLUSTER_SCRIPT, {
    args: ["kubectl", "--namespace", cluster.namespace, ...command],
    stdin: "null",
  }).output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
  await Deno.writeFile(path, stdout);
}

/** The registry ends, its claim goes, and another volume is there for the next. */
async function replaceVolume({ cluster, folder }: World): Promise<void> {
  const claim = await cluster.get("persistentvolumeclaim", CLAIM);
  await cluster.kubectl(["scale", "statefulset", "serin-registry", "--replicas=0"]);
  await cluster.kubectl(["wait", "--for=delete", "pod/serin-registry-0", "--timeout=60s"]);
  await cluster.kubectl(["delete", "persistentvolumeclaim", CLAIM]);
  const path = `${folder}/restored`;
  await Deno.mkdir(path);
  await Deno.chown(path, 65532, 65532);
  const { accessModes, resources } = claim.spec;
  const { labels } = claim.metadata;
  await cluster.apply([{
    apiVersion: "v1",
    kind: "PersistentVolume",
    metadata: { name: "serin-test-restored", labels: { "serin-test": "volume" } },
    spec: {
      ...{ capacity: { storage: "20Gi" }, accessModes, storageClassName: "" },
      persistentVolumeReclaimPolicy: "Retain",
      claimRef: { namespace: cluster.namespace, name: CLAIM },
      hostPath: { path },
    },
  }, {
    apiVersion: "v1",
    kind: "PersistentVolumeClaim",
    metadata: { name: CLAIM, labels },
    spec: { accessModes, resources, storageClassName: "" },
  }]);
}

async function restore(world: World, archive: string): Promise<void> {
  const { cluster } = world;
  await cluster.apply([restorePod(world.image)]);
  await cluster.kubectl(["wait", "--for=condition=Ready", `pod/${POD}`, "--timeout=60s"]);
  const attach = new Deno.Command(CLUSTER_SCRIPT, {
    args: ["kubectl", "--namespace", cluster.namespace, "attach", "--stdin", "--quiet", POD],
    ...{ stdin: "piped", stdout: "piped", stderr: "piped" },
  }).spawn();
  const file = await Deno.open(archive);
  // It closes what it reads and what it writes to; a pod that has ended takes no more.
  const [{ stdout }] = await Promise.all([
    attach.output(),
    file.readable.pipeTo(attach.stdin).catch(() => {}),
  ]);
  assertIncludes(new TextDecoder().decode(stdout), "was restored");
  const succeeded = ["wait", "--for=jsonpath={.status.phase}=Succeeded", `pod/${POD}`];
  await cluster.kubectl([...succeeded, "--timeout=60s"]);
  await cluster.kubectl(["delete", "pod", POD]);
}

function restorePod(image: string): Json {
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: POD },
    spec: {
      restartPolicy: "Never",
      automountServiceAccountToken: false,
      securityContext: {
        ...{ runAsNonRoot: true, runAsUser: 65532, runAsGroup: 65532, fsGroup: 65532 },
        seccompProfile: { type: "RuntimeDefault" },
      },
      containers: [{
        name: "serin",
        image,
        command: ["/serin", "restore", "--input", "-", "--data", "/var/lib/serin"],
        ...{ stdin: true, stdinOnce: true },
        securityContext: {
          ...{ allowPrivilegeEscalation: false, readOnlyRootFilesystem: true },
          capabilities: { drop: ["ALL"] },
        },
        volumeMounts: [{ name: "data", mountPath: "/var/lib/serin" }],
      }],
      volumes: [{ name: "data", persistentVolumeClaim: { claimName: CLAIM } }],
    },
  };
}
