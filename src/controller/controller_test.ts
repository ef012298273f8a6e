import { openLog, SeededRandom, SerinError } from "../core/mod.ts";
import type { KubernetesObject } from "../kubernetes/mod.ts";
import {
  assertEquals,
  assertIncludes,
  assertTrue,
  FakeClock,
  FakeKubernetes,
  FakeRegistryPort,
  rolloutDetail,
} from "../testing/mod.ts";
import { Controller, type Part } from "./mod.ts";

/** A controller over fakes; its sources are what the fake API server has at the moment. */
function openFakes(shared: { api?: FakeKubernetes; registry?: FakeRegistryPort } = {}) {
  const clock = new FakeClock();
  const api = shared.api ?? new FakeKubernetes({ clock });
  const registry = shared.registry ?? new FakeRegistryPort();
  const lines: string[] = [];
  const lease = {
    held: true,
    isHeld: () => lease.held,
    holder: () => "x",
    problem: () => undefined,
  };
  const problems = new Map<Part, SerinError>();
  const slept = { onSleep: (_milliseconds: number, _signal?: AbortSignal) => {} };
  const source = (part: Part, kind: string) => ({
    objects: () => api.objects(kind),
    isListed: () => true,
    problem: () => problems.get(part),
  });
  const controller = new Controller({
    client: api,
    registry,
    lease,
    sources: {
      rollouts: source("rollouts", "Rollout"),
      deployments: source("deployments", "Deployment"),
      training: source("training", "Job"),
    },
    clock,
    random: new SeededRandom(1),
    sleep: (milliseconds, signal) => Promise.resolve(slept.onSleep(milliseconds, signal)),
    log: openLog({ write: (line) => lines.push(line.replace(/^\S+ /, "")) }),
    deployment: "serin-serving",
    intervalMs: 1000,
  });
  /** So many looks, with so much time between them. */
  const look = async (times = 1, milliseconds = 1000) => {
    for (let i = 0; i < times; i++) {
      await controller.reconcile();
      clock.advance(milliseconds);
    }
  };
  return { api, registry, clock, controller, lease, lines, look, problems, slept };
}

function deployment(name: string, annotated = true): KubernetesObject {
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name, annotations: annotated ? { "serin.dev/models": "registry" } : {} },
    spec: { template: { spec: { containers: [{ name: "serin", image: "i" }] } } },
  };
}

const CRON_JOB: KubernetesObject = {
  apiVersion: "batch/v1",
  kind: "CronJob",
  metadata: { name: "serin-train" },
  spec: {
    jobTemplate: {
      metadata: { labels: { "app.kubernetes.io/component": "training" } },
      spec: {
        backoffLimit: 1,
        template: { spec: { containers: [{ name: "serin", args: ["--data", "/data/x.csv"] }] } },
      },
    },
  },
};

// deno-lint-ignore no-explicit-any
const argsOf = (object: any) =>
  (object.spec.jobTemplate ?? object.spec).template.spec.containers[0].args;
const served = (api: FakeKubernetes, name = "serin-serving") =>
  (argsOf(api.objects("Deployment").find(({ metadata }) => metadata.name === name)) ?? [])
    .filter((arg: string) => arg !== "--model");
const statusTag = (registry: FakeRegistryPort, model = "iris") =>
  JSON.parse(registry.models.get(model)!.tags["serin.training_status"] ?? "null");

Deno.test("Deployments serve the champions; sorted, by tag elsewhere or nowhere, names encoded", async () => {
  const { api, registry, look, lines } = openFakes();
  for (const name of ["serin-serving", "other"]) await api.create(deployment(name));
  await api.create(deployment("foreign", false));
  registry.put("iris");
  registry.put("A model/$(X)");
  registry.put("hidden", { "serin.serving": "none" });
  registry.put("elsewhere", { "serin.serving": "other" });
  registry.put("lost", { "serin.serving": "othr" });
  registry.put("draft", {}, "");
  await look();
  const weird = "models:/A%20model%2F%24(X)@champion";
  assertEquals(served(api), [weird, "models:/iris@champion"]);
  assertEquals(served(api, "other"), ["models:/elsewhere@champion"]);
  assertEquals(served(api, "foreign"), []);
  assertTrue(lines.some((line) => line.includes("Deployment othr should serve")), lines.join("\n"));
  const writes = api.calls.length;
  await look(5);
  assertEquals(api.calls.length, writes, "nothing more is written");
  // Somebody else's edit is put right.
  await api.patch({ ...deployment("other"), name: "other" } as never, {
    spec: { template: { spec: { containers: [{ name: "serin", image: "i", args: ["--x"] }] } } },
  });
  await look();
  assertEquals(served(api, "other"), ["models:/elsewhere@champion"]);
});

