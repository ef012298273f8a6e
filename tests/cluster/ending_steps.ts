/** Back to the version before, and then nothing is left. */
import { assertEquals, assertIncludes, assertTrue, until } from "../../src/testing/mod.ts";
import { deployFlags, servingPods, TWO_REPLICAS } from "./deployment_steps.ts";
import type { Json } from "./cluster.ts";
import type { StepTable } from "./step_table.ts";
import { assertNoFailure, MODEL, type World } from "./world.ts";

export async function endingSteps(table: StepTable, world: World): Promise<void> {
  await table.step("serin deploy rollback within 10 s", () => rollback(world));
  await table.step("a new release, and back", () => releaseAndBack(world));
  await table.step("serin deploy status, history", () => lookBack(world));
  await table.step("all requests of the whole test", () => account(world));
  await table.step("everything deleted, nothing left", () => deleteAll(world));
}

async function rollback(world: World): Promise<string> {
  const { cluster, registry, first } = world;
  const before = (await registry.mlflow.models.findByAlias(MODEL, "champion"))!.version;
  const start = performance.now();
  const text = await cluster.serinOk(["deploy", "rollback", "--model", MODEL]);
  const seconds = (performance.now() - start) / 1000;
  const champion = (await registry.mlflow.models.findByAlias(MODEL, "champion"))!.version;
  assertEquals(champion, first);
  assertIncludes(text, first);
  const pods = await servingPods(world);
  const statuses = await Promise.all(pods.map((pod) => pod.status()));
  const stable = statuses.map((status: Json) =>
    status.models.find(({ name }: Json) => name === MODEL)?.stable
  );
  assertTrue(stable.every((version) => version === first), `pods serve ${stable}`);
  assertTrue(seconds <= 10, `it took ${seconds} s`);
  assertNoFailure(world);
  return `from version ${before} to ${first} in ${seconds.toFixed(1)} s, on ${stable.length} pods`;
}

/** Another setting, then the release before again: under load, nothing fails. */
async function releaseAndBack(world: World): Promise<string> {
  const { cluster } = world;
  const delay = async () => {
    const { spec } = await cluster.get("deployment", "serin-serving");
    const { command } = spec.template.spec.containers[0];
    return command[command.indexOf("--shutdown-delay-seconds") + 1];
  };
  assertEquals(await delay(), "5");
  const other = [...TWO_REPLICAS, "--set", "serving.shutdownDelaySeconds=6"];
  await cluster.serinOk(["deploy", "apply", ...deployFlags(world), ...other]);
  assertEquals(await delay(), "6");
  const start = performance.now();
  await cluster.serinOk(["deploy", "rollback", "--release"]);
  const seconds = (performance.now() - start) / 1000;
  assertEquals(await delay(), "5");
  assertNoFailure(world);
  return `serving.shutdownDelaySeconds 5 → 6 → 5, back within ${seconds.toFixed(1)} s; 0 failed`;
}

async function lookBack(world: World): Promise<string> {
  const { cluster } = world;
  const status = await cluster.serinOk(["deploy", "status"]);
  for (const part of ["serin-registry", "serin-serving", "serin-controller", MODEL]) {
    assertIncludes(status, part);
  }
  const history = await cluster.serinOk(["deploy", "history"]);
  assertIncludes(history, MODEL);
  return history.trim().split("\n").slice(0, 8).join("\n");
}

async function account(world: World): Promise<string> {
  const { traffic } = world;
  await until("the last labels are taken", () => traffic.unlabelled < 200, 30_000);
  await traffic.stop();
  assertNoFailure(world);
  const { answered, labelled, versions } = traffic;
  return `${answered} answered, ${labelled} labels counted, ` +
    `by ${versions.size} versions; failed: only what the failing canary was to show`;
}

async function deleteAll(world: World): Promise<string> {
  const { cluster, folder } = world;
  await cluster.kubectl([
    ...["delete", "--kustomize", `${folder}/manifests/overlays/dev`],
    ...["--ignore-not-found", "--timeout=120s"],
  ]);
  await cluster.kubectl(["delete", "persistentvolume", "--selector", "serin-test=volume"]);
  const kinds = (await cluster.kubectl([
    ...["api-resources", "--verbs", "list", "--output", "name"],
  ])).trim().split("\n").filter((kind) => kind !== "events" && !kind.startsWith("events."));
  const left: string[] = [];
  for (const kind of kinds) {
    const { stdout } = await cluster.tryKubectl([
      ...["get", kind, "--all-namespaces", "--output", "name", "--ignore-not-found"],
    ]);
    left.push(...stdout.split("\n").filter((name) => name.includes("serin")));
  }
  assertEquals(left, []);
  return `${kinds.length} kinds looked through: none has an object of serin's`;
}
