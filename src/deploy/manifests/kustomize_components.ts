import type { KubernetesObject } from "../../kubernetes/mod.ts";
import { diffJson, type Json } from "./json_patch.ts";
import { kustomization, patchTarget, type TreeFiles } from "./kustomize_files.ts";
import { NAMES } from "./names.ts";
import { makeObjects, objectsByReference } from "./objects.ts";
import { resolveSettings } from "./set_values.ts";
import type { ManifestSettings, ManifestSettingsInput } from "./settings.ts";

/** A component: what it sets, and when the base has not set it already. */
interface ComponentSource {
  readonly name: string;
  readonly settings: ManifestSettingsInput;
  isIn(settings: ManifestSettings): boolean;
  /** Values that the component's own objects take from those that overlays change. */
  readonly replacements?: readonly unknown[];
}

/** The field of an object that a replacement reads. */
interface Source {
  readonly kind: string;
  readonly name: string;
  readonly fieldPath: string;
}

const scaling = { kind: "HorizontalPodAutoscaler", name: NAMES.serving };

/** Every component of the tree. */
export const COMPONENTS: readonly ComponentSource[] = [
  {
    name: "hpa-inflight-adapter",
    settings: { serving: { autoscaling: "inflight-adapter" } },
    isIn: ({ serving }) => serving.autoscaling !== "cpu",
  },
  {
    name: "hpa-inflight-keda",
    settings: { serving: { autoscaling: "inflight-keda" } },
    isIn: ({ serving }) => serving.autoscaling !== "cpu",
    // The overlay's numbers stand in the autoscaler that the ScaledObject takes the place of.
    replacements: [
      copyField({ ...scaling, fieldPath: "spec.minReplicas" }, "ScaledObject", [
        "spec.minReplicaCount",
        "spec.fallback.replicas",
      ]),
      copyField({ ...scaling, fieldPath: "spec.maxReplicas" }, "ScaledObject", [
        "spec.maxReplicaCount",
      ]),
      copyField({ ...scaling, fieldPath: "spec.behavior" }, "ScaledObject", [
        "spec.advanced.horizontalPodAutoscalerConfig.behavior",
      ]),
    ],
  },
  {
    name: "retrain",
    settings: { retrain: { enabled: true } },
    isIn: ({ retrain }) => retrain.enabled,
  },
  {
    name: "service-monitor",
    settings: { monitoring: { monitors: true } },
    isIn: ({ monitoring }) => monitoring.monitors,
  },
  {
    name: "prometheus-rule",
    settings: { monitoring: { rules: true } },
    isIn: ({ monitoring }) => monitoring.rules,
  },
  {
    name: "grafana-dashboards",
    settings: { monitoring: { dashboards: true } },
    isIn: ({ monitoring }) => monitoring.dashboards,
  },
];

function copyField(source: Source, kind: string, fieldPaths: readonly string[]): unknown {
  return { source, targets: [{ select: { kind }, fieldPaths }] };
}

/** Puts every component's files into the tree, computed from what its settings change in the base. */
export function renderComponents(files: TreeFiles, set: readonly string[]): void {
  const base = resolveSettings([], set);
  for (const component of COMPONENTS) {
    if (component.isIn(base)) continue;
    const changed = resolveSettings([component.settings], set);
    renderComponent(files, component, makeObjects(base), makeObjects(changed));
  }
}

function renderComponent(
  files: TreeFiles,
  component: ComponentSource,
  before: readonly KubernetesObject[],
  after: readonly KubernetesObject[],
): void {
  const folder = `components/${component.name}`;
  const from = objectsByReference(before), to = objectsByReference(after);
  const patches: { path: string; target: unknown }[] = [];
  const removed: unknown[] = [];
  for (const [key, object] of from) {
    const wanted = to.get(key);
    if (wanted === undefined) removed.push(deletion(object));
    else {
      const operations = diffJson(object as Json, wanted as Json);
      if (operations.length === 0) continue;
      const path = `patch-${object.kind.toLowerCase()}-${object.metadata.name}.yaml`;
      files.set(`${folder}/${path}`, [operations]);
      patches.push({ path, target: patchTarget(object) });
    }
  }
  const added = [...to].filter(([key]) => !from.has(key)).map(([, object]) => object);
  if (added.length > 0) files.set(`${folder}/added.yaml`, added);
  if (removed.length > 0) files.set(`${folder}/patch-remove.yaml`, removed);
  files.set(`${folder}/kustomization.yaml`, [kustomization({
    resources: added.length > 0 ? ["added.yaml"] : [],
    patches,
    replacements: component.replacements ?? [],
    transformers: removed.length > 0 ? ["patch-remove.yaml"] : [],
  }, "Component")]);
}

/** A transformer, because those run after the replacements that still read the object. */
function deletion(object: KubernetesObject): unknown {
  const { apiVersion, kind, metadata: { name, namespace } } = object;
  const patch = { $patch: "delete", apiVersion, kind, metadata: { name, namespace } };
  return {
    apiVersion: "builtin",
    kind: "PatchTransformer",
    metadata: { name: `remove-${kind.toLowerCase()}-${name}` },
    patch: JSON.stringify(patch),
  };
}
