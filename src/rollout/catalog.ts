/** The alias whose version is tried against the served one. */
export const CHALLENGER = "challenger";

/** Why a rollout moves an alias, for the alias's history where a catalog keeps one. */
export interface AliasReason {
  /** "rollout": begun by hand. */
  readonly cause: "promotion" | "rollback" | "abort" | "rollout";
  readonly rollout?: string;
}

/** What rollouts need of a registry of models: its own tables, or an MLflow server over HTTP. */
export interface ModelCatalog {
  /**
   * @returns version numbers by alias; undefined where no model has that name
   * @throws SerinError `unavailable` when out of reach
   */
  findAliases(model: string): Promise<Readonly<Record<string, string>> | undefined>;
  /** @throws SerinError `not_found` for an unknown model or version */
  setAlias(model: string, alias: string, version: string, reason?: AliasReason): Promise<void>;
  /** Does nothing where the alias is not there. */
  removeAlias(model: string, alias: string, reason?: AliasReason): Promise<void>;
  /** Points `alias` at `version` and removes the alias `remove`, together where it can. */
  promote(
    change: {
      model: string;
      alias: string;
      version: string;
      remove: string;
      reason?: AliasReason;
    },
  ): Promise<void>;
}
