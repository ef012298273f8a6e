import { LIMITS } from "../core/mod.ts";
import type { Reader, Transaction } from "../database/mod.ts";

/** Why an alias was moved. */
export interface AliasReason {
  /**
   * "api" is somebody's request; "promotion", "rollback", "abort" and "rollout" are a rollout's;
   * "version_deletion", "model_deletion" and "rename" follow from what was done to its target.
   */
  readonly cause:
    | "api"
    | "promotion"
    | "rollback"
    | "abort"
    | "rollout"
    | "version_deletion"
    | "model_deletion"
    | "rename";
  /** The rollout's id, where one moved it. */
  readonly rollout?: string | undefined;
}

/** One move of an alias. */
export interface AliasChange {
  readonly alias: string;
  /** null when it was removed. */
  readonly version: string | null;
  /** null when it was new. */
  readonly previous: string | null;
  readonly timeMs: number;
  readonly cause: AliasReason["cause"];
  readonly rollout: string | null;
}

/** A move as it is recorded: versions are numbers, null where there is none. */
export interface AliasMove {
  readonly model: string;
  readonly alias: string;
  readonly version: number | null;
  readonly previous: number | null;
}

/**
 * Records a move in the transaction that makes it; what moves nothing is not recorded. Of each alias
 * the newest LIMITS.aliasChangesMax are kept.
 */
export function recordAliasMove(
  tx: Transaction,
  { model, alias, version, previous }: AliasMove,
  { nowMs, reason }: { nowMs: number; reason: AliasReason },
): void {
  if (version === previous) return;
  tx.run(
    "INSERT INTO model_alias_change VALUES (NULL, ?, ?, ?, ?, ?, ?, ?)",
    model,
    alias,
    version,
    previous,
    nowMs,
    reason.cause,
    reason.rollout ?? null,
  );
  tx.run(
    `DELETE FROM model_alias_change WHERE model = ? AND alias = ? AND id <= (
      SELECT id FROM model_alias_change WHERE model = ? AND alias = ?
      ORDER BY id DESC LIMIT 1 OFFSET ?)`,
    model,
    alias,
    model,
    alias,
    LIMITS.aliasChangesMax,
  );
}

/** @returns alias → version number of a registered model's row */
export function aliasesOf(reader: Reader, model: number): { alias: string; version: number }[] {
  return reader.all<{ alias: string; version: number }>(
    "SELECT alias, version FROM model_alias WHERE model = ? ORDER BY alias",
    model,
  );
}

/** @returns the newest moves first, those of a model that is gone too */
export function readAliasChanges(
  reader: Reader,
  model: string,
  { alias, limit }: { alias: string | undefined; limit: number },
): AliasChange[] {
  return reader.all<
    {
      alias: string;
      version: number | null;
      previous: number | null;
      changed_ms: number;
      cause: AliasReason["cause"];
      rollout: string | null;
    }
  >(
    `SELECT alias, version, previous, changed_ms, cause, rollout FROM model_alias_change
      WHERE model = ?${alias === undefined ? "" : " AND alias = ?"} ORDER BY id DESC LIMIT ?`,
    ...[model, ...(alias === undefined ? [] : [alias]), limit],
  ).map((row) => ({
    alias: row.alias,
    version: row.version === null ? null : String(row.version),
    previous: row.previous === null ? null : String(row.previous),
    timeMs: row.changed_ms,
    cause: row.cause,
    rollout: row.rollout,
  }));
}
