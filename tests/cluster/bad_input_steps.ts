/** What is refused, and what a broken part of the whole looks like. */
import {
  assertEquals,
  assertIncludes,
  assertTrue,
  freePort,
  until,
} from "../../src/testing/mod.ts";
import type { Json } from "./cluster.ts";
import { deployFlags } from "./deployment_steps.ts";
import { findRollout } from "./rollout_steps.ts";
import type { StepTable } from "./step_table.ts";
import { assertNoFailure, MODEL, rollOut, type World } from "./world.ts";

export async function badInputSteps(table: StepTable, world: World): Promise<void> {
  await table.step("unknown keys", () => unknownKeys(world));
  await table.step("a version whose files are missing", () => missingFiles(world));
  await table.step("a registry that answers 500, or nothing", () => brokenRegistry(world));
  await table.step("no token, the wrong one, the narrow one", () => tokens(world));
  await table.step("an HPA without metrics is named", () => blindAutoscaler(world));
  await table.step("two controllers at once", () => twoControllers(world));
}

async function unknownKeys(world: World): Promise<string> {
  const { cluster } = world;
  const flags = [...deployFlags(world), "--set", "servin.replicas=3"];
  const before = await cluster.get("configmaps", "--selector", "serin.dev/release");
  for (const command of [["manifests", "render"], ["deploy", "plan"], ["deploy", "apply"]]) {
    const { code, stderr } = await cluster.serin([...command, ...flags]);
    assertEquals(code, 2, stderr);
    assertIncludes(stderr, "servin");
    assertIncludes(stderr, "serving");
  }
  const after = await cluster.get("configmaps", "--selector", "serin.dev/release");
  assertEquals(after.items.length, before.items.length);
  return "render, plan and apply refuse servin.replicas, exit 2, and mean serving.…";
}

/** It is registered, but nothing was ever uploaded: no replica can hold it, so it gets no traffic. */
async function missingFiles(world: World): Promise<string> {
  const { registry } = world;
  const version = await registry.register(undefined);
  const rollout = await rollOut(world, version, 60_000);
  assertEquals([rollout.phase, rollout.canaryRequests], ["rolled_back", 0], rollout.verdict);
  const object = await until("the Rollout object says so", async () => {
    const object = await findRollout(world, rollout.id);
    return object?.status.verdict === rollout.verdict && object;
  });
  assertTrue(object.status.conditions.length > 0, "it has no condition");
  assertNoFailure(world);
  return `version ${version}: ${rollout.verdict}`;
}

/** Whatever is asked of it: a clear error, exit 1, and the champion stays where it is. */
async function brokenRegistry(world: World): Promise<string> {
  const { cluster, registry } = world;
  const champion = await registry.mlflow.models.findByAlias(MODEL, "champion");
  const env = { SERIN_REGISTRY_TOKEN: "x".repeat(40) };
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, () => {
    return new Response("out of order", { status: 500 });
  });
  const address = `http://127.0.0.1:${server.addr.port}`;
  const told: string[] = [];
  for (
    const [url, word] of [[address, "500"], [`http://127.0.0.1:${freePort()}`, "Cannot reach"]]
  ) {
    const flags = ["--registry", url];
    const model = ["--model", `models:/${MODEL}/${world.first}`];
    const commands = [
      ["rollback", "--model", MODEL, ...flags],
      ["apply", ...deployFlags(world), ...model, ...flags],
    ];
    for (const command of commands) {
      const { code, stderr } = await cluster.serin(["deploy", ...command], env);
      assertEquals(code, 1, stderr);
      assertIncludes(stderr, word);
      assertIncludes(stderr, "hint: ");
    }
    told.push(word);
  }
  await server.shutdown();
  const now = await registry.mlflow.models.findByAlias(MODEL, "champion");
  assertEquals(now?.version, champion?.version);
  return `deploy rollback and apply end with 1 and say so (${told.join(", ")}); nothing moved`;
}

async function tokens(world: World): Promise<string> {
  const { cluster, registry } = world;
  const narrow = await cluster.secret("serin-tokens", "replica-token");
  const alias = { name: MODEL, alias: "champion", version: world.first };
  const move = (headers: Record<string, string>) =>
    fetch(`${registry.url}/api/2.0/mlflow/registered-models/alias`, {
      method: "POST",
      headers: { "content-type": "application/json", ...headers },
      body: JSON.stringify(alias),
    }).then(async (answer) => (await answer.body?.cancel(), answer.status));
  const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
  assertEquals(await move({}), 401);
  assertEquals(await move(bearer("x".repeat(40))), 401);
  assertEquals(await move(bearer(narrow)), 403);
  for (const path of ["/health", "/livez", "/readyz", "/metrics"]) {
    const answer = await fetch(registry.url + path);
    await answer.body?.cancel();
    assertEquals([path, answer.status], [path, 200]);
  }
  const pods = await cluster.readyPods("serving");
  const status = await fetch(`http://${pods[0].status.podIP}:8081/status`);
  await status.body?.cancel();
  assertEquals(status.status, 401);
  return "401, 401, 403 to move an alias; 401 for a pod's /status; health and /metrics are open";
}

/** Its Deployment is named wrongly: the autoscaler sees nothing, and `deploy status` says so. */
async function blindAutoscaler(world: World): Promise<string> {
  const { cluster } = world;
  const metric = {
    type: "Pods",
    pods: {
      metric: { name: "serin_inflight_requests" },
      target: { type: "AverageValue", averageValue: "4" },
    },
  };
  const hpa = await cluster.get("hpa", "serin-serving");
  const blind = [{ op: "replace", path: "/spec/metrics", value: [metric] }];
  const whole = [{ op: "replace", path: "/spec/metrics", value: hpa.spec.metrics }];
  const patch = (operations: unknown) =>
    cluster.kubectl([
      "patch",
      "hpa",
      "serin-serving",
      "--type=json",
      "--patch",
      JSON.stringify(operations),
    ]);
  await patch(blind);
  try {
    return await until("deploy status names it", async () => {
      const { code, stdout } = await cluster.serin(["deploy", "status"]);
      const line = stdout.split("\n").find((each) =>
        /serin_inflight_requests|FailedGet/.test(each)
      );
      return code === 1 && line?.trim();
    }, 60_000);
  } finally {
    await patch(whole);
  }
}

/** The second waits for the first; nothing is done twice. */
async function twoControllers(world: World): Promise<string> {
  const { cluster } = world;
  await cluster.kubectl(["scale", "deployment", "serin-controller", "--replicas", "2"]);
  await cluster.settled("deployment", "serin-controller");
  const leaders = async () => {
    const pods = await cluster.readyPods("controller");
    return await Promise.all(pods.map(async (pod: Json) => {
      const page = await (await fetch(`http://${pod.status.podIP}:8082/metrics`)).text();
      return /^serin_controller_leader(\{[^}]*\})? 1$/m.test(page) ? pod.metadata.name : undefined;
    }));
  };
  const seen = await until("one of two leads", async () => {
    const names = (await leaders()).filter((name) => name !== undefined);
    return names.length === 1 && names[0];
  }, 60_000);
  await cluster.kubectl(["delete", "pod", seen, "--wait=false"]);
  const next = await until("the other leads", async () => {
    const names = (await leaders()).filter((name) => name !== undefined && name !== seen);
    return names.length === 1 && names[0];
  }, 60_000);
  await cluster.kubectl(["scale", "deployment", "serin-controller", "--replicas", "1"]);
  await cluster.settled("deployment", "serin-controller");
  return `${seen} led alone, then ${next}`;
}
