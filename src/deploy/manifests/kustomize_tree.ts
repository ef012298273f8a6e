import { formatYaml } from "../../config/mod.ts";
import { assert } from "../../core/mod.ts";
import { splitImage } from "./image_name.ts";
import { diffJson, type Json } from "./json_patch.ts";
import { renderComponents } from "./kustomize_components.ts";
import { GENERATED, kustomization, patchTarget, type TreeFiles } from "./kustomize_files.ts";
import { makeObjects, OBJECT_GROUPS, objectsByReference, plainObjects } from "./objects.ts";
import { type Overlay, OVERLAYS } from "./overlays.ts";
import { renderReadme } from "./readme.ts";
import { prometheusFiles } from "./monitoring.ts";
import { manifestSettings } from "./render.ts";

/**
 * The same objects as `renderManifests` makes, as a kustomize tree: `base/`, a folder for each overlay,
 * which patches the base where it differs (JSON Patch, computed), components for what not every cluster
 * has, and `prometheus/` for a Prometheus and an Alertmanager that no operator configures. Each file says in its first line that it is generated.
 *
 * @param set `KEY=VALUE` for all of the tree
 * @returns texts by relative paths
 * @throws {SerinError} `usage` with everything that is wrong with the settings
 *
 * @example Files by their paths
 * ```ts
 * import { renderKustomizeTree } from "./mod.ts";
 * const files = renderKustomizeTree();
 * console.assert(files.get("base/kustomization.yaml")!.includes("kind: Kustomization"));
 * ```
 */
export function renderKustomizeTree(set: readonly string[] = []): ReadonlyMap<string, string> {
  const files: TreeFiles = new Map();
  renderBase(files, set);
  for (const overlay of OVERLAYS) if (overlay !== "base") renderOverlay(files, overlay, set);
  renderComponents(files, set);
  for (const [name, content] of prometheusFiles(manifestSettings({ set }))) {
    files.set(`prometheus/${name}`, [content]);
  }
  const texts = new Map([["README.md", renderReadme()]]);
  for (const [path, documents] of files) texts.set(path, formatYaml(documents, [GENERATED]));
  return texts;
}

function renderBase(files: TreeFiles, set: readonly string[]): void {
  const settings = manifestSettings({ set });
  const resources: string[] = [];
  for (const [name, make] of Object.entries(OBJECT_GROUPS)) {
    const objects = plainObjects(make(settings));
    if (objects.length === 0) continue;
    resources.push(`${name}.yaml`);
    files.set(`base/${name}.yaml`, objects);
  }
  const image = splitImage(settings.image);
  const images = image.newTag === undefined && image.digest === undefined ? [] : [image];
  files.set("base/kustomization.yaml", [kustomization({ resources, images })]);
}

function renderOverlay(files: TreeFiles, overlay: Overlay, set: readonly string[]): void {
  const folder = `overlays/${overlay}`;
  const base = objectsByReference(makeObjects(manifestSettings({ set })));
  const own = objectsByReference(makeObjects(manifestSettings({ overlay, set })));
  const patches: { path: string; target: unknown }[] = [];
  for (const [key, object] of base) {
    const wanted = own.get(key);
    assert(wanted !== undefined && own.size === base.size, "an overlay has the base's objects");
    const operations = diffJson(object as Json, wanted as Json);
    if (operations.length === 0) continue;
    const path = `patch-${object.kind.toLowerCase()}-${object.metadata.name}.yaml`;
    files.set(`${folder}/${path}`, [operations]);
    patches.push({ path, target: patchTarget(object) });
  }
  files.set(`${folder}/kustomization.yaml`, [
    kustomization({ resources: ["../../base"], patches }),
  ]);
}
