import type { Database } from "../database/mod.ts";

/** A version that an alias names. */
export interface VersionInUse {
  readonly model: string;
  readonly alias: string;
  readonly version: string;
  readonly createdMs: number;
  /** "" where it was registered without a run. */
  readonly runId: string;
  /** The value of the tag that was asked for. */
  readonly tag: string | undefined;
}

const LISTED_MAX = 10_000;

/**
 * @param tagKey a tag of versions whose value is wanted
 * @returns every version that an alias names, once for each alias
 */
export function versionsInUse(database: Database, tagKey: string): VersionInUse[] {
  return database.read((reader) =>
    reader.all<{
      model: string;
      alias: string;
      version: number;
      created_ms: number;
      run_id: string;
      tag: string | null;
    }>(
      `SELECT m.name AS model, a.alias, a.version, v.created_ms, v.run_id, t.value AS tag
        FROM model_alias a JOIN registered_model m ON m.id = a.model
        JOIN model_version v ON v.model = a.model AND v.version = a.version
        LEFT JOIN model_version_tag t ON t.model_version = v.id AND t.key = ?
        ORDER BY m.name, a.alias LIMIT ${LISTED_MAX}`,
      tagKey,
    )
  ).map(({ model, alias, version, created_ms, run_id, tag }) => ({
    ...{ model, alias, version: String(version) },
    createdMs: created_ms,
    runId: run_id,
    tag: tag ?? undefined,
  }));
}

/** @returns when the newest version of every model was registered, milliseconds since the epoch */
export function newestVersions(database: Database): { model: string; createdMs: number }[] {
  return database.read((reader) =>
    reader.all<{ model: string; created_ms: number }>(
      `SELECT m.name AS model, max(v.created_ms) AS created_ms
        FROM registered_model m JOIN model_version v ON v.model = m.id
        WHERE v.stage != 'Deleted' GROUP BY m.id ORDER BY m.name LIMIT ${LISTED_MAX}`,
    )
  ).map(({ model, created_ms }) => ({ model, createdMs: created_ms }));
}
