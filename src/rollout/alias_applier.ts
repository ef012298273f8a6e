import { type Log, messageOf } from "../core/mod.ts";
import type { Database } from "../database/mod.ts";
import { type AliasReason, CHALLENGER, type ModelCatalog } from "./catalog.ts";
import {
  clearAliasChange,
  pendingRollouts,
  type StoredRollout,
  writeObserved,
} from "./rollout_store.ts";

/**
 * Makes aliases follow decisions. A decision is on disk before any alias is touched; what a crash
 * or an unreachable catalog left undone is done again, and doing it twice changes nothing.
 */
export class AliasApplier {
  readonly #database: Database;
  readonly #catalog: ModelCatalog;
  readonly #log: Log;
  readonly #onApplied: () => void;
  #underWay: Promise<boolean> | undefined;

  /** @param options.onApplied called together with each change's end: older readings are void */
  constructor(
    options: { database: Database; catalog: ModelCatalog; log: Log; onApplied: () => void },
  ) {
    this.#database = options.database;
    this.#catalog = options.catalog;
    this.#log = options.log;
    this.#onApplied = options.onApplied;
  }

  /**
   * @returns whether any alias was changed; a failure is logged and tried again at the next call
   */
  apply(): Promise<boolean> {
    this.#underWay ??= this.#applyAll().finally(() => this.#underWay = undefined);
    return this.#underWay;
  }

  async #applyAll(): Promise<boolean> {
    let changed = false;
    for (const rollout of this.#database.read(pendingRollouts)) {
      try {
        await this.#applyOne(rollout);
        changed = true;
      } catch (thrown) {
        this.#log.error("aliases do not follow a rollout's decision yet", {
          rollout: rollout.id,
          model: rollout.model,
          change: rollout.aliasChange,
          error: messageOf(thrown),
        });
      }
    }
    return changed;
  }

  async #applyOne(rollout: StoredRollout): Promise<void> {
    const { id, model, alias, stable, canary, aliasChange } = rollout;
    const aliases = await this.#catalog.findAliases(model) ?? {};
    const served = aliases[alias], challenger = aliases[CHALLENGER];
    const ours = challenger === canary;
    let servedNow = served;
    const reason = reasonOf(rollout);
    if (aliasChange === "promote" && (served === stable || (served === canary && ours))) {
      // The challenger alias may point elsewhere by now: then it is somebody else's.
      if (ours) {
        const change = { model, alias, version: canary, remove: CHALLENGER, reason };
        await this.#catalog.promote(change);
      } else await this.#catalog.setAlias(model, alias, canary, reason);
      servedNow = canary;
    } else if (aliasChange === "promote" && served !== canary) {
      this.#log.warn("a promotion is dropped: the alias was moved meanwhile", {
        rollout: id,
        model,
        alias,
        version: served,
      });
    } else if (aliasChange === "remove_challenger" && ours) {
      await this.#catalog.removeAlias(model, CHALLENGER, reason);
    }
    // In one turn with the end of `alias_change`: nobody may decide by what was read before.
    this.#onApplied();
    this.#database.transaction((tx) => {
      clearAliasChange(tx, id);
      const left = ours ? null : challenger ?? null;
      // A challenger that was set meanwhile has still to begin its own rollout.
      if (left === null) {
        writeObserved(tx, model, alias, { stable: servedNow ?? null, challenger: null });
      }
    });
  }
}

function reasonOf({ id, state: { phase } }: StoredRollout): AliasReason {
  const cause = phase === "promoted" ? "promotion" : phase === "aborted" ? "abort" : "rollback";
  return { cause, rollout: id };
}