Deno.test("a model leaves when that is confirmed; the last one later; never by an error", async () => {
  const { api, registry, look, lines } = openFakes();
  await api.create(deployment("serin-serving"));
  registry.put("a");
  registry.put("b");
  await look();
  registry.models.delete("b");
  await look(4);
  assertEquals(served(api).length, 2);
  registry.failure = new SerinError("unavailable", "answered 500");
  await look(100);
  assertEquals(served(api).length, 2, "an outage confirms nothing");
  registry.failure = undefined;
  await look(6);
  registry.models.clear();
  await look(300);
  assertEquals(served(api), ["models:/a@champion"], "a registry without any model has lost them");
  assertIncludes(lines.join("\n"), "it has no model at all");
  registry.put("a", {}, "");
  await look(59);
  assertEquals(served(api), ["models:/a@champion"]);
  assertIncludes(lines.join("\n"), "served on until that is confirmed");
  await look(3);
  assertEquals(served(api), []);
  assertEquals(lines.filter((line) => line.includes("answered 500")).length, 1, "said once");
});

Deno.test("Rollout objects: spec, status, conditions, events; edits and deletions are put right", async () => {
  const { api, registry, look, clock } = openFakes();
  registry.rollouts = [rolloutDetail({ id: "r1", model: "My model" })];
  await look();
  const [made] = api.objects("Rollout");
  assertTrue(/^my-model-[0-9a-f]{8}-r1$/.test(made.metadata.name), made.metadata.name);
  assertEquals(
    [made.spec.model, made.spec.rollout, made.status.phase, made.status.step, made.status.share],
    ["My model", "r1", "ramp", 1, "5 %"],
  );
  assertEquals(made.status.metrics[0].ratio, "1.8 (1.1 to ∞)");
  const state = () => {
    const { conditions } = api.objects("Rollout")[0].status;
    // deno-lint-ignore no-explicit-any
    return conditions.map((one: any) => `${one.type} ${one.status}`).join(", ");
  };
  assertEquals(
    state(),
    "Progressing True, Promoted False, RolledBack False, RegistryReachable True",
  );
  const reasons = () => api.objects("Event").map(({ reason }) => reason).toSorted();
  assertEquals(reasons(), ["RolloutStarted", "StepChanged"]);
  const ref = { apiVersion: "serin.dev/v1alpha1", kind: "Rollout", name: made.metadata.name };
  await api.patch(ref, { spec: { canary: "9", note: "x" }, metadata: { labels: null } });
  await api.patch(ref, { status: { phase: "promoted" } }, { subresource: "status" });
  await look();
  const [right] = api.objects("Rollout");
  assertEquals([right.spec, right.metadata.labels, right.status.phase], [
    made.spec,
    made.metadata.labels,
    "ramp",
  ]);
  await api.delete(ref);
  await look();
  assertEquals(api.objects("Rollout").length, 1);
  const verdict = "rolled back after 40 requests";
  registry.rollouts = [rolloutDetail({
    ...registry.rollouts[0],
    phase: "rolled_back",
    endedAt: clock.now(),
    verdict,
  })];
  await look();
  assertEquals(
    state(),
    "Progressing False, Promoted False, RolledBack True, RegistryReachable True",
  );
  const event = api.objects("Event").find(({ reason }) => reason === "RolledBack");
  assertEquals([event.type, event.message], ["Warning", verdict]);
  const calls = api.calls.length, asked = registry.calls;
  await look(3);
  assertEquals([api.calls.length, registry.calls], [calls, asked + 6], "what has ended is at rest");
});

