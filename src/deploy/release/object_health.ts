import type { KubernetesObject } from "../../kubernetes/mod.ts";
import { conditionOf, listAt, numberAt, textAt, valueAt } from "./object_fields.ts";
import { type Health, type Surroundings, workloadHealth } from "./workload_health.ts";

/**
 * The health of any object that a release holds. Kinds that nothing has to happen to are healthy as
 * soon as they are there.
 *
 * @param object as the API server gives it, or undefined where it is missing
 */
export function objectHealth(
  object: KubernetesObject | undefined,
  around: Surroundings,
): Health {
  if (object === undefined) return { state: "failed", message: "it is not there" };
  if (object.metadata.deletionTimestamp !== undefined) {
    return { state: "progressing", message: "it is being deleted" };
  }
  const judge = BY_KIND[object.kind];
  return judge === undefined ? { state: "healthy", message: "" } : judge(object, around);
}

/** Kinds that take time to become what they say. */
const BY_KIND: Readonly<
  Record<string, (object: KubernetesObject, around: Surroundings) => Health>
> = {
  CustomResourceDefinition: definitionHealth,
  Deployment: workloadHealth,
  HorizontalPodAutoscaler: autoscalerHealth,
  PersistentVolumeClaim: claimHealth,
  StatefulSet: workloadHealth,
};

/** @returns whether the cluster serves the kind yet that a CustomResourceDefinition defines */
export function definitionHealth(definition: KubernetesObject): Health {
  const names = conditionOf(definition, "NamesAccepted");
  if (names?.status === "False") return { state: "failed", message: names.message };
  if (conditionOf(definition, "Established")?.status === "True") {
    return { state: "healthy", message: "established" };
  }
  return { state: "progressing", message: "it is not established yet" };
}

/** Pods that have just started have no metrics yet. */
const METRICS_LATE_MS = 30_000;

/**
 * An autoscaler without metrics scales nothing: it is not healthy, and its conditions say why.
 *
 * @param around.nowMs for a while after they stopped to come, metrics are only late
 */
export function autoscalerHealth(
  autoscaler: KubernetesObject,
  { nowMs }: Pick<Surroundings, "nowMs">,
): Health {
  for (const type of ["AbleToScale", "ScalingActive"]) {
    const condition = conditionOf(autoscaler, type);
    if (condition?.status === "False" && condition.reason !== "ScalingDisabled") {
      const isLate = nowMs - (condition.changedAt ?? 0) >= METRICS_LATE_MS;
      const message = `${condition.reason}: ${condition.message}`;
      return { state: isLate ? "failed" : "progressing", message };
    }
  }
  if (conditionOf(autoscaler, "ScalingActive") === undefined) {
    return { state: "progressing", message: "it has not looked at its metrics yet" };
  }
  return { state: "healthy", message: describeMetrics(autoscaler) };
}

/** @returns e.g. `cpu 35 % of 60 %`, one for each metric that an autoscaler looks at */
export function describeMetrics(autoscaler: KubernetesObject): string {
  const current = listAt(autoscaler, "status", "currentMetrics");
  return listAt(autoscaler, "spec", "metrics").map((metric) => {
    const kind = textAt(metric, "type") ?? "";
    const source = kind.slice(0, 1).toLowerCase() + kind.slice(1);
    const name = textAt(metric, source, "name") ?? textAt(metric, source, "metric", "name") ?? kind;
    const seen = current.find((candidate) =>
      (textAt(candidate, source, "name") ?? textAt(candidate, source, "metric", "name")) === name
    );
    const now = seen === undefined ? "unknown" : describeValue(valueAt(seen, source, "current"));
    return `${name} ${now} of ${describeValue(valueAt(metric, source, "target"))}`;
  }).join(", ");
}

function describeValue(value: unknown): string {
  const percent = numberAt(value, "averageUtilization");
  if (percent !== undefined) return `${percent} %`;
  return textAt(value, "averageValue") ?? textAt(value, "value") ?? "unknown";
}

/** A claim may wait for the first pod that uses it: only a lost volume is a fault. */
function claimHealth(claim: KubernetesObject): Health {
  const phase = textAt(claim, "status", "phase") ?? "Pending";
  if (phase === "Lost") return { state: "failed", message: "its volume is lost" };
  return { state: "healthy", message: phase === "Bound" ? "bound" : "waits for its first pod" };
}
