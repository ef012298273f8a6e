/** Level 2: serin on Kubernetes: what is installed (`manifests/`), and how it gets there (`release/`). */
export {
  isGeneratedManifest,
  listSettings,
  type ManifestSettings,
  manifestSettings,
  MODELS_ANNOTATION,
  NAMES,
  type Overlay,
  OVERLAYS,
  type Part,
  PORTS,
  renderKustomizeTree,
  renderManifests,
  type RenderOptions,
  selectorOf,
  type Setting,
  type TokenKey,
} from "./manifests/mod.ts";
