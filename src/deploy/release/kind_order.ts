import type { KubernetesObject } from "../../kubernetes/mod.ts";

/** What must be there before the rest can be: these are applied first, and waited for. */
const FOUNDATIONS: ReadonlySet<string> = new Set(["Namespace", "CustomResourceDefinition"]);

/** Kinds in the order in which they are made, so that what a pod needs is there when it starts. */
const ORDER: readonly string[] = [
  "Namespace",
  "CustomResourceDefinition",
  "ServiceAccount",
  "ClusterRole",
  "Role",
  "ClusterRoleBinding",
  "RoleBinding",
  "ConfigMap",
  "Secret",
  "PersistentVolumeClaim",
  "NetworkPolicy",
  "Service",
  "StatefulSet",
  "Deployment",
  "PodDisruptionBudget",
  "HorizontalPodAutoscaler",
  "CronJob",
];

/** Kinds that hold what cannot be made again: never removed by a release. */
const KEPT: Readonly<Record<string, string>> = {
  CustomResourceDefinition: "its objects would be deleted with it",
  Namespace: "everything in it would be deleted with it",
  PersistentVolumeClaim: "its data would be deleted with it",
  Secret: "its values cannot be made again",
};

/** @returns the objects in the order in which they are applied; those of one kind as they were */
export function inOrder(objects: readonly KubernetesObject[]): KubernetesObject[] {
  const rank = ({ kind }: KubernetesObject) => {
    const index = ORDER.indexOf(kind);
    return index < 0 ? ORDER.length : index;
  };
  return objects.toSorted((a, b) => rank(a) - rank(b));
}

/** @returns whether an object is a namespace or a kind that the rest may be of */
export function isFoundation(object: KubernetesObject): boolean {
  return FOUNDATIONS.has(object.kind);
}

/** @returns why an object of this kind is left where it is, undefined where it may be removed */
export function whyKept(kind: string): string | undefined {
  return KEPT[kind];
}
