import type { ModelCatalog } from "./catalog.ts";

/** Aliases as they were read; undefined where the model is not there. */
export interface AliasReading {
  readonly aliases: Readonly<Record<string, string>> | undefined;
  /** Readings of a model are in the order of their tickets. */
  readonly ticket: number;
}

/**
 * Reads aliases so that an older reading never overrules a newer one: of each model at most one
 * reading is under way, everybody waits for it, and after a change of our own the readings that
 * began before it are void.
 */
export class AliasReader {
  readonly #catalog: ModelCatalog;
  readonly #underWay = new Map<string, Promise<AliasReading>>();
  #ticket = 0;
  #voidUntil = 0;

  constructor(catalog: ModelCatalog) {
    this.#catalog = catalog;
  }

  /** @throws what the catalog throws */
  read(model: string): Promise<AliasReading> {
    let reading = this.#underWay.get(model);
    if (reading === undefined) {
      reading = this.#start(model, ++this.#ticket);
      this.#underWay.set(model, reading);
    }
    return reading;
  }

  /** Aliases were just changed: what is being read may be older. */
  invalidate(): void {
    this.#voidUntil = this.#ticket;
    this.#underWay.clear();
  }

  /** @returns whether nothing has been changed since the reading began */
  isCurrent(reading: AliasReading): boolean {
    return reading.ticket > this.#voidUntil;
  }

  async #start(model: string, ticket: number): Promise<AliasReading> {
    // Not before the caller has registered the promise.
    await Promise.resolve();
    try {
      return { aliases: await this.#catalog.findAliases(model), ticket };
    } finally {
      if (ticket > this.#voidUntil) this.#underWay.delete(model);
    }
  }
}
