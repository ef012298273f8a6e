import { SerinError } from "../core/mod.ts";
import type { AliasReason } from "./alias_history.ts";
import type { ModelVersion } from "./entities.ts";
import type { ModelVersions } from "./model_versions.ts";
import type { RegisteredModels } from "./registered_models.ts";

/** What rollouts and serving ask of the registry; fits the port that `rollout` declares. */
export interface Catalog {
  /** @returns alias → version, or undefined where there is no such model */
  findAliases(model: string): Promise<Record<string, string> | undefined>;
  /** @throws {SerinError} `not_found` for the version */
  setAlias(model: string, alias: string, version: string, reason?: AliasReason): Promise<void>;
  /** An alias that is not there is no error. @throws {SerinError} `not_found` for the model */
  removeAlias(model: string, alias: string, reason?: AliasReason): Promise<void>;
  /** @returns undefined where there is no such version */
  findVersion(model: string, version: string): Promise<ModelVersion | undefined>;
  /** @returns where the version's files are, or undefined where there is no such version */
  findDownloadUri(model: string, version: string): Promise<string | undefined>;
}

/** @returns a catalog over the registry of this process */
export function createCatalog(models: RegisteredModels, versions: ModelVersions): Catalog {
  return {
    findAliases: (model) =>
      settle(() => {
        const { aliases } = models.get(model);
        return Object.fromEntries(aliases.map(({ alias, version }) => [alias, version]));
      }),
    setAlias: (model, alias, version, reason) =>
      Promise.try(() => models.setAlias(model, alias, version, reason)),
    removeAlias: (model, alias, reason) =>
      Promise.try(() => models.removeAlias(model, alias, reason)),
    findVersion: (model, version) => settle(() => versions.get(model, version)),
    findDownloadUri: (model, version) => settle(() => versions.downloadUri(model, version)),
  };
}

/** What is not there is undefined. */
function settle<T>(get: () => T): Promise<T | undefined> {
  return Promise.try(() => {
    try {
      return get();
    } catch (thrown) {
      if (thrown instanceof SerinError && thrown.code === "not_found") return undefined;
      throw thrown;
    }
  });
}
