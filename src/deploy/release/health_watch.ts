import { messageOf, SerinError } from "../../core/mod.ts";
import {
  describeReference,
  type KubernetesClient,
  type KubernetesObject,
  type ObjectReference,
  referenceOf,
} from "../../kubernetes/mod.ts";
import { objectHealth } from "./object_health.ts";
import { isReady, podProblem } from "./pod_problem.ts";
import { type WaitEnd, waitFor, type Waiting } from "./waiting.ts";
import { describeHealth, type Health, stuckPods, type Surroundings } from "./workload_health.ts";

/** Pods and ReplicaSets of serin, whatever their component. */
export const SERIN_SELECTOR = "app.kubernetes.io/name=serin";

const LOOK_MS = 500;

/** A failure that lasts this long is one; until then the cause may just have been taken away. */
const FAILURE_LASTING_MS = 15_000;

/** An object and how it is. */
export interface HealthReport {
  readonly reference: ObjectReference;
  readonly health: Health;
  /** As it was read; undefined where it is missing. */
  readonly object: KubernetesObject | undefined;
}

/** How {@linkcode waitUntilHealthy} ended. */
export interface HealthWait {
  readonly end: WaitEnd;
  /** Of the last look. */
  readonly reports: readonly HealthReport[];
}

/** @returns pods, ReplicaSets and, where a pod has a problem, the events of a namespace */
export async function readSurroundings(
  client: KubernetesClient,
  namespace: string,
  nowMs: number,
): Promise<Surroundings> {
  const selected = { namespace, labelSelector: SERIN_SELECTOR };
  const [pods, replicaSets] = await Promise.all([
    client.list({ apiVersion: "v1", kind: "Pod", ...selected }),
    client.list({ apiVersion: "apps/v1", kind: "ReplicaSet", ...selected }),
  ]);
  const around = { pods: pods.items, replicaSets: replicaSets.items, events: [], nowMs };
  // Events are many: they are asked for only where something has to be explained.
  if (pods.items.length > 0 && pods.items.every(isReady)) return around;
  const events = await client.list({ apiVersion: "v1", kind: "Event", namespace });
  return { ...around, events: events.items };
}

/** @returns the health of each object, in the same order */
export async function lookAtHealth(
  client: KubernetesClient,
  references: readonly ObjectReference[],
  around: Surroundings,
): Promise<HealthReport[]> {
  return await Promise.all(references.map(async (reference) => {
    const object = await client.get(reference);
    return { reference, object, health: objectHealth(object, around) };
  }));
}

/**
 * Waits until workloads are healthy, and says at once why they are not. A pod of an older template that
 * holds a StatefulSet up is deleted: it could never get ready.
 *
 * @param deadline by the clock's monotonic time, milliseconds
 */
export async function waitUntilHealthy(
  client: KubernetesClient,
  namespace: string,
  references: readonly ObjectReference[],
  waiting: Waiting,
  deadline: number,
): Promise<HealthWait> {
  const told = new Map<string, string>(), failedSince = new Map<string, number>();
  const { clock, report } = waiting;
  let reports: readonly HealthReport[] = [];
  const end = await waitFor(waiting, deadline, LOOK_MS, async () => {
    try {
      const around = await readSurroundings(client, namespace, clock.now());
      reports = await lookAtHealth(client, references, around);
      await freeStuck(client, reports, around, report);
    } catch (thrown) {
      if (!(thrown instanceof SerinError) || !thrown.retriable) throw thrown;
      report.update(`cannot look: ${messageOf(thrown)}`);
      return "waiting";
    }
    const left = reports.filter(({ health }) => health.state !== "healthy");
    if (left.length === 0) return "done";
    tell(reports, told, report);
    return isLasting(reports, failedSince, clock.monotonic()) ? "failed" : "waiting";
  });
  return { end, reports };
}

/** @returns the lines of what is not healthy, for an error */
export function describeUnhealthy(reports: readonly HealthReport[]): string {
  return reports.filter(({ health }) => health.state !== "healthy")
    .map(({ reference, health }) =>
      `\n  - ${describeReference(reference)}: ${describeHealth(health)}`
    )
    .join("");
}

async function freeStuck(
  client: KubernetesClient,
  reports: readonly HealthReport[],
  around: Surroundings,
  report: Waiting["report"],
): Promise<void> {
  for (const { object } of reports) {
    for (const pod of object === undefined ? [] : stuckPods(object, around)) {
      const { name, uid } = pod.metadata;
      const why = podProblem(pod, around.events, around.nowMs)?.message;
      const preconditions = uid === undefined ? {} : { preconditions: { uid } };
      await client.delete(referenceOf(pod), preconditions);
      report.say(`pod ${name} of the template before was deleted, it held the update up: ${why}`);
    }
  }
}

/** A reason is told once, as soon as it is known; the numbers move in the progress line. */
function tell(
  reports: readonly HealthReport[],
  told: Map<string, string>,
  report: Waiting["report"],
): void {
  const healthy = reports.filter(({ health }) => health.state === "healthy").length;
  const first = reports.find(({ health }) => health.state !== "healthy");
  for (const { reference, health } of reports) {
    const what = describeReference(reference);
    const reason = health.reason ?? (health.state === "failed" ? health.message : undefined);
    if (reason === undefined || told.get(what) === reason) continue;
    told.set(what, reason);
    report.say(`${what}: ${reason}`);
  }
  if (first === undefined) return;
  const where = `${describeReference(first.reference)}: ${first.health.message}`;
  report.update(`${healthy} of ${reports.length} workloads healthy; ${where}`);
}

function isLasting(
  reports: readonly HealthReport[],
  failedSince: Map<string, number>,
  now: number,
): boolean {
  let lasting = false;
  for (const { reference, health } of reports) {
    const what = describeReference(reference);
    if (health.state !== "failed") failedSince.delete(what);
    else if (!failedSince.has(what)) failedSince.set(what, now);
    lasting ||= now - (failedSince.get(what) ?? now) >= FAILURE_LASTING_MS;
  }
  return lasting;
}
