import type { KubernetesObject } from "../../kubernetes/mod.ts";
import { makeObjects } from "./objects.ts";
import { type Overlay, OVERLAY_SETTINGS } from "./overlays.ts";
import { resolveSettings } from "./set_values.ts";
import type { ManifestSettings, ManifestSettingsInput } from "./settings.ts";

/** What {@linkcode renderManifests} renders. */
export interface RenderOptions {
  /** Default `base`. */
  readonly overlay?: Overlay;
  /** Settings to start from in the overlay's place: a release's, as it was recorded. */
  readonly kept?: ManifestSettingsInput;
  /** `KEY=VALUE`, above the overlay's own. */
  readonly set?: readonly string[];
}

/**
 * The settings of an installation: defaults, then the overlay's, then what is set.
 *
 * @throws {SerinError} `usage` with everything that is wrong
 */
export function manifestSettings(options: RenderOptions = {}): ManifestSettings {
  return resolveSettings(
    [options.kept ?? OVERLAY_SETTINGS[options.overlay ?? "base"]],
    options.set,
  );
}

/**
 * All Kubernetes objects of an installation, as plain data, in the order in which they are applied:
 * namespace, CustomResourceDefinition and access before what runs. There are no values of Secrets, and
 * neither replicas nor arguments of the serving Deployment.
 *
 * @throws {SerinError} `usage` with everything that is wrong with the settings
 *
 * @example The production overlay with an image of one's own
 * ```ts
 * import { renderManifests } from "./mod.ts";
 * const objects = renderManifests({ overlay: "production", set: ["image=registry.example/serin:1"] });
 * console.assert(objects[0].kind === "Namespace");
 * ```
 */
export function renderManifests(options: RenderOptions = {}): KubernetesObject[] {
  return makeObjects(manifestSettings(options));
}
