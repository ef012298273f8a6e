/**
 * `serin deploy` from its options to what it prints, on a cluster and a registry in memory. One file: all
 * tests share the one world that is set up at its top.
 */
import { SeededRandom, SerinError } from "../core/mod.ts";
import {
  assertEquals,
  assertIncludes,
  assertSerinError,
  assertTrue,
  FakeClock,
  FakeKubernetes,
  FakeModels,
  FakeWorkloads,
} from "../testing/mod.ts";
import type { DeployAccess } from "./deploy_access.ts";
import { runApply } from "./deploy_apply_run.ts";
import { runHistory } from "./deploy_history_run.ts";
import { runPlan } from "./deploy_plan_run.ts";
import { runRollback } from "./deploy_rollback_run.ts";
import { runStatus } from "./deploy_status_run.ts";

/** One cluster and its registry, with the commands of `serin deploy` on it. */
class World {
  readonly clock = new FakeClock();
  readonly kubernetes = new FakeKubernetes({ clock: this.clock, namespace: "serin" });
  readonly workloads = new FakeWorkloads(this.kubernetes);
  readonly models = new FakeModels(this.clock);
  readonly interrupt = new AbortController();
  readonly said: string[] = [];
  readonly printed: string[] = [];
  registryError: SerinError | undefined;
  onSleep: () => void = () => {};
  readonly #access: DeployAccess = {
    cluster: () => Promise.resolve(this.kubernetes),
    registry: () =>
      this.registryError === undefined
        ? Promise.resolve(this.models)
        : Promise.reject(this.registryError),
    clock: this.clock,
    random: new SeededRandom(1),
    sleep: async (milliseconds) => {
      this.clock.advance(milliseconds);
      this.onSleep();
      await this.workloads.turn();
    },
    signal: this.interrupt.signal,
    progress: { update: () => {}, say: (text) => void this.said.push(text), end: () => {} },
  };

  constructor() {
    this.kubernetes.onRaw = () =>
      Response.json({ status: { userInfo: { username: "jane" } } }, { status: 201 });
  }

  plan(options: Record<string, unknown> = {}) {
    const all = { set: [], canary: false, forceConflicts: false, json: false, ...options };
    return runPlan(all, this.#context(), this.#access);
  }

  apply(options: Record<string, unknown> = {}) {
    const given = { set: [], canary: false, forceConflicts: false, json: false, ...options };
    return runApply({ timeoutSeconds: 60, ...given }, this.#context(), this.#access);
  }

  status(options: Record<string, unknown> = {}) {
    return runStatus({ json: false, ...options }, this.#context(), this.#access);
  }

  history(options: Record<string, unknown> = {}) {
    return runHistory({ json: false, ...options }, this.#context(), this.#access);
  }

  rollback(options: Record<string, unknown> = {}, number?: string) {
    const given = { release: false, forceConflicts: false, json: false, ...options };
    return runRollback(given, this.#context([number]), this.#access);
  }

  /** What was printed last. */
  get last(): string {
    return this.printed.at(-1) ?? "";
  }

  get json() {
    return JSON.parse(this.last);
  }

  /** Calls so far that would change something. */
  get writes(): string[] {
    return this.kubernetes.calls.filter(({ method }) => method !== "get" && method !== "list")
      .map(({ method, kind, name }) => `${method} ${kind} ${name}`);
  }

  #context(positionals: (string | undefined)[] = [undefined]) {
    return { positionals, print: (line: string) => void this.printed.push(line) };
  }
}

async function deployed(): Promise<World> {
  const world = new World();
  assertEquals(await world.apply(), 0);
  return world;
}

function live(world: World, kind: string, name: string) {
  return world.kubernetes.objects(kind).find((object) => object.metadata.name === name);
}

Deno.test("plan of a first installation: all is created, nothing is written", async () => {
  const world = new World();
  assertEquals(await world.plan(), 0);
  assertIncludes(world.last, "Namespace serin: nothing was applied there yet");
  assertIncludes(world.last, "+ create     Deployment serin/serin-serving");
  assertIncludes(world.last, "+ create     Secret serin/serin-tokens, with random tokens");
  assertEquals(world.kubernetes.objects(), []);
  await world.plan({ json: true, overlay: "production", namespace: "ml" });
  const { namespace, release, counts, objects } = world.json;
  assertEquals([namespace, release, counts.unchanged], ["ml", null, 0]);
  assertEquals(counts.create, objects.length);
});

Deno.test("apply from nothing: tokens, record, healthy; again: nothing changes", async () => {
  const world = await deployed();
  assertIncludes(world.last, "Release 1 is healthy after");
  const { data } = live(world, "Secret", "serin-tokens");
  assertEquals(Object.keys(data), ["admin-token", "replica-token", "webhook-token"]);
  assertEquals(atob(data["admin-token"]).length, 43);
  assertTrue(data["admin-token"] !== data["replica-token"], "the tokens differ");
  const everythingSaid = [...world.said, ...world.printed].join("\n");
  assertTrue(!everythingSaid.includes(atob(data["admin-token"])), "no token is told");
  assertEquals(world.kubernetes.objects("Lease"), []);

  await world.plan();
  assertIncludes(world.last, "release 1 of 2026-01-01 00:00:00Z is applied");
  assertTrue(!world.last.includes("change     "), world.last);
  assertEquals(await world.apply({ json: true }), 0);
  assertEquals([world.json.release, world.json.isNew, world.json.counts.change], [1, false, 0]);
  assertEquals(live(world, "Secret", "serin-tokens").data, data);

  const webhook = "https://hooks.example/s3cret";
  const set = [`monitoring.pageUrl=${webhook}`, `monitoring.ticketUrl=${webhook}`, "image=serin:2"];
  assertEquals(await world.apply({ set }), 0);
  await world.history();
  const kept = JSON.stringify([world.kubernetes.objects("ConfigMap"), world.printed, world.said]);
  assertTrue(!kept.includes("s3cret"), "a webhook's address is neither kept nor told");
});

Deno.test("a change is planned by its fields, applied, and gone back on", async () => {
  const world = await deployed();
  const set = ["image=serin:2", "serving.replicasMax=9"];
  await world.plan({ set });
  assertIncludes(world.last, "~ change     Deployment serin/serin-serving");
  assertIncludes(world.last, 'containers[serin].image: "serin:0.1.0" → "serin:2"');
  assertIncludes(world.last, "spec.maxReplicas: 6 → 9");
  world.clock.advance(1000);
  assertEquals(await world.apply({ set }), 0);
  assertIncludes(world.last, "Release 2 is healthy");
  assertIncludes(world.last, "changed");

  world.clock.advance(1000);
  assertEquals(await world.rollback({ release: true }), 0);
  assertIncludes(world.last, "Release 3 is release 1 again. Healthy after");
  const [container] = live(world, "Deployment", "serin-serving").spec.template.spec.containers;
  assertEquals(container.image, "serin:0.1.0");
  assertEquals(await world.rollback({ release: true, json: true }, "2"), 0);
  assertEquals([world.json.release, world.json.of], [4, 2]);

  await world.history();
  const lines = world.last.split("\n");
  assertIncludes(lines[0], "release 4  healthy");
  assertIncludes(lines[0], "by jane  rollback to release 2");
  assertIncludes(world.last, 'image: "serin:0.1.0" → "serin:2"');
  assertIncludes(world.last, "serving.replicasMax: 6 → 9");
  await world.history({ json: true });
  assertEquals(world.json.entries.map((entry: { number: number }) => entry.number), [4, 3, 2, 1]);
});

Deno.test("objects that are no longer rendered are removed, what holds data is kept", async () => {
  const world = new World();
  assertEquals(await world.apply({ set: ["training.job=true", "training.target=class"] }), 0);
  assertTrue(live(world, "Job", "serin-train-once"), "the Job is there");
  await world.plan();
  assertIncludes(world.last, "- remove     Job serin/serin-train-once");
  assertEquals(await world.apply(), 0);
  assertEquals(live(world, "Job", "serin-train-once"), undefined);
  assertIncludes(world.said.join("\n"), "Job serin/serin-train-once was removed");

  const store = live(world, "ConfigMap", "serin-release-2");
  assertTrue(store.immutable, "a release cannot be changed");
});

Deno.test("retraining on a Secret of before: the token that it lacks is planned, added and told", async () => {
  const world = await deployed(), set = ["retrain.enabled=true"];
  const metadata = { name: "serin-retrain", namespace: "serin" };
  await world.kubernetes.create({ apiVersion: "v1", kind: "ConfigMap", metadata });
  const { data: { "webhook-token": _, ...data }, ...secret } = live(
    world,
    "Secret",
    "serin-tokens",
  );
  await world.kubernetes.replace({ ...secret, data });

  assertEquals(await world.apply(), 0);
  assertEquals(live(world, "Secret", "serin-tokens").data, data);
  assertEquals(await world.plan({ set }), 0);
  assertIncludes(
    world.last,
    "~ change     Secret serin/serin-tokens\n    + data.webhook-token: a random token\n",
  );
  await world.plan({ set, json: true });
  assertEquals([world.json.makesTokens, world.json.addsTokens], [false, ["webhook-token"]]);
  assertEquals(live(world, "Secret", "serin-tokens").data, data);

  assertEquals(await world.apply({ set }), 0);
  assertIncludes(world.said.join("\n"), "Secret serin-tokens got a random webhook-token");
  const { "webhook-token": added, ...rest } = live(world, "Secret", "serin-tokens").data;
  assertEquals([rest, atob(added).length], [data, 43]);
  const everythingSaid = [...world.said, ...world.printed].join("\n");
  assertTrue(!everythingSaid.includes(atob(added)), "no token is told");
  await world.plan({ set });
  assertTrue(!world.last.includes("serin-tokens"), world.last);
});

Deno.test("retraining goes on and off again: its data and its configuration stay", async () => {
  const world = await deployed(), set = ["retrain.enabled=true"];
  const before = JSON.stringify(world.kubernetes.objects());
  assertEquals(await world.plan({ set }), 1);
  assertIncludes(world.last, "! refused    Deployment serin/serin-retrain: its pods mount");
  await assertSerinError(
    () => world.apply({ set }),
    "invalid_input",
    "Nothing was applied: 1 of 28 objects are refused",
    "ConfigMap serin-retrain, which is not there",
    "kubectl create configmap serin-retrain --namespace serin --from-file=retrain.yaml",
  );
  const withoutLease = world.kubernetes.objects().filter(({ kind }) => kind !== "Lease");
  assertEquals(JSON.stringify(withoutLease), before);

  const config = { name: "serin-retrain", namespace: "serin" };
  const data = { "retrain.yaml": "models: []\n" };
  await world.kubernetes.create({ apiVersion: "v1", kind: "ConfigMap", metadata: config, data });
  assertEquals(await world.apply({ set }), 0);
  const serving = () => live(world, "Deployment", "serin-serving").spec.template.spec;
  assertTrue(serving().containers[0].command.includes("--prediction-log-to"), "replicas send");

  await world.plan();
  assertIncludes(world.last, "- remove     Deployment serin/serin-retrain");
  assertIncludes(
    world.last,
    "= keep       PersistentVolumeClaim serin/serin-retrain-data: its data would be deleted",
  );
  assertEquals(await world.apply(), 0);
  assertTrue(!serving().containers[0].command.includes("--prediction-log-to"), "they do not");
  assertEquals(live(world, "Deployment", "serin-retrain"), undefined);
  assertTrue(live(world, "PersistentVolumeClaim", "serin-retrain-data"), "what was logged stays");
  assertEquals(live(world, "ConfigMap", "serin-retrain").data, data);
  assertEquals(await world.apply({ set, json: true }), 0);
  assertEquals([world.json.counts.create, world.json.counts.keep], [4, 0]);
});

Deno.test("without a namespace a ConfigMap cannot be made: that comes first", async () => {
  const world = new World();
  assertEquals(await world.plan({ set: ["retrain.enabled=true"] }), 1);
  assertIncludes(world.last, "hint: kubectl create namespace serin, then make it: kubectl create");
});

Deno.test("an object that is refused: nothing is written, manager and field are named", async () => {
  const world = await deployed();
  const deployment = live(world, "Deployment", "serin-serving");
  const [container] = deployment.spec.template.spec.containers;
  container.image = "hand:1";
  await world.kubernetes.replace(deployment, { fieldManager: "kubectl-edit" });
  assertEquals(await world.plan({ set: ["image=serin:2"] }), 1);
  assertIncludes(world.last, "! refused    Deployment serin/serin-serving");
  assertIncludes(world.last, '"kubectl-edit" manages');
  assertIncludes(world.last, "--force-conflicts");
  const before = JSON.stringify(world.kubernetes.objects());
  await assertSerinError(
    () => world.apply({ set: ["image=serin:2"] }),
    "invalid_input",
    "Nothing was applied: 1 of 23 objects are refused",
    'Deployment serin/serin-serving: Cannot apply serin-serving: "kubectl-edit" manages',
    "containers",
  );
  const after = world.kubernetes.objects().filter(({ kind }) => kind !== "Lease");
  assertEquals(JSON.stringify(after), before);
  assertEquals(await world.apply({ set: ["image=serin:2"], forceConflicts: true }), 0);
});

Deno.test("a kind that the cluster does not have is told before anything is written", async () => {
  const world = new World();
  await assertSerinError(
    () => world.apply({ set: ["monitoring.monitors=true"] }),
    "invalid_input",
    "The cluster has no kind ServiceMonitor",
  );
  assertEquals(world.kubernetes.objects(), []);
});

Deno.test("pods that crash: the reason is told at once, the way back is named", async () => {
  const world = await deployed();
  world.workloads.fault = ({ kind }) => kind === "Deployment" ? CRASHING : undefined;
  const started = world.clock.monotonic();
  const error = await assertSerinError(
    () => world.apply({ set: ["image=serin:2"], timeoutSeconds: 600 }),
    "not_ready",
    "Release 2 is applied, but not healthy",
    "Deployment serin/serin-serving",
    "exit code 1: error: cannot read model",
    "`serin deploy rollback --release 1` goes back to release 1",
  );
  assertTrue(world.clock.monotonic() - started < 20_000, "long before the time-out");
  assertEquals(error.exit, 1);
  assertIncludes(world.said.join("\n"), "CrashLoopBackOff, 3 restarts");
  assertEquals(await world.status(), 1);
  assertIncludes(world.last, "release 2 is marked failed");
  world.workloads.fault = () => undefined;
  assertEquals(await world.rollback({ release: true }), 0);
  assertEquals(await world.status(), 0);
  assertIncludes(world.last, "All is well.");
});

const CRASHING = {
  phase: "Running",
  conditions: [{ type: "PodScheduled", status: "True" }, { type: "Ready", status: "False" }],
  containerStatuses: [{
    name: "serin",
    ready: false,
    restartCount: 3,
    state: { waiting: { reason: "CrashLoopBackOff", message: "back-off 40s" } },
    lastState: {
      terminated: { exitCode: 1, reason: "Error", message: "error: cannot read model\n" },
    },
  }],
};

Deno.test("a broken StatefulSet does not hold the way back up", async () => {
  const world = await deployed();
  world.workloads.fault = ({ kind }) => kind === "StatefulSet" ? CRASHING : undefined;
  await assertSerinError(
    () => world.apply({ set: ["image=serin:2"] }),
    "not_ready",
    "serin-registry",
  );
  world.workloads.fault = () => undefined;
  assertEquals(await world.rollback({ release: true }), 0);
  assertIncludes(world.said.join("\n"), "pod serin-registry-0 of the template before was deleted");
});

Deno.test("time runs out: what is missing, without a release to go back to", async () => {
  const world = new World();
  world.workloads.fault = ({ metadata: { name } }) =>
    name === "serin-controller" ? { phase: "Pending", conditions: [] } : undefined;
  await assertSerinError(
    () => world.apply({ timeoutSeconds: 30 }),
    "timeout",
    "not healthy within 30 s",
    "Deployment serin/serin-controller: 0 of 1 pods available",
    "`kubectl delete namespace serin` removes everything",
  );
});

Deno.test("an object that fails after its dry run: how far it went", async () => {
  const world = await deployed();
  let dryRuns = 0;
  world.kubernetes.before = ({ method, kind, name }) => {
    if (method !== "apply" || kind !== "Service" || name !== "serin-serving") return;
    if (++dryRuns > 1) throw new SerinError("unavailable", "the API server is gone");
  };
  await assertSerinError(
    () => world.apply({ set: ["image=serin:2"] }),
    "unavailable",
    "Release 2 was applied in part",
    "the API server is gone",
    "rollback --release 1",
  );
});

Deno.test("an API server that is away for a moment does not leave a release half applied", async () => {
  const world = await deployed();
  const started = world.clock.monotonic();
  let dryRuns = 0;
  world.kubernetes.before = ({ method, kind }) => {
    if (method !== "apply" || kind !== "StatefulSet" || ++dryRuns === 1) return;
    if (world.clock.monotonic() - started > 40_000) return;
    const lease = live(world, "Lease", "serin-deploy");
    assertIncludes(lease.spec.holderIdentity, "jane (");
    throw new SerinError("timeout", "the API server did not answer");
  };
  assertEquals(await world.apply({ set: ["image=serin:2"], timeoutSeconds: 90 }), 0);
  assertIncludes(world.last, "Release 2 is healthy");
});

Deno.test("an object that is refused after its dry run: what to do, and the way back", async () => {
  const world = await deployed();
  let dryRuns = 0;
  world.kubernetes.before = ({ method, kind }) => {
    if (method !== "apply" || kind !== "CronJob" || ++dryRuns === 1) return;
    throw new SerinError("permission_denied", "no", { hint: "a Role must allow it" });
  };
  await assertSerinError(
    () => world.apply({ set: ["image=serin:2"] }),
    "permission_denied",
    "applied in part",
    "a Role must allow it; `serin deploy rollback --release 1`",
  );
});

Deno.test("one who was taken for dead writes nothing more", async () => {
  const world = await deployed();
  let dryRuns = 0;
  world.kubernetes.before = ({ method, kind }) => {
    if (method !== "apply" || kind !== "StatefulSet" || ++dryRuns === 1) return;
    world.clock.advance(31_000);
    const lease = live(world, "Lease", "serin-deploy");
    world.kubernetes.before = () => {};
    void world.kubernetes.replace({ ...lease, spec: { ...lease.spec, holderIdentity: "joe (1)" } });
  };
  await assertSerinError(
    () => world.apply({ set: ["image=serin:2"] }),
    "conflict",
    "Another `serin deploy` is under way in this namespace: joe (1) holds the Lease",
  );
  const [container] = live(world, "Deployment", "serin-serving").spec.template.spec.containers;
  assertEquals(container.image, "serin:0.1.0");
});

Deno.test("a namespace that is being deleted takes nothing", async () => {
  const world = await deployed();
  const namespace = live(world, "Namespace", "serin");
  const metadata = { ...namespace.metadata, deletionTimestamp: "2026-01-01T00:00:00Z" };
  await world.kubernetes.replace({ ...namespace, metadata });
  const writes = world.writes.length;
  await assertSerinError(
    () => world.apply({ set: ["image=serin:2"] }),
    "not_ready",
    "Nothing was applied: namespace serin is being deleted",
    "kubectl get namespace serin",
  );
  assertEquals(world.writes.length, writes);
});

Deno.test("two at once: the second names the first; a holder that died is waited out", async () => {
  const world = await deployed();
  await world.kubernetes.create({
    apiVersion: "coordination.k8s.io/v1",
    kind: "Lease",
    metadata: { name: "serin-deploy", namespace: "serin" },
    spec: {
      holderIdentity: "joe (123456789abc)",
      leaseDurationSeconds: 30,
      acquireTime: new Date(world.clock.now() - 5000).toISOString(),
      renewTime: new Date(world.clock.now()).toISOString(),
    },
  });
  await assertSerinError(
    () => world.apply({ set: ["image=serin:2"] }),
    "conflict",
    "joe (123456789abc) holds the Lease serin-deploy, for 5.0 s",
  );
  assertEquals(live(world, "ConfigMap", "serin-release-2"), undefined);
  world.clock.advance(30_000);
  assertEquals(await world.apply({ set: ["image=serin:2"] }), 0);
});

Deno.test("Ctrl-C while it waits: the apply stands", async () => {
  const world = await deployed();
  world.onSleep = () => world.interrupt.abort();
  assertEquals(await world.apply({ set: ["image=serin:2"] }), 130);
  assertIncludes(world.last, "Interrupted: release 2 is applied and goes on by itself");
  assertEquals(world.kubernetes.objects("Lease"), []);
});

Deno.test("Ctrl-C before the first write: nothing was applied", async () => {
  const world = await deployed();
  world.interrupt.abort();
  await assertSerinError(() => world.apply({ set: ["image=serin:2"] }), "not_ready", "nothing was");
  assertEquals(live(world, "ConfigMap", "serin-release-2"), undefined);
});

Deno.test("a version becomes champion in every replica", async () => {
  const world = await deployed();
  world.models.register("iris", "1", "2");
  await world.plan({ model: "models:/iris/1" });
  assertIncludes(world.last, "iris champion: none → 1: replicas begin to serve version 1");
  assertEquals(await world.apply({ model: "models:/iris/1" }), 0);
  assertIncludes(world.last, "iris version 1 is the champion, warm in every live replica");
  assertEquals(await world.apply({ model: "models:/iris/1" }), 0);
  assertEquals(world.models.moves.iris.length, 1);
  assertEquals(await world.apply({ model: "models:/iris/2", json: true }), 0);
  assertEquals([world.json.model.from, world.json.model.to], ["1", "2"]);
});

Deno.test("a canary begins a rollout, whose id is told", async () => {
  const world = await deployed();
  world.models.register("iris", "1", "2");
  const canary = { model: "models:/iris/2", canary: true };
  await assertSerinError(() => world.apply(canary), "invalid_input", "has no champion");
  await world.models.setAlias("iris", "champion", "1");
  await assertSerinError(
    () => world.apply({ ...canary, model: "models:/iris/1" }),
    "invalid_input",
    "is the champion itself",
  );
  assertEquals(await world.apply(canary), 0);
  assertIncludes(world.last, "iris version 2 is the challenger: rollout r1 runs");
  await world.plan(canary);
  assertIncludes(world.last, "rollout r1 of version 2 against 1 runs already");
  assertEquals(await world.status(), 0);
  assertIncludes(world.last, "1 → 2");
});

Deno.test("a version that is missing is told before anything is written", async () => {
  const world = await deployed();
  world.models.register("iris", "1");
  for (
    const [model, ...parts] of [
      ["models:/iris/9", "There is no version 9 of iris"],
      ["models:/iriss/1", 'There is no registered model "iriss"', 'did you mean "iris"?'],
    ]
  ) {
    const run = () => world.apply({ model, set: ["image=serin:2"] });
    await assertSerinError(run, "not_found", "Nothing was applied", ...parts);
  }
  assertEquals(live(world, "ConfigMap", "serin-release-2"), undefined);
  assertEquals(await world.plan({ model: "models:/iris/9" }), 1);
  assertIncludes(world.last, "! model      cannot deploy models:/iris/9: There is no version 9");
  for (const model of ["models:/iris@champion", "folder"]) {
    await assertSerinError(() => world.apply({ model }), "usage", "must be models:/NAME/VERSION");
  }
  await assertSerinError(() => world.apply({ canary: true }), "usage", "--canary needs --model");
});

Deno.test("a version that its gate refused is not deployed, unless a person says why", async () => {
  const world = new World();
  world.models.register("iris", "1", "2");
  world.models.refused["2"] = undefined;
  assertEquals(await world.apply({ model: "models:/iris/1" }), 0);
  for (const canary of [true, false]) {
    const wanted = { model: "models:/iris/2", canary };
    await assertSerinError(() => world.apply(wanted), "refused", "auc 0.71 is too low");
    await world.plan(wanted);
    assertIncludes(
      world.last,
      "! model      cannot deploy models:/iris/2: Version 2 of iris may not",
    );
  }
  assertEquals(world.models.aliases.iris, { champion: "1" });
  assertEquals(await world.apply({ model: "models:/iris/2", force: "outage 7" }), 0);
  assertEquals([world.models.aliases.iris.champion, world.models.refused["2"]], ["2", "outage 7"]);
  await assertSerinError(() => world.apply({ force: "x" }), "usage", "--force needs --model");
});

Deno.test("a version that replicas cannot run is taken back", async () => {
  const world = await deployed();
  world.models.register("iris", "1", "2");
  await world.models.setAlias("iris", "champion", "1");
  world.models.errors = { 2: "the operator Foo is not known" };
  await assertSerinError(
    () => world.apply({ model: "models:/iris/2" }),
    "invalid_model",
    "replica serving-a: the operator Foo is not known",
    "the champion is version 1 again",
  );
  assertEquals(world.models.aliases.iris.champion, "1");
  const { models } = world, setAlias = models.setAlias.bind(models);
  models.setAlias = async (model, alias, version) => {
    if (version === "1") throw new SerinError("permission_denied", "no longer an admin");
    await setAlias(model, alias, version);
  };
  await assertSerinError(
    () => world.apply({ model: "models:/iris/2" }),
    "invalid_model",
    "it is the champion still, for going back failed: no longer an admin",
    "serin deploy rollback --model iris",
  );
});

Deno.test("replicas that do not follow in time: which, and the way back", async () => {
  const world = await deployed();
  world.models.register("iris", "1", "2");
  await world.models.setAlias("iris", "champion", "1");
  world.models.slow = ["2"];
  await assertSerinError(
    () => world.apply({ model: "models:/iris/2", timeoutSeconds: 5 }),
    "timeout",
    "served by 0 of 2 replicas: serving-a is loading it, serving-b is loading it",
    "serin deploy rollback --model iris",
  );
});

Deno.test("rollback of a model: the version before, its rollout ended, within seconds", async () => {
  const world = await deployed();
  world.models.register("iris", "1", "2", "3");
  await assertSerinError(() => world.rollback(), "not_found", "it never had a champion");
  await world.models.setAlias("iris", "champion", "1");
  await assertSerinError(() => world.rollback(), "not_found", "version 1 is the only one");
  await world.models.setAlias("iris", "champion", "2");
  await world.models.setAlias("iris", "challenger", "3");
  assertEquals(await world.rollback(), 0);
  assertEquals(world.models.aborted, ["r1"]);
  assertEquals(
    world.last,
    "Rollout r1 is aborted.\nEvery live replica serves iris version 1, instead of 2, after 0.0 s.",
  );
  assertEquals(await world.rollback({ to: "3", json: true }), 0);
  assertEquals([world.json.from, world.json.to, world.json.model], ["1", "3", "iris"]);
  // What was deleted is passed over.
  world.models.versions.iris = ["2", "3"];
  assertEquals(await world.rollback({ model: "iris" }), 0);
  assertIncludes(world.last, "version 2, instead of 3");
  await world.history();
  assertIncludes(world.last, "champion of iris  3 → 2  api");
});

Deno.test("an inconclusive rollout is not waited for: a person decides it", async () => {
  const world = await deployed();
  world.models.register("iris", "1", "2");
  await world.models.setAlias("iris", "champion", "1");
  await world.models.setAlias("iris", "challenger", "2");
  world.models.rollouts[0] = { ...world.models.rollouts[0], phase: "inconclusive" };
  await assertSerinError(
    () => world.apply({ model: "models:/iris/2", canary: true }),
    "conflict",
    "Nothing was applied",
    "its rollout r1 is inconclusive",
    "serin canary abort r1",
  );
});

Deno.test("replicas of another Deployment are not waited for", async () => {
  const world = await deployed();
  world.models.register("iris", "1", "2");
  await world.models.setAlias("iris", "champion", "1");
  const list = world.models.listReplicas.bind(world.models);
  world.models.listReplicas = async () => {
    const [one] = await list();
    return [one, { ...one, replica: "wines", models: [{ ...one.models[0], model: "wine" }] }];
  };
  assertEquals(await world.apply({ model: "models:/iris/2" }), 0);
  assertEquals(await world.rollback({ model: "iris" }), 0);
});

Deno.test("rollback: a registry that is away for a moment, a canary that is promoted meanwhile", async () => {
  const world = await deployed();
  world.models.register("iris", "1", "2", "3");
  await world.models.setAlias("iris", "champion", "1");
  await world.models.setAlias("iris", "champion", "2");
  await world.models.setAlias("iris", "challenger", "3");
  const { models } = world, setAlias = models.setAlias.bind(models);
  let calls = 0;
  models.setAlias = async (...given) => {
    if (++calls < 4) throw new SerinError("unavailable", "the registry is being restarted");
    await setAlias(...given);
  };
  models.abortRollout = () => {
    models.aliases.iris.champion = "3";
    return Promise.reject(new SerinError("conflict", "it was promoted"));
  };
  assertEquals(await world.rollback({ to: "2", json: true }), 0);
  assertEquals([world.json.from, world.json.to, models.aliases.iris.champion], ["3", "2", "2"]);
});

Deno.test("rollback: several models, none, replicas that do not follow, wrong options", async () => {
  const world = await deployed();
  await assertSerinError(() => world.rollback(), "not_found", "no model is registered");
  world.models.register("iris", "1", "2");
  world.models.register("wine", "1");
  await assertSerinError(() => world.rollback(), "usage", "The registry has 2: iris, wine");
  await assertSerinError(() => world.rollback({ model: "irs" }), "not_found", 'mean "iris"');
  await world.models.setAlias("iris", "champion", "1");
  await world.models.setAlias("iris", "champion", "2");
  world.models.slow = ["1"];
  await assertSerinError(
    () => world.rollback({ model: "iris" }),
    "timeout",
    "Version 1 of iris is the champion, but not every replica serves it after 10 s",
  );
  const both = { release: true, model: "iris" };
  await assertSerinError(() => world.rollback(both), "usage", "--release does not go together");
  await assertSerinError(() => world.rollback({}, "3"), "usage", "goes with --release");
  await assertSerinError(() => world.rollback({ release: true }, "x"), "usage", "is no number");
  await assertSerinError(
    () => world.rollback({ forceConflicts: true }),
    "usage",
    "--force-conflicts",
  );
});

Deno.test("rollback of a release: nothing to go back to, no such number", async () => {
  const world = new World();
  await assertSerinError(
    () => world.rollback({ release: true }),
    "not_found",
    "nothing was applied",
  );
  await world.apply();
  await assertSerinError(
    () => world.rollback({ release: true }),
    "not_found",
    "no healthy release before release 1",
  );
  await assertSerinError(() => world.rollback({ release: true }, "7"), "not_found", "there are 1");
});

Deno.test("status: nothing there, no registry, an autoscaler without metrics", async () => {
  const empty = new World();
  assertEquals(await empty.status(), 1);
  assertIncludes(empty.last, "nothing of serin runs in namespace serin");

  const world = await deployed();
  world.registryError = new SerinError("unavailable", "Cannot reach http://r: no answer");
  assertEquals(await world.status({ json: true }), 1);
  assertEquals(world.json.problems, ["the registry: Cannot reach http://r: no answer"]);
  assertEquals(await world.history(), 1);
  assertIncludes(world.said.join("\n"), "champions are missing: Cannot reach");
  world.registryError = undefined;

  const scaler = live(world, "HorizontalPodAutoscaler", "serin-serving");
  const message = "unable to get metrics for resource cpu: no metrics returned";
  const condition = { type: "ScalingActive", status: "False", reason: "FailedGetResourceMetric" };
  await world.kubernetes.replace(
    { ...scaler, status: { currentReplicas: 2, conditions: [{ ...condition, message }] } },
    { subresource: "status" },
  );
  assertEquals(await world.status(), 1);
  assertIncludes(world.last, `HorizontalPodAutoscaler serin-serving: FailedGetResourceMetric`);
  assertEquals(await world.apply(), 0);
  assertIncludes(
    world.said.at(-1) ?? "",
    `does not scale yet: FailedGetResourceMetric: ${message}`,
  );
});

Deno.test("ten releases are kept", async () => {
  const world = new World();
  for (let i = 1; i <= 12; i++) assertEquals(await world.apply({ set: [`image=serin:${i}`] }), 0);
  await world.history({ json: true });
  const numbers = world.json.entries.map((entry: { number: number }) => entry.number);
  assertEquals(numbers, [12, 11, 10, 9, 8, 7, 6, 5, 4, 3]);
});

Deno.test("--keep-settings starts from the newest healthy release, its image and overlay included", async () => {
  const world = new World();
  const nothing = await assertSerinError(
    () => world.plan({ keepSettings: true }),
    "not_found",
    "no healthy release",
  );
  assertIncludes(nothing.hint ?? "", "--overlay");
  const image = "registry.example/serin:7";
  await world.apply({ overlay: "dev", set: [`image=${image}`, "serving.replicasMin=2"] });
  await world.apply({ keepSettings: true, set: ["serving.replicasMax=5"] });
  // deno-lint-ignore no-explicit-any -- as Kubernetes has them
  const scaling = live(world, "HorizontalPodAutoscaler", "serin-serving") as any;
  assertEquals([scaling.spec.minReplicas, scaling.spec.maxReplicas], [2, 5]);
  // deno-lint-ignore no-explicit-any -- as Kubernetes has them
  const serving = live(world, "Deployment", "serin-serving") as any;
  assertEquals(serving.spec.template.spec.containers[0].image, image);
  // deno-lint-ignore no-explicit-any -- as Kubernetes has them
  const record = live(world, "ConfigMap", "serin-release-2") as any;
  assertEquals(JSON.parse(record.data["release.json"]).overlay, "dev");
  // Nothing is left to change: the record holds all that was rendered from.
  await world.plan({ keepSettings: true, json: true });
  assertEquals(world.json.counts.unchanged, world.json.objects.length);
  await assertSerinError(
    () => world.apply({ keepSettings: true, overlay: "dev" }),
    "usage",
    "in the place of --overlay",
  );
});
