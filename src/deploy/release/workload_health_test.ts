import type { KubernetesObject } from "../../kubernetes/mod.ts";
import { assertEquals } from "../../testing/mod.ts";
import { objectHealth } from "./object_health.ts";
import { describeHealth, stuckPods, type Surroundings, workloadHealth } from "./workload_health.ts";

const NOW = Date.UTC(2026, 0, 1, 12);
const LABELS = { "app.kubernetes.io/name": "serin", "app.kubernetes.io/component": "serving" };
const READY = { conditions: [{ type: "Ready", status: "True" }] };

type Fields = Record<string, unknown>;

function deployment(status: Fields, spec: Fields = {}): KubernetesObject {
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: {
      name: "serin-serving",
      uid: "d1",
      generation: 2,
      annotations: { "deployment.kubernetes.io/revision": "2" },
    },
    spec: { replicas: 2, selector: { matchLabels: LABELS }, ...spec },
    status: { observedGeneration: 2, ...status },
  };
}

function statefulSet(status: Fields, replicas = 1): KubernetesObject {
  return {
    apiVersion: "apps/v1",
    kind: "StatefulSet",
    metadata: { name: "serin-registry", uid: "s1", generation: 2 },
    spec: { replicas, selector: { matchLabels: LABELS } },
    status: { observedGeneration: 2, updateRevision: "b", currentRevision: "b", ...status },
  };
}

const replicaSets = ["1", "2"].map((revision): KubernetesObject => ({
  apiVersion: "apps/v1",
  kind: "ReplicaSet",
  metadata: {
    name: `serin-serving-${revision}`,
    uid: `rs${revision}`,
    annotations: { "deployment.kubernetes.io/revision": revision },
    ownerReferences: [
      {
        apiVersion: "apps/v1",
        kind: "Deployment",
        name: "serin-serving",
        uid: "d1",
        controller: true,
      },
    ],
  },
}));

function pod(name: string, owner: string, status: Fields): KubernetesObject {
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      name,
      uid: name,
      labels: { ...LABELS, "controller-revision-hash": owner },
      ownerReferences: [
        { apiVersion: "apps/v1", kind: "ReplicaSet", name: owner, uid: owner, controller: true },
      ],
    },
    status,
  };
}

const waiting = (reason: string, more: Fields = {}) => ({
  conditions: [{ type: "Ready", status: "False" }],
  containerStatuses: [{ name: "serin", restartCount: 0, state: { waiting: { reason } }, ...more }],
});

function around(pods: KubernetesObject[], events: KubernetesObject[] = []): Surroundings {
  return { pods, replicaSets, events, nowMs: NOW };
}

/** State and message of a workload among pods. */
function checkHealth(
  workload: KubernetesObject,
  pods: KubernetesObject[],
  state: string,
  message: string,
): void {
  const health = workloadHealth(workload, around(pods));
  assertEquals([health.state, describeHealth(health)], [state, message]);
}

Deno.test("a Deployment: seen, updated, old pods gone, available", () => {
  const all = { replicas: 2, updatedReplicas: 2, availableReplicas: 2, readyReplicas: 2 };
  const cases: [Fields, string, string][] = [
    [
      { ...all, observedGeneration: 1 },
      "progressing",
      "its controller has not seen the change yet",
    ],
    [{ ...all, updatedReplicas: 1 }, "progressing", "1 of 2 pods updated"],
    [{ ...all, replicas: 3 }, "progressing", "2 of 2 pods updated, 1 old ones left"],
    [{ ...all, availableReplicas: 1 }, "progressing", "1 of 2 pods available"],
    [all, "healthy", "2 of 2 pods available"],
    [{}, "progressing", "0 of 2 pods updated"],
  ];
  for (const [status, state, message] of cases) checkHealth(deployment(status), [], state, message);
});

Deno.test("a Deployment that its own conditions give up", () => {
  const deadline = {
    type: "Progressing",
    status: "False",
    reason: "ProgressDeadlineExceeded",
    message: 'ReplicaSet "serin-serving-2" has timed out progressing.',
  };
  checkHealth(deployment({ conditions: [deadline] }), [], "failed", deadline.message);
  const quota = {
    type: "ReplicaFailure",
    status: "True",
    reason: "FailedCreate",
    message: "exceeded quota: small",
  };
  checkHealth(
    deployment({ conditions: [quota] }),
    [],
    "failed",
    "pods cannot be made: exceeded quota: small",
  );
  checkHealth(
    deployment({}, { paused: true }),
    [],
    "failed",
    "it is paused: `kubectl rollout resume` lets it go on",
  );
});

Deno.test("only pods of the newest template explain a Deployment", () => {
  const status = { replicas: 3, updatedReplicas: 1, availableReplicas: 2 };
  checkHealth(
    deployment(status),
    [pod("old", "rs1", waiting("CrashLoopBackOff")), pod("new", "rs2", READY)],
    "progressing",
    "1 of 2 pods updated",
  );
  checkHealth(
    deployment(status),
    [pod("old", "rs1", READY), pod("new", "rs2", waiting("ImagePullBackOff"))],
    "failed",
    "1 of 2 pods updated; pod new: container serin: its image cannot be pulled (ImagePullBackOff)",
  );
  checkHealth(
    deployment(status),
    [pod("new", "rs2", waiting("ErrImagePull"))],
    "failed",
    "1 of 2 pods updated; pod new: container serin: its image cannot be pulled (ImagePullBackOff)",
  );
});

