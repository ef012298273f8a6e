import { labelsOf, NAMES, type Part } from "./names.ts";
import type { Namespace, PolicyRule, Role, RoleBinding, ServiceAccount } from "./object_shape.ts";
import { metadataOf } from "./pod_parts.ts";
import type { ManifestSettings } from "./settings.ts";

/** The namespace, whose pods are held to Pod Security's strictest level. */
export function namespace(settings: ManifestSettings): Namespace {
  const level = "restricted";
  return {
    apiVersion: "v1",
    kind: "Namespace",
    metadata: {
      name: settings.namespace,
      labels: {
        ...labelsOf(),
        "pod-security.kubernetes.io/enforce": level,
        "pod-security.kubernetes.io/audit": level,
        "pod-security.kubernetes.io/warn": level,
      },
    },
  };
}

/** An account of each part, so that no pod runs as `default`; only the controller's gets a token. */
export function serviceAccounts(settings: ManifestSettings): ServiceAccount[] {
  const parts: Part[] = ["registry", "serving", "controller", "training"];
  if (settings.retrain.enabled) parts.push("retrain");
  return parts.map((part) => ({
    apiVersion: "v1",
    kind: "ServiceAccount",
    metadata: metadataOf(NAMES[part], settings, part),
    automountServiceAccountToken: part === "controller",
  }));
}

/**
 * What the controller may do, in its own namespace only. It may not read Secrets, nor delete or make
 * Deployments: it changes the arguments of those that are annotated for it. Server-side
 * apply needs `patch`, and `create` where the object may be missing.
 */
const CONTROLLER_RULES: readonly PolicyRule[] = [
  {
    apiGroups: ["apps"],
    resources: ["deployments"],
    verbs: ["get", "list", "watch", "patch"],
  },
  {
    apiGroups: ["batch"],
    resources: ["cronjobs"],
    resourceNames: [NAMES.trainingTemplate],
    verbs: ["get"],
  },
  { apiGroups: ["batch"], resources: ["jobs"], verbs: ["get", "list", "watch", "create"] },
  // Why a training failed is said by its pod's container.
  { apiGroups: [""], resources: ["pods"], verbs: ["list"] },
  {
    apiGroups: ["serin.dev"],
    resources: ["rollouts"],
    verbs: ["get", "list", "watch", "create", "patch", "delete"],
  },
  { apiGroups: ["serin.dev"], resources: ["rollouts/status"], verbs: ["patch"] },
  { apiGroups: [""], resources: ["events"], verbs: ["create"] },
  // A name cannot be checked when an object is made.
  { apiGroups: ["coordination.k8s.io"], resources: ["leases"], verbs: ["create"] },
  {
    apiGroups: ["coordination.k8s.io"],
    resources: ["leases"],
    resourceNames: [NAMES.controller],
    verbs: ["get", "update"],
  },
];

/** The controller's Role, and who has it. */
export function controllerAccess(settings: ManifestSettings): [Role, RoleBinding] {
  const { controller } = NAMES;
  const apiGroup = "rbac.authorization.k8s.io";
  return [{
    apiVersion: `${apiGroup}/v1`,
    kind: "Role",
    metadata: metadataOf(controller, settings, "controller"),
    rules: CONTROLLER_RULES,
  }, {
    apiVersion: `${apiGroup}/v1`,
    kind: "RoleBinding",
    metadata: metadataOf(controller, settings, "controller"),
    roleRef: { apiGroup, kind: "Role", name: controller },
    subjects: [{ kind: "ServiceAccount", name: controller, namespace: settings.namespace }],
  }];
}