Deno.test("numbers alone are written every few seconds, steps at once", async () => {
  const { api, registry, look } = openFakes();
  const writes = () => api.calls.filter(({ method }) => method === "apply").length;
  const show = (canaryRequests: number, step = 0) => {
    registry.rollouts = [
      rolloutDetail({ id: "r1", canaryRequests, step, verdict: `${canaryRequests}` }),
    ];
  };
  show(1);
  await look();
  const first = writes();
  for (let n = 2; n < 6; n++) {
    show(n);
    await look();
  }
  assertEquals(writes(), first);
  show(6, 1);
  await look();
  assertEquals([writes(), api.objects("Rollout")[0].status.step], [first + 1, 2]);
});

Deno.test("the newest 20 ended rollouts keep an object", async () => {
  const { api, registry, look } = openFakes();
  registry.rollouts = Array.from(
    { length: 30 },
    (_, i) => rolloutDetail({ id: `r${i}`, phase: "promoted", endedAt: 1000 * i, startedAt: i }),
  );
  registry.rollouts.push(rolloutDetail({ id: "running" }));
  await look();
  assertEquals(api.objects("Rollout").length, 21);
  assertEquals(api.objects("Event").length, 2, "what is long past makes no events");
  registry.rollouts = registry.rollouts.slice(10);
  registry.rollouts.push(rolloutDetail({ id: "new", phase: "aborted", endedAt: 1e9 }));
  await look();
  const names = api.objects("Rollout").map(({ spec }) => spec.rollout);
  assertEquals([names.length, names.includes("r10"), names.includes("new")], [21, false, true]);
});

Deno.test("a registry out of reach: said on running rollouts once, taken back after", async () => {
  const { api, registry, look, controller } = openFakes();
  assertEquals(controller.ready().ready, false);
  registry.rollouts = [
    rolloutDetail({ id: "r1" }),
    rolloutDetail({ id: "r2", phase: "aborted", endedAt: 1 }),
  ];
  await look();
  assertEquals(controller.ready(), { ready: true, reasons: [] });
  registry.failure = new SerinError("unavailable", "Cannot reach http://r:5000");
  await look(4);
  // deno-lint-ignore no-explicit-any
  const reachable = () => api.objects("Rollout").map(({ status }: any) => status.conditions.at(-1));
  assertEquals(reachable()[0].status, "True", "a blip is not told");
  const calls = api.calls.length;
  await look(30);
  assertEquals(reachable().map(({ status }) => status), ["False", "True"]);
  assertIncludes(reachable()[0].message, "Cannot reach http://r:5000");
  assertEquals(api.calls.length, calls + 1);
  assertEquals([controller.ready().ready, controller.stats().registryReachable], [true, false]);
  assertIncludes(controller.ready().reasons[0], "nothing is changed meanwhile");
  const since = reachable()[0].lastTransitionTime;
  registry.failure = undefined;
  await look();
  assertEquals([reachable()[0].status, reachable()[0].lastTransitionTime > since], ["True", true]);
});

const REQUEST = "serin.training_request";

Deno.test("a training request makes one Job of the CronJob's template; its end is written back", async () => {
  const { api, registry, look } = openFakes();
  const cronJob = await api.create(CRON_JOB);
  const request = { id: "one", arguments: ["--rows", "0-10", "$(HOME)"] };
  registry.put("iris", { [REQUEST]: JSON.stringify(request) });
  await look(3);
  const [job, ...others] = api.objects("Job");
  assertEquals(others, []);
  assertTrue(/^serin-train-iris-[0-9a-f]{10}$/.test(job.metadata.name), job.metadata.name);
  assertEquals(argsOf(job), [
    ...["--data", "/data/x.csv", "--rows", "0-10", "$$(HOME)", "--register", "iris"],
  ]);
  assertEquals(job.metadata.ownerReferences, [{
    apiVersion: "batch/v1",
    kind: "CronJob",
    name: "serin-train",
    uid: cronJob.metadata.uid,
  }]);
  assertEquals([job.spec.ttlSecondsAfterFinished, job.spec.backoffLimit], [86400, 1]);
  assertEquals([statusTag(registry).phase, statusTag(registry).job], [
    "running",
    job.metadata.name,
  ]);
  // A second request waits for the first one's end.
  registry.models.get("iris")!.tags[REQUEST] = '{"id": "two"}';
  await look(2);
  assertEquals([api.objects("Job").length, statusTag(registry).job], [1, ""]);
  assertIncludes(statusTag(registry).message, "waits for the Job serin-train-iris-");
  const end = (name: string, type: string, more = {}) =>
    api.patch({ apiVersion: "batch/v1", kind: "Job", name }, {
      status: { startTime: "s", conditions: [{ type, status: "True", ...more }] },
    }, { subresource: "status" });
  await end(job.metadata.name, "Complete");
  await look();
  const second = api.objects("Job").find(({ metadata }) => metadata.name !== job.metadata.name);
  await api.create({
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: "p", labels: { "batch.kubernetes.io/job-name": second.metadata.name } },
  });
  const terminated = { exitCode: 2, reason: "Error", message: "error: no column class\n" };
  await api.patch({ apiVersion: "v1", kind: "Pod", name: "p" }, {
    status: { containerStatuses: [{ name: "serin", state: { terminated } }] },
  }, { subresource: "status" });
  const more = { reason: "BackoffLimitExceeded", message: "limit", lastTransitionTime: "e" };
  await end(second.metadata.name, "Failed", more);
  await look();
  assertEquals(statusTag(registry), {
    id: "two",
    phase: "failed",
    job: second.metadata.name,
    message:
      "BackoffLimitExceeded: limit; container serin ended with 2 (Error): error: no column class",
    startedAt: "s",
    endedAt: "e",
  });
  await api.delete({ apiVersion: "batch/v1", kind: "Job", name: second.metadata.name });
  await look(3);
  assertEquals([statusTag(registry).phase, api.objects("Job").length], ["failed", 1]);
});

