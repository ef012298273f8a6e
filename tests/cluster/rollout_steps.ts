/** A good challenger is promoted, bad ones are rolled back, and Kubernetes shows why. */
import { assertEquals, assertIncludes, assertTrue, until } from "../../src/testing/mod.ts";
import type { Json } from "./cluster.ts";
import { deployFlags, servingPods, TWO_REPLICAS } from "./deployment_steps.ts";
import { failsOnTenth } from "./faulty_models.ts";
import type { StepTable } from "./step_table.ts";
import { assertNoFailure, MODEL, rollOut, trainByJob, type World } from "./world.ts";

/** Sticky keys that every pod is asked with. */
const KEYS = 40;

export async function rolloutSteps(table: StepTable, world: World): Promise<void> {
  await table.step("a change reaches every replica", () => reachesAll(world));
  await table.step("a good challenger is promoted", () => promoted(world));
  await table.step("one with 10 % errors is rolled back", () => failing(world));
  await table.step("one with worse answers is rolled back", () => worse(world));
}

/**
 * A rollout by hand at one share: how long until all replicas split, and whether a key gets the same
 * version everywhere. Then it is called off.
 */
async function reachesAll(world: World): Promise<string> {
  const { registry, cluster } = world;
  // From here on at least two, so that one may go while requests come.
  const two = [...deployFlags(world), ...TWO_REPLICAS];
  await cluster.serinOk(["deploy", "apply", ...two, "--timeout-seconds", "60"]);
  await until("there are two replicas", async () => {
    return (await cluster.readyPods("serving")).length === 2;
  }, 90_000);
  const version = await registry.register(await registry.modelFile(world.first));
  const plan = { steps: [{ share: 0.5, seconds: 600 }], warmupSeconds: 0 };
  const body = { model: MODEL, challenger: version, plan };
  // Looked up before, so that nothing but the change itself is timed.
  const pods = await servingPods(world);
  const { id } = await registry.call("POST", "/api/serin/v1/rollouts", body);
  const split = (status: Json) =>
    status.models.some((model: Json) => model.assignment?.share === 0.5);
  const served = async () =>
    (await registry.call("GET", `/api/serin/v1/rollouts/${id}`)).share > 0 && performance.now();
  const start = await until("the share is given", served);
  await until("all replicas split", async () => {
    return (await Promise.all(pods.map((pod) => pod.status()))).every(split);
  });
  const milliseconds = Math.round(performance.now() - start);
  const answers = await Promise.all(pods.map(({ address }) => versionsOfKeys(address)));
  assertEquals(answers[0], answers[1]);
  const canary = answers[0].filter((each: string) => each === version).length;
  assertTrue(canary > KEYS / 5 && canary < KEYS * 4 / 5, `${canary} of ${KEYS} keys`);
  await registry.call("POST", `/api/serin/v1/rollouts/${id}/abort`);
  assertTrue(milliseconds <= 1000, `it took ${milliseconds} ms`);
  assertNoFailure(world);
  return `${pods.length} replicas within ${milliseconds} ms; ${KEYS} keys the same on both`;
}

async function versionsOfKeys(address: string): Promise<string[]> {
  const columns = ["period", "nswprice", "nswdemand", "vicprice", "vicdemand", "transfer"];
  const inputs = columns.map((name) => ({ name, shape: [1], datatype: "FP32", data: [0.4] }));
  return await Promise.all(Array.from({ length: KEYS }, async (_, i) => {
    const answer = await fetch(`http://${address}:8080/v2/models/${MODEL}/infer`, {
      method: "POST",
      headers: { "content-type": "application/json", "x-serin-key": `customer ${i}` },
      body: JSON.stringify({ inputs }),
    });
    return (await answer.json()).model_version;
  }));
}

async function promoted(world: World): Promise<string> {
  const { registry } = world;
  const data = ["--data", "/data/elec2.csv", "--target", "target", "--rows", "4000-12736"];
  const { version } = await trainByJob(world, "fresher", data);
  const rollout = await rollOut(world, version);
  assertEquals(rollout.phase, "promoted", rollout.verdict);
  const champion = await registry.mlflow.models.findByAlias(MODEL, "champion");
  assertEquals(champion?.version, version);
  await until("the Rollout object says so", async () => {
    const object = await findRollout(world, rollout.id);
    return object?.status.phase.toLowerCase() === "promoted";
  });
  const text = await world.cluster.kubectl(["get", "rollouts"]);
  assertIncludes(text, version);
  assertNoFailure(world);
  return `version ${version}: ${rollout.verdict}`;
}

async function failing(world: World): Promise<string> {
  const { registry } = world;
  const champion = await registry.mlflow.models.findByAlias(MODEL, "champion");
  const version = await registry.register(
    failsOnTenth(await registry.modelFile(champion!.version)),
  );
  const told = await rolledBack(world, version, "error");
  // The callers of the canary got its errors: they are what the rollout is about.
  const failed = world.traffic.failures.length;
  assertTrue(failed > 0, "no request failed");
  assertTrue(world.traffic.failures.every((text) => text.includes("Gather")), "another failure");
  world.traffic.failures.length = 0;
  return `${told} (${failed} callers got its error)`;
}

async function worse(world: World): Promise<string> {
  const data = ["--data", "/data/elec2-swapped.csv", "--target", "target"];
  const { version } = await trainByJob(world, "swapped", [...data, "--rows", "4000-12736"]);
  const told = await rolledBack(world, version, "label");
  assertNoFailure(world);
  return told;
}

/** Rolls a version out that is bad; the reason must be where people look. */
async function rolledBack(world: World, version: string, reason: string): Promise<string> {
  const { cluster, registry } = world;
  const rollout = await rollOut(world, version);
  assertEquals(rollout.phase, "rolled_back", rollout.verdict);
  assertIncludes(rollout.verdict, reason);
  const object = await until("the Rollout object has the verdict", async () => {
    const object = await findRollout(world, rollout.id);
    return object?.status.verdict === rollout.verdict && object;
  });
  const described = await until("an event tells it", async () => {
    const text = await cluster.kubectl(["describe", "rollout", object.metadata.name]);
    return /^Events:[\s\S]*RolledBack/m.test(text) && text;
  });
  assertIncludes(described.replace(/\s+/g, " "), rollout.verdict);
  const flags = ["--registry", registry.url];
  const env = { SERIN_REGISTRY_TOKEN: registry.token };
  const explained = await cluster.serinOk(["canary", "explain", rollout.id, ...flags], env);
  assertIncludes(explained.replace(/\s+/g, " "), rollout.verdict);
  return `version ${version}: ${rollout.verdict}`;
}

/** @returns the object that mirrors a rollout of the registry */
export async function findRollout(world: World, id: string): Promise<Json | undefined> {
  const { items } = await world.cluster.get("rollouts");
  return items.find((object: Json) => object.spec.rollout === id && object.status !== undefined);
}
