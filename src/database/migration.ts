import { SerinError, sha256Hex } from "../core/mod.ts";
import type { Transaction } from "./transaction.ts";

/** One step of the schema. Once released, its text never changes: a later step changes the schema. */
export interface Migration {
  /** Unique and stable, the owner first, e.g. "tracking/0001". */
  readonly id: string;
  /** One or more statements, without BEGIN and COMMIT. */
  readonly sql: string;
}

/** @returns the SHA-256 by which a migration's text is recognised, white space at line ends apart */
export function migrationHash(migration: Migration): string {
  return sha256Hex(migration.sql.split("\n").map((line) => line.trimEnd()).join("\n").trim());
}

/** The table in which applied migrations are kept. */
export const MIGRATION_TABLE = `CREATE TABLE IF NOT EXISTS serin_migration (
  id TEXT PRIMARY KEY, sha256 TEXT NOT NULL, applied_at INTEGER NOT NULL) STRICT`;

/**
 * Compares what a database has with what this executable knows.
 *
 * @returns the migrations still to apply, in order
 * @throws {SerinError} `storage` when an applied one is unknown (a newer serin wrote the file) or
 * its text is another
 */
export function pendingMigrations(
  reader: Pick<Transaction, "all">,
  migrations: readonly Migration[],
  path: string,
): Migration[] {
  const known = new Map(migrations.map((migration) => [migration.id, migrationHash(migration)]));
  const applied = new Set<string>();
  const rows = reader.all<{ id: string; sha256: string }>("SELECT id, sha256 FROM serin_migration");
  for (const { id, sha256 } of rows) {
    const expected = known.get(id);
    if (expected === undefined) {
      throw new SerinError("storage", `Cannot open ${path}: it has migration "${id}"`, {
        hint: "a newer serin has written this data folder: use that version, or restore the copy " +
          "kept beside the database before the migration",
      });
    }
    if (expected !== sha256) {
      throw new SerinError("storage", `Cannot open ${path}: migration "${id}" was another text`, {
        hint: "another build of serin has written this data folder: use that build",
        details: { id, expected, applied: sha256 },
      });
    }
    applied.add(id);
  }
  return migrations.filter(({ id }) => !applied.has(id));
}
