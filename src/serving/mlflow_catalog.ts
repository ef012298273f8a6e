import { SerinError } from "../core/mod.ts";
import type { MlflowClient, Pair } from "../mlflow/mod.ts";
import type { ModelCatalog } from "../rollout/mod.ts";

/** The aliases of an MLflow server, for rollouts that are decided in the serving process. */
export class MlflowCatalog implements ModelCatalog {
  readonly #client: MlflowClient;
  readonly #tags = new Map<string, readonly Pair[]>();

  constructor(client: MlflowClient) {
    this.#client = client;
  }

  async findAliases(model: string): Promise<Record<string, string> | undefined> {
    try {
      const { aliases, tags } = await this.#client.models.get(model);
      this.#tags.set(model, tags);
      return Object.fromEntries(aliases.map(({ alias, version }) => [alias, version]));
    } catch (thrown) {
      if (thrown instanceof SerinError && thrown.code === "not_found") return undefined;
      throw thrown;
    }
  }

  /** @returns the registered model's tags, as of the last look at its aliases */
  tagsOf(model: string): readonly Pair[] {
    return this.#tags.get(model) ?? [];
  }

  setAlias(model: string, alias: string, version: string): Promise<void> {
    return this.#client.models.setAlias(model, alias, version);
  }

  async removeAlias(model: string, alias: string): Promise<void> {
    const aliases = await this.findAliases(model);
    if (aliases?.[alias] !== undefined) await this.#client.models.removeAlias(model, alias);
  }

  /** MLflow cannot do both at once: first what users see, then the challenger. */
  async promote(
    { model, alias, version, remove }: {
      model: string;
      alias: string;
      version: string;
      remove: string;
    },
  ): Promise<void> {
    await this.setAlias(model, alias, version);
    await this.removeAlias(model, remove);
  }
}

/** No registered models: what is served are folders and files. */
export const emptyCatalog: ModelCatalog = {
  findAliases: () => Promise.resolve(undefined),
  setAlias: (model) => Promise.reject(noModel(model)),
  removeAlias: () => Promise.resolve(),
  promote: ({ model }) => Promise.reject(noModel(model)),
};

function noModel(model: string): SerinError {
  return new SerinError(
    "not_found",
    `There is no registered model "${model}": no registry is used`,
    {
      hint: "start serve with --registry URL",
    },
  );
}
