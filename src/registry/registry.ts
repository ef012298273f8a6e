import { type Catalog, createCatalog } from "./catalog.ts";
import type { RegistryContext } from "./context.ts";
import { ModelVersions } from "./model_versions.ts";
import { RegisteredModels } from "./registered_models.ts";

/** Registered models, their versions and aliases. */
export interface Registry {
  readonly models: RegisteredModels;
  readonly versions: ModelVersions;
  /** The same for rollouts and serving. */
  readonly catalog: Catalog;
}

/**
 * Opens the registry over a database whose migrations hold {@linkcode REGISTRY_MIGRATIONS}.
 *
 * @example A version and its alias
 * ```ts
 * import { systemClock } from "../core/mod.ts";
 * import { openDatabase } from "../database/mod.ts";
 * import { openRegistry, REGISTRY_MIGRATIONS } from "./mod.ts";
 * using database = openDatabase(":memory:", REGISTRY_MIGRATIONS);
 * const { models, versions } = openRegistry({
 *   database,
 *   clock: systemClock,
 *   sources: { findRun: () => undefined, findLoggedModel: () => undefined },
 * });
 * models.create("iris");
 * versions.create({ name: "iris", source: "s3://bucket/iris" });
 * models.setAlias("iris", "champion", "1");
 * console.assert(models.getByAlias("iris", "champion").version === "1");
 * ```
 */
export function openRegistry(context: RegistryContext): Registry {
  const models = new RegisteredModels(context);
  const versions = new ModelVersions(context);
  return { models, versions, catalog: createCatalog(models, versions) };
}
