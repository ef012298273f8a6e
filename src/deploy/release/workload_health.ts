import type { KubernetesObject } from "../../kubernetes/mod.ts";
import {
  conditionOf,
  isControlledBy,
  matchesLabels,
  numberAt,
  textAt,
  textsAt,
  valueAt,
} from "./object_fields.ts";
import { eventsOf, eventTime, isReady, podProblem } from "./pod_problem.ts";

/** Whether an object does what it is there for. */
export interface Health {
  /** `failed`: waiting alone will not heal it. */
  readonly state: "healthy" | "progressing" | "failed";
  /** One line for a person. */
  readonly message: string;
  /** What pods and events say of it, where something is wrong. */
  readonly reason?: string;
}

/** @returns message and reason in one line */
export function describeHealth({ message, reason }: Health): string {
  return reason === undefined ? message : `${message}; ${reason}`;
}

/** What the health of a workload is worked out of: as listed from the API server. */
export interface Surroundings {
  readonly replicaSets: readonly KubernetesObject[];
  readonly pods: readonly KubernetesObject[];
  readonly events: readonly KubernetesObject[];
  /** Milliseconds since the epoch. */
  readonly nowMs: number;
}

/** How many pods a workload has. */
export interface PodCounts {
  readonly desired: number;
  readonly updated: number;
  readonly ready: number;
  /** All of them, old ones too. */
  readonly total: number;
}

const REVISION = "deployment.kubernetes.io/revision";

/**
 * The health of a Deployment or a StatefulSet after it was applied: its controller has seen it, every
 * pod is of the newest template and available, none of the old ones is left.
 *
 * @returns `failed` together with what the pods say, `progressing` with what is still missing
 */
export function workloadHealth(workload: KubernetesObject, around: Surroundings): Health {
  const observed = numberAt(workload, "status", "observedGeneration") ?? 0;
  const generation = workload.metadata.generation ?? 0;
  if (observed < generation) {
    return { state: "progressing", message: "its controller has not seen the change yet" };
  }
  const own = workload.kind === "StatefulSet"
    ? statefulSetHealth(workload)
    : deploymentHealth(workload);
  if (own.state === "healthy") return own;
  const pods = newestPods(workload, around);
  const problems = pods.flatMap((pod) => {
    const problem = podProblem(pod, around.events, around.nowMs);
    return problem === undefined ? [] : [{ pod: pod.metadata.name, ...problem }];
  });
  const worst = problems.find(({ lasting }) => lasting) ?? problems[0];
  const creation = pods.length === 0 ? creationProblem(workload, around.events) : undefined;
  const why = worst === undefined ? creation : `pod ${worst.pod}: ${worst.message}`;
  const state = own.state === "failed" || worst?.lasting === true ? "failed" : "progressing";
  return { state, message: own.message, ...(why === undefined ? {} : { reason: why }) };
}

/** @returns the numbers of pods that a Deployment or a StatefulSet has and wants */
export function podCounts(workload: KubernetesObject): PodCounts {
  const status = (name: string) => numberAt(workload, "status", name) ?? 0;
  return {
    desired: numberAt(workload, "spec", "replicas") ?? 1,
    updated: status("updatedReplicas"),
    ready: status("readyReplicas"),
    total: status("replicas"),
  };
}

/** @returns the pods that a workload's selector takes in */
export function podsOf(
  workload: KubernetesObject,
  pods: readonly KubernetesObject[],
): KubernetesObject[] {
  const labels = textsAt(workload, "spec", "selector", "matchLabels");
  return pods.filter((pod) => matchesLabels(pod, labels));
}

/** @returns the pods of the newest template: an older one's troubles end when it is replaced */
export function newestPods(
  workload: KubernetesObject,
  { pods, replicaSets }: Pick<Surroundings, "pods" | "replicaSets">,
): KubernetesObject[] {
  const own = podsOf(workload, pods);
  if (workload.kind === "StatefulSet") {
    const revision = textAt(workload, "status", "updateRevision");
    return own.filter((pod) => pod.metadata.labels?.["controller-revision-hash"] === revision);
  }
  const newest = replicaSets.find((set) =>
    isControlledBy(set, workload) &&
    set.metadata.annotations?.[REVISION] === workload.metadata.annotations?.[REVISION]
  );
  return newest === undefined ? [] : own.filter((pod) => isControlledBy(pod, newest));
}

/**
 * A StatefulSet waits for its pods one by one, also for one of an older template that can never get
 * ready: such a pod has to be deleted, or the update never goes on (kubernetes/kubernetes#67250).
 *
 * @returns the pods that hold an update up
 */
export function stuckPods(workload: KubernetesObject, around: Surroundings): KubernetesObject[] {
  const revision = textAt(workload, "status", "updateRevision");
  const observed = numberAt(workload, "status", "observedGeneration") ?? 0;
  const isCurrent = observed >= (workload.metadata.generation ?? 0);
  if (workload.kind !== "StatefulSet" || revision === undefined || !isCurrent) return [];
  return podsOf(workload, around.pods).filter((pod) =>
    pod.metadata.labels?.["controller-revision-hash"] !== revision && !isReady(pod) &&
    podProblem(pod, around.events, around.nowMs)?.lasting === true
  );
}

function deploymentHealth(deployment: KubernetesObject): Health {
  const { desired, updated, total } = podCounts(deployment);
  const available = numberAt(deployment, "status", "availableReplicas") ?? 0;
  if (valueAt(deployment, "spec", "paused") === true) {
    return fault("it is paused: `kubectl rollout resume` lets it go on");
  }
  const progressing = conditionOf(deployment, "Progressing");
  if (progressing?.reason === "ProgressDeadlineExceeded") {
    return fault(progressing.message);
  }
  const failure = conditionOf(deployment, "ReplicaFailure");
  if (failure?.status === "True" && updated < desired) {
    return fault(`pods cannot be made: ${failure.message}`);
  }
  if (updated < desired) return missing(`${updated} of ${desired} pods updated`);
  if (total > updated) {
    return missing(`${updated} of ${desired} pods updated, ${total - updated} old ones left`);
  }
  if (available < updated) return missing(`${available} of ${updated} pods available`);
  return { state: "healthy", message: `${available} of ${desired} pods available` };
}

function statefulSetHealth(statefulSet: KubernetesObject): Health {
  const { desired, updated, ready, total } = podCounts(statefulSet);
  const available = numberAt(statefulSet, "status", "availableReplicas") ?? ready;
  const current = textAt(statefulSet, "status", "currentRevision");
  const wanted = textAt(statefulSet, "status", "updateRevision");
  if (total < desired) return missing(`${total} of ${desired} pods made`);
  if (current !== wanted && updated < desired) {
    return missing(`${updated} of ${desired} pods updated`);
  }
  if (available < desired) return missing(`${available} of ${desired} pods available`);
  if (total > desired) return missing(`${total - desired} pods too many are left`);
  return { state: "healthy", message: `${available} of ${desired} pods available` };
}

function fault(message: string): Health {
  return { state: "failed", message };
}

function missing(message: string): Health {
  return { state: "progressing", message };
}

/** A StatefulSet has no condition for pods that it may not make (a quota, pod security): an event. */
function creationProblem(
  workload: KubernetesObject,
  events: readonly KubernetesObject[],
): string | undefined {
  const [newest] = eventsOf(workload, events)
    .filter((event) => textAt(event, "reason") === "FailedCreate")
    .toSorted((a, b) => eventTime(b) - eventTime(a));
  return newest === undefined ? undefined : textAt(newest, "message");
}