Deno.test("training requests that cannot be: malformed, no CronJob, a Job that is gone, a stranger's", async () => {
  const { api, registry, look } = openFakes();
  const failure = async (text: string, ...parts: string[]) => {
    registry.models.get("iris")!.tags[REQUEST] = text;
    await look(2);
    const { phase, message } = statusTag(registry);
    assertEquals(phase, "failed", message);
    for (const part of parts) assertIncludes(message, part);
  };
  registry.put("iris");
  await failure("{", "it is no JSON");
  await failure(
    '{"id": 7, "argument": []}',
    "id: ",
    '"argument" is not known: did you mean "arguments"?',
  );
  await failure(
    '{"id": "a"}',
    "there is no CronJob serin-train in namespace serin",
    "serin deploy apply",
  );
  await api.create(CRON_JOB);
  registry.models.get("iris")!.tags[REQUEST] = '{"id": "b"}';
  await look();
  const [{ metadata: { name } }] = api.objects("Job");
  await api.delete({ apiVersion: "batch/v1", kind: "Job", name });
  await failure('{"id": "b"}', "is gone, and its end was not seen");
  await api.create({ apiVersion: "batch/v1", kind: "Job", metadata: { name } });
  registry.models.get("iris")!.tags["serin.training_status"] = "nonsense";
  await failure('{"id": "b"}', "was not made for this request");
});

/** What there is in the end, without what differs from one run to the next. */
function endOf(api: FakeKubernetes, registry: FakeRegistryPort): string {
  const objects = api.objects().map((object) => {
    const { resourceVersion: _v, generation: _g, managedFields: _m, ...metadata } = object.metadata;
    const { involvedObject: _, ...rest } = object;
    return JSON.stringify({ ...rest, metadata }).replaceAll(/uid-\d+/g, "uid")
      .replaceAll(/"2026-[^"]*Z"/g, '"TIME"');
  }).toSorted();
  return JSON.stringify([objects, [...registry.models]]);
}

async function workTo(end: { stopAt?: number; answerLost?: boolean }) {
  const shared = { api: new FakeKubernetes(), registry: new FakeRegistryPort() };
  await shared.api.create(deployment("serin-serving"));
  await shared.api.create(CRON_JOB);
  for (const name of ["a", "b"]) shared.registry.put(name, { [REQUEST]: '{"id": "1"}' });
  shared.registry.rollouts = [
    rolloutDetail({ id: "r1" }),
    rolloutDetail({ id: "r2", phase: "hold", holdAt: Date.UTC(2026, 0, 1), step: 1 }),
  ];
  let calls = 0, crashed = false, process = 0;
  const crash = () => {
    if (++calls === end.stopAt) crashed = true;
    if (crashed && process === 0) throw new Error("killed");
  };
  if (end.answerLost) shared.api.after = crash;
  else {
    shared.api.before = crash;
    shared.registry.before = crash;
  }
  // Killed: what it remembered is gone, and another one goes on.
  for (; process < 2; process++) {
    const { controller, clock } = openFakes(shared);
    for (let i = 0; i < 3 && !(process === 0 && crashed); i++) {
      await controller.reconcile();
      clock.advance(60_000);
    }
  }
  return { calls, crashed, end: endOf(shared.api, shared.registry) };
}

