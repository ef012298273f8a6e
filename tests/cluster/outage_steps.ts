/** What goes wrong while a rollout runs and requests come: nothing fails, nothing is lost. */
import { assertEquals, assertTrue, until } from "../../src/testing/mod.ts";
import { type Json } from "./cluster.ts";
import { ElectricityTraffic } from "./electricity.ts";
import { findRollout } from "./rollout_steps.ts";
import type { StepTable } from "./step_table.ts";
import { assertNoFailure, MODEL, type World } from "./world.ts";

const OUTAGE_MS = 60_000;

/** A rollout that stays at its first share until it is told to end. */
class LongRollout {
  readonly world: World;
  id = "";
  canary = "";

  constructor(world: World) {
    this.world = world;
  }

  async start(): Promise<void> {
    const { registry } = this.world;
    const champion = await registry.mlflow.models.findByAlias(MODEL, "champion");
    this.canary = await registry.register(await registry.modelFile(champion!.version));
    const plan = { steps: [{ share: 0.4, seconds: 1800 }], warmupSeconds: 0, labels: "ignored" };
    const body = { model: MODEL, challenger: this.canary, plan };
    this.id = (await registry.call("POST", "/api/serin/v1/rollouts", body)).id;
    await until("the canary is served", async () => (await this.status()).share > 0);
  }

  status(): Promise<Json> {
    return this.world.registry.call("GET", `/api/serin/v1/rollouts/${this.id}`);
  }

  /** @returns the answers that the registry has counted, of both versions, since the rollout began */
  async counted(): Promise<{ stable: number; canary: number }> {
    const { metrics } = await this.status();
    const errors = metrics.find(({ metric }: Json) => metric === "errors");
    return { stable: errors.stable.trials, canary: errors.canary.trials };
  }

  /** Fails unless the rollout runs, and its counts have grown since. */
  async goesOn(before: { canary: number }): Promise<number> {
    return await until("the rollout goes on", async () => {
      const { endedAt } = await this.status();
      const { canary } = await this.counted();
      return endedAt === null && canary > before.canary + 20 && canary;
    }, 60_000);
  }
}

/** Each thing in its turn, in one rollout. */
export async function outageSteps(table: StepTable, world: World): Promise<void> {
  const { cluster } = world;
  const rollout = new LongRollout(world);
  await table.step("a rollout under way", async () => {
    await rollout.start();
    return `version ${rollout.canary} has 40 %`;
  });
  const undisturbed = async (what: () => Promise<string>) => {
    const before = await rollout.counted(), start = world.traffic.answered;
    const seen = await what();
    await rollout.goesOn(before);
    assertNoFailure(world);
    return `${seen}; ${world.traffic.answered - start} requests, 0 failed; the rollout goes on`;
  };
  await table.step("rolling update", () =>
    undisturbed(async () => {
      await cluster.kubectl(["rollout", "restart", "deployment", "serin-serving"]);
      await cluster.kubectl(["rollout", "status", "deployment", "serin-serving", "--timeout=120s"]);
      return "every pod replaced";
    }));
  await table.step("pod kill", () => undisturbed(() => killPod(world, "serving")));
  await table.step("pod killed without grace", () => hardKill(world, rollout));
  await table.step("controller kill", () => undisturbed(() => killController(world, rollout)));
  await table.step("registry outage of a minute", () => registryOutage(world, rollout));
  await table.step("registry pod killed without grace", () => registryKill(world, rollout));
  await table.step("the rollout can be ended", async () => {
    await world.registry.call("POST", `/api/serin/v1/rollouts/${rollout.id}/abort`);
    await until("the Rollout object says so", async () => {
      const object = await findRollout(world, rollout.id);
      return object?.status.phase.toLowerCase() === "aborted";
    });
    assertNoFailure(world);
    return "aborted, and its Rollout object says so";
  });
}

async function killPod(world: World, component: string): Promise<string> {
  const { cluster } = world;
  const [pod] = await cluster.readyPods(component);
  const { length } = await cluster.readyPods(component);
  await cluster.kubectl(["delete", "pod", pod.metadata.name]);
  await until("another pod is ready", async () => {
    return (await cluster.readyPods(component)).length >= length;
  }, 90_000);
  return `${pod.metadata.name} replaced`;
}

/**
 * What a pod had in hand when it is killed is gone, and callers see broken connections, never a wrong
 * answer: those that try again notice nothing. What the registry had acknowledged of it stays counted.
 */
