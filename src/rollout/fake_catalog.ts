import { SerinError } from "../core/mod.ts";
import type { ModelCatalog } from "./catalog.ts";

/** A catalog in memory, for tests; `failNext` makes its next calls fail. */
export class FakeCatalog implements ModelCatalog {
  readonly models: Map<string, Record<string, string>>;
  readonly calls: string[] = [];
  failNext = 0;

  constructor(models: Record<string, Record<string, string>>) {
    this.models = new Map(Object.entries(models));
  }

  async findAliases(model: string): Promise<Record<string, string> | undefined> {
    await this.#call(undefined);
    const aliases = this.models.get(model);
    return aliases && { ...aliases };
  }

  async setAlias(model: string, alias: string, version: string): Promise<void> {
    await this.#call(`set ${model} ${alias}=${version}`);
    this.#get(model)[alias] = version;
  }

  async removeAlias(model: string, alias: string): Promise<void> {
    await this.#call(`remove ${model} ${alias}`);
    delete this.#get(model)[alias];
  }

  async promote(
    { model, alias, version, remove }: {
      model: string;
      alias: string;
      version: string;
      remove: string;
    },
  ): Promise<void> {
    await this.#call(`promote ${model} ${alias}=${version}`);
    this.#get(model)[alias] = version;
    delete this.#get(model)[remove];
  }

  async #call(what: string | undefined): Promise<void> {
    await Promise.resolve();
    if (this.failNext > 0) {
      this.failNext--;
      throw new SerinError("unavailable", "The catalog is out of reach");
    }
    if (what !== undefined) this.calls.push(what);
  }

  #get(model: string): Record<string, string> {
    const aliases = this.models.get(model);
    if (aliases === undefined) {
      throw new SerinError("not_found", `No registered model is named "${model}"`);
    }
    return aliases;
  }
}
