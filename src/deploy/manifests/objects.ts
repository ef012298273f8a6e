import { describeReference, type KubernetesObject, referenceOf } from "../../kubernetes/mod.ts";
import { controllerAccess, namespace, serviceAccounts } from "./access.ts";
import { servingAutoscaling } from "./autoscaling.ts";
import { controllerDeployment } from "./controller.ts";
import { dashboardMaps, monitors, prometheusRule } from "./monitoring.ts";
import { networkPolicies } from "./network.ts";
import type { Manifest } from "./object_shape.ts";
import { retrainData, retrainDeployment, retrainService } from "./retrain.ts";
import { registryService, registryStatefulSet } from "./registry.ts";
import { rolloutCrd } from "./rollout_crd.ts";
import { servingBudget, servingDeployment, servingService } from "./serving.ts";
import type { ManifestSettings } from "./settings.ts";
import { trainingCronJob, trainingData, trainingJob } from "./training.ts";

/** Files of the base, in the order of their reading, and what is in them. */
export const OBJECT_GROUPS = {
  "namespace": (settings) => [namespace(settings)],
  "rollout-crd": () => [rolloutCrd()],
  "service-accounts": serviceAccounts,
  "network": networkPolicies,
  "registry": (settings) => [registryService(settings), registryStatefulSet(settings)],
  "serving": (settings) => [
    servingService(settings),
    servingDeployment(settings),
    ...servingAutoscaling(settings),
    servingBudget(settings),
  ],
  "controller": (settings) => [...controllerAccess(settings), controllerDeployment(settings)],
  "training": (settings) => [
    trainingData(settings),
    trainingCronJob(settings),
    ...(settings.training.job ? [trainingJob(settings)] : []),
  ],
  "retrain": (settings) =>
    settings.retrain.enabled
      ? [retrainData(settings), retrainService(settings), retrainDeployment(settings)]
      : [],
  "monitors": (settings) => settings.monitoring.monitors ? monitors(settings) : [],
  "rules": (settings) => settings.monitoring.rules ? [prometheusRule(settings)] : [],
  "dashboards": (settings) => settings.monitoring.dashboards ? dashboardMaps(settings) : [],
} as const satisfies Record<string, (settings: ManifestSettings) => readonly Manifest[]>;

/** Kinds in the order in which they are applied: what others need comes first. */
export const KINDS_IN_ORDER: readonly Manifest["kind"][] = [
  "Namespace",
  "CustomResourceDefinition",
  "ServiceAccount",
  "Role",
  "RoleBinding",
  "NetworkPolicy",
  "ConfigMap",
  "PersistentVolumeClaim",
  "Service",
  "StatefulSet",
  "Deployment",
  "HorizontalPodAutoscaler",
  "ScaledObject",
  "PodDisruptionBudget",
  "CronJob",
  "Job",
  "ServiceMonitor",
  "PodMonitor",
  "PrometheusRule",
];

/** @returns all objects of an installation, in the order in which they are applied */
export function makeObjects(settings: ManifestSettings): KubernetesObject[] {
  const objects = Object.values(OBJECT_GROUPS).flatMap((make) => plainObjects(make(settings)));
  return inOrder(objects);
}

/** Without fields that are undefined: what JSON and YAML would leave out. */
export function plainObjects(objects: readonly Manifest[]): KubernetesObject[] {
  return JSON.parse(JSON.stringify(objects));
}

/** Objects by kind, namespace and name. */
export function objectsByReference(
  objects: readonly KubernetesObject[],
): ReadonlyMap<string, KubernetesObject> {
  return new Map(objects.map((object) => [describeReference(referenceOf(object)), object]));
}

function inOrder(objects: readonly KubernetesObject[]): KubernetesObject[] {
  const rank = ({ kind }: KubernetesObject) => KINDS_IN_ORDER.indexOf(kind as Manifest["kind"]);
  return objects.toSorted((a, b) => rank(a) - rank(b));
}