Deno.test("a StatefulSet: made, updated, available; what may not be made is an event", () => {
  const all = { replicas: 1, readyReplicas: 1, availableReplicas: 1, updatedReplicas: 1 };
  const cases: [Fields, string, string][] = [
    [{ ...all, replicas: 0 }, "progressing", "0 of 1 pods made"],
    [{ ...all, updatedReplicas: 0, currentRevision: "a" }, "progressing", "0 of 1 pods updated"],
    [{ ...all, availableReplicas: 0 }, "progressing", "0 of 1 pods available"],
    [all, "healthy", "1 of 1 pods available"],
  ];
  for (const [status, state, message] of cases) {
    checkHealth(statefulSet(status), [], state, message);
  }
  const event: KubernetesObject = {
    apiVersion: "v1",
    kind: "Event",
    metadata: { name: "e" },
    reason: "FailedCreate",
    message: "pods is forbidden: violates PodSecurity",
    involvedObject: { kind: "StatefulSet", name: "serin-registry", uid: "s1" },
  };
  assertEquals(
    workloadHealth(statefulSet({ replicas: 0 }), around([], [event])).reason,
    "pods is forbidden: violates PodSecurity",
  );
});

Deno.test("a pod of the template before that cannot get ready holds a StatefulSet up", () => {
  const broken = pod("serin-registry-0", "a", waiting("ImagePullBackOff"));
  const found = (workload: KubernetesObject, pods: KubernetesObject[]) =>
    stuckPods(workload, around(pods)).map(({ metadata }) => metadata.name);
  assertEquals(found(statefulSet({}), [broken]), ["serin-registry-0"]);
  assertEquals(found(statefulSet({ updateRevision: "a" }), [broken]), []);
  assertEquals(found(statefulSet({ observedGeneration: 1 }), [broken]), []);
  assertEquals(found(statefulSet({}), [pod("serin-registry-0", "a", READY)]), []);
  assertEquals(found(statefulSet({}), [pod("p", "a", waiting("ContainerCreating"))]), []);
  assertEquals(found(deployment({}), [broken]), []);
});

/** The health of an object by its status. */
function checkObject(
  object: Pick<KubernetesObject, "apiVersion" | "kind"> & Fields,
  state: string,
  message: string,
): void {
  const whole = { metadata: { name: "a" }, ...object } as KubernetesObject;
  const health = objectHealth(whole, around([]));
  assertEquals([health.state, health.message], [state, message]);
}

Deno.test("definitions, autoscalers, claims and the rest", () => {
  const crd = { apiVersion: "apiextensions.k8s.io/v1", kind: "CustomResourceDefinition" };
  const condition = (type: string, status: string, reason = "", message = "") => ({
    status: { conditions: [{ type, status, reason, message }] },
  });
  checkObject(crd, "progressing", "it is not established yet");
  checkObject({ ...crd, ...condition("Established", "True") }, "healthy", "established");
  checkObject(
    { ...crd, ...condition("NamesAccepted", "False", "", "sro is taken") },
    "failed",
    "sro is taken",
  );

  const hpa = { apiVersion: "autoscaling/v2", kind: "HorizontalPodAutoscaler" };
  const target = { type: "Utilization", averageUtilization: 70 };
  const spec = { metrics: [{ type: "Resource", resource: { name: "cpu", target } }] };
  checkObject(hpa, "progressing", "it has not looked at its metrics yet");
  checkObject(
    { ...hpa, ...condition("ScalingActive", "False", "FailedGetResourceMetric", "no metrics") },
    "failed",
    "FailedGetResourceMetric: no metrics",
  );
  const lastTransitionTime = new Date(NOW - 5000).toISOString();
  const late = { type: "ScalingActive", status: "False", reason: "FailedGetResourceMetric" };
  checkObject(
    { ...hpa, status: { conditions: [{ ...late, message: "no metrics", lastTransitionTime }] } },
    "progressing",
    "FailedGetResourceMetric: no metrics",
  );
  const current = [{
    type: "Resource",
    resource: { name: "cpu", current: { averageUtilization: 35 } },
  }];
  const active = [{ type: "ScalingActive", status: "True" }];
  checkObject(
    { ...hpa, spec, status: { conditions: active, currentMetrics: current } },
    "healthy",
    "cpu 35 % of 70 %",
  );
  const pods = {
    type: "Pods",
    pods: { metric: { name: "serin_inflight_requests" }, target: { averageValue: "4" } },
  };
  checkObject(
    { ...hpa, spec: { metrics: [pods] }, status: { conditions: active } },
    "healthy",
    "serin_inflight_requests unknown of 4",
  );

  const claim = { apiVersion: "v1", kind: "PersistentVolumeClaim" };
  checkObject(claim, "healthy", "waits for its first pod");
  checkObject({ ...claim, status: { phase: "Bound" } }, "healthy", "bound");
  checkObject({ ...claim, status: { phase: "Lost" } }, "failed", "its volume is lost");
  checkObject({ apiVersion: "v1", kind: "Service" }, "healthy", "");
  const deletionTimestamp = "2026-01-01T00:00:00Z";
  checkObject(
    { apiVersion: "v1", kind: "Service", metadata: { name: "a", deletionTimestamp } },
    "progressing",
    "it is being deleted",
  );
  assertEquals(objectHealth(undefined, around([])).state, "failed");
});