Deno.test("killed at any call, or before any answer came: the next one ends where it would have", async () => {
  const whole = await workTo({});
  assertTrue(whole.calls > 20, `${whole.calls} calls`);
  for (const answerLost of [false, true]) {
    let stopAt = 1;
    for (;; stopAt++) {
      const cut = await workTo({ stopAt, answerLost });
      if (!cut.crashed) break;
      assertEquals(cut.end, whole.end, `stopped at call ${stopAt}, answer lost: ${answerLost}`);
    }
    assertTrue(stopAt > 10, `${stopAt} calls`);
  }
});

Deno.test("without the lease nothing is written; a lease that is lost ends it at once", async () => {
  const { api, registry, look, lease } = openFakes();
  await api.create(deployment("serin-serving"));
  await api.create(CRON_JOB);
  registry.put("iris", { [REQUEST]: '{"id": "1"}' });
  registry.rollouts = [rolloutDetail({ id: "r1" })];
  lease.held = false;
  await look(3);
  const isWrite = ({ method }: { method: string }) => !["get", "list", "watch"].includes(method);
  const writes = () => api.calls.filter(isWrite).length;
  assertEquals(writes(), 2);
  lease.held = true;
  api.before = (call) => {
    if (isWrite(call)) lease.held = false;
  };
  await look(3);
  assertEquals([writes(), registry.models.get("iris")!.tags["serin.training_status"]], [
    3,
    undefined,
  ]);
});

Deno.test("what was missing while another led is not confirmed by that", async () => {
  const { api, registry, look, lease } = openFakes();
  await api.create(deployment("serin-serving"));
  registry.put("a");
  registry.put("b");
  await look();
  registry.models.delete("b");
  await look();
  lease.held = false;
  await look(60);
  lease.held = true;
  await look();
  assertEquals(served(api).length, 2);
});

Deno.test("a change in the middle of a look is looked at soon; an end ends the pause", async () => {
  const { registry, controller, slept } = openFakes();
  const ending = new AbortController(), signals: boolean[] = [];
  slept.onSleep = (milliseconds, signal) => {
    if (milliseconds === 800) signals.push(signal?.aborted ?? false);
    if (signals.length === 3) ending.abort();
  };
  registry.before = () => {
    if (signals.length === 1) controller.wake();
    if (signals.length === 2) ending.abort();
  };
  await controller.run(ending.signal);
  assertEquals(signals, [false, true, true]);
});

Deno.test("events that may not be written do not keep the status back", async () => {
  const { api, registry, look, lines } = openFakes();
  registry.rollouts = [rolloutDetail({ id: "r1" })];
  const refusal = new SerinError("permission_denied", "Cannot create", { hint: "a Role must" });
  api.before = ({ kind }) => {
    if (kind === "Event") throw refusal;
  };
  await look();
  assertEquals(api.objects("Rollout")[0].status.phase, "ramp");
  assertIncludes(lines.join("\n"), "a Role must");
});

Deno.test("what one part lacks does not stop the others, and is tried again more rarely", async () => {
  const { api, registry, look, problems, lines, controller } = openFakes();
  await api.create(deployment("serin-serving"));
  registry.put("iris");
  registry.rollouts = [rolloutDetail({ id: "r1" })];
  problems.set(
    "rollouts",
    new SerinError("not_found", "The cluster has no kind Rollout", { hint: "apply the CRD" }),
  );
  await look(60);
  assertEquals(served(api), ["models:/iris@champion"]);
  assertEquals(controller.ready().ready, false);
  const { runs, errors } = controller.stats().parts.get("rollouts")!;
  assertTrue(runs === errors && runs > 3 && runs < 12, `${runs} tries in a minute`);
  assertEquals(lines.filter((line) => line.includes("no kind Rollout")).length, 1);
  assertIncludes(lines.join("\n"), "apply the CRD");
  problems.clear();
  await look(31);
  assertEquals(api.objects("Rollout").length, 1);
});