async function hardKill(world: World, rollout: LongRollout): Promise<string> {
  const { cluster, traffic } = world;
  const careful = await new ElectricityTraffic({
    url: world.servingUrl,
    model: MODEL,
    start: 9000,
    rate: 25,
    labelDelayMs: -1,
    attempts: 3,
  }).start();
  const before = await rollout.counted();
  const [pod] = await cluster.readyPods("serving");
  await cluster.kubectl(["delete", "pod", pod.metadata.name, "--grace-period=0", "--force"]);
  await until("another pod is ready", async () => {
    const pods = await cluster.readyPods("serving");
    return pods.length >= 2 && pods.every(({ metadata }) => metadata.uid !== pod.metadata.uid);
  }, 90_000);
  const after = await rollout.counted();
  assertTrue(after.canary >= before.canary && after.stable >= before.stable, "counts were lost");
  await rollout.goesOn(after);
  await careful.stop();
  assertEquals(careful.failures, []);
  const broken = traffic.failures.splice(0);
  const answers = broken.filter((failure) => /Z \d{3} /.test(failure));
  assertEquals(answers, []);
  return `${pod.metadata.name} gone; ${careful.answered} requests that may be sent again, 0 failed; ` +
    `of those sent once ${broken.length} broke off`;
}

/** The controller dies at once; what it mirrors goes on where it was. */
async function killController(world: World, rollout: LongRollout): Promise<string> {
  const { cluster } = world;
  const [pod] = await cluster.readyPods("controller");
  await cluster.kubectl(["delete", "pod", pod.metadata.name, "--grace-period=0", "--force"]);
  const before = (await findRollout(world, rollout.id))!.status.canaryRequests;
  await until("the Rollout object grows again", async () => {
    return (await findRollout(world, rollout.id))!.status.canaryRequests > before + 20;
  }, 90_000);
  const { items } = await cluster.get("events", "--field-selector", "reason=RolloutStarted");
  const told = items.filter((event: Json) => event.message.includes(rollout.id));
  assertTrue(told.length <= 1, `${told.length} events tell the same beginning`);
  return `${pod.metadata.name} killed; its successor goes on`;
}

/** The registry is away for a minute; every answer of that minute is counted when it is back. */
async function registryOutage(world: World, rollout: LongRollout): Promise<string> {
  const { cluster, traffic } = world;
  const counted = await rollout.counted();
  const answered = () =>
    [...traffic.versions].reduce(
      (sum, [version, count]) => version === rollout.canary ? sum + count : sum,
      0,
    );
  const canaryBefore = answered();
  await cluster.kubectl(["scale", "statefulset", "serin-registry", "--replicas", "0"]);
  await until("the registry is gone", async () => {
    return (await cluster.readyPods("registry")).length === 0;
  });
  const during = traffic.answered;
  await new Promise((done) => setTimeout(done, OUTAGE_MS));
  const served = traffic.answered - during;
  const object = await findRollout(world, rollout.id);
  const reachable = object!.status.conditions.find(({ type }: Json) =>
    type === "RegistryReachable"
  );
  assertEquals(reachable?.status, "False");
  await cluster.kubectl(["scale", "statefulset", "serin-registry", "--replicas", "1"]);
  await cluster.settled("statefulset", "serin-registry");
  assertTrue(served > 500, `${served} requests were answered meanwhile`);
  const all = await until("all answers are counted", async () => {
    const { canary } = await rollout.counted();
    return canary - counted.canary >= answered() - canaryBefore - 50 && canary;
  }, 30_000);
  await rollout.goesOn({ canary: all });
  assertNoFailure(world);
  return `${served} requests while it was away, 0 failed; ` +
    `the canary's ${all - counted.canary} answers are counted; the rollout goes on`;
}

/** Killed between any two writes: what was acknowledged is still there. */
async function registryKill(world: World, rollout: LongRollout): Promise<string> {
  const { cluster } = world;
  const before = await rollout.counted();
  const [pod] = await cluster.readyPods("registry");
  await cluster.kubectl(["delete", "pod", pod.metadata.name, "--grace-period=0", "--force"]);
  await until("it is replaced", async () => {
    const pods = await cluster.readyPods("registry");
    return pods.length === 1 && pods[0].metadata.uid !== pod.metadata.uid;
  }, 90_000);
  const after = await until("it answers", () => rollout.counted());
  assertTrue(after.canary >= before.canary && after.stable >= before.stable, "counts were lost");
  await rollout.goesOn(after);
  assertNoFailure(world);
  return `${before.stable + before.canary} counted before, ${after.stable + after.canary} after`;
}
