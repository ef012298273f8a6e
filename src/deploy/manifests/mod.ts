/**
 * Kubernetes objects of an installation of serin, made by typed code from one settings object, and the
 * same as a kustomize tree.
 */
export { isGeneratedManifest } from "./kustomize_files.ts";
export { renderKustomizeTree } from "./kustomize_tree.ts";
export { type Overlay, OVERLAYS } from "./overlays.ts";
export { MODELS_ANNOTATION, NAMES, type Part, PORTS, selectorOf, type TokenKey } from "./names.ts";
export { manifestSettings, renderManifests, type RenderOptions } from "./render.ts";
export { listSettings, type Setting } from "./set_values.ts";
export type { ManifestSettings } from "./settings.ts";
