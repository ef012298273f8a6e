import { SerinError } from "../core/mod.ts";
import type { Reader } from "../database/mod.ts";
import type { KeyValue, ModelVersion, RegisteredModel } from "./entities.ts";
import { checkModelName, parseVersion, type VersionStage } from "./validation.ts";

/** A row of the table of registered models. */
export interface ModelRow {
  readonly id: number;
  readonly name: string;
  readonly description: string;
  readonly created_ms: number;
  readonly updated_ms: number;
}

/** A row of the table of versions, with its model's name. */
export interface VersionRow {
  readonly id: number;
  readonly model: number;
  readonly name: string;
  readonly version: number;
  readonly description: string | null;
  readonly source: string;
  readonly storage_location: string;
  readonly run_id: string;
  readonly run_link: string;
  readonly model_id: string;
  readonly stage: VersionStage;
  readonly created_ms: number;
  readonly updated_ms: number;
}

/** The columns of a {@linkcode VersionRow}; deleted versions are left out by the caller. */
export const VERSION_ROWS =
  "SELECT v.*, m.name FROM model_version v JOIN registered_model m ON m.id = v.model";

/** @throws {SerinError} `not_found`, `invalid_input` for a wrong name */
export function getModelRow(reader: Reader, name: string): ModelRow {
  checkModelName(name);
  const row = reader.get<ModelRow>("SELECT * FROM registered_model WHERE name = ?", name);
  if (row !== undefined) return row;
  throw new SerinError("not_found", `Registered Model with name=${name} not found`);
}

/** @throws {SerinError} `not_found`, for a deleted one too; `invalid_input` for a wrong version */
export function getVersionRow(reader: Reader, name: string, version: string): VersionRow {
  checkModelName(name);
  const number = parseVersion(version);
  const row = reader.get<VersionRow>(
    `${VERSION_ROWS} WHERE m.name = ? AND v.version = ? AND v.stage != 'Deleted'`,
    name,
    number,
  );
  if (row !== undefined) return row;
  throw new SerinError("not_found", `Model Version (name=${name}, version=${number}) not found`);
}

/** Adds tags and aliases to a version. */
export function toVersion(reader: Reader, row: VersionRow): ModelVersion {
  return {
    name: row.name,
    version: String(row.version),
    description: row.description ?? undefined,
    source: row.source,
    runId: row.run_id,
    runLink: row.run_link,
    modelId: row.model_id,
    stage: row.stage,
    createdMs: row.created_ms,
    updatedMs: row.updated_ms,
    tags: reader.all<KeyValue>(
      "SELECT key, value FROM model_version_tag WHERE model_version = ?",
      row.id,
    ),
    aliases: reader.all<{ alias: string }>(
      "SELECT alias FROM model_alias WHERE model = ? AND version = ?",
      row.model,
      row.version,
    ).map(({ alias }) => alias),
  };
}

/** Adds tags, aliases and the newest version of each stage to a registered model. */
export function toModel(reader: Reader, row: ModelRow): RegisteredModel {
  return {
    name: row.name,
    description: row.description,
    createdMs: row.created_ms,
    updatedMs: row.updated_ms,
    tags: reader.all<KeyValue>(
      "SELECT key, value FROM registered_model_tag WHERE model = ?",
      row.id,
    ),
    aliases: reader.all<{ alias: string; version: number }>(
      "SELECT alias, version FROM model_alias WHERE model = ?",
      row.id,
    ).map(({ alias, version }) => ({ alias, version: String(version) })),
    latestVersions: latestVersions(reader, row.id),
  };
}

/** @returns the newest version of each stage, the oldest of them first */
export function latestVersions(reader: Reader, model: number): ModelVersion[] {
  const rows = reader.all<VersionRow>(
    `${VERSION_ROWS} WHERE v.model = ? AND v.stage != 'Deleted' AND v.version =
      (SELECT max(w.version) FROM model_version w WHERE w.model = v.model AND w.stage = v.stage)
      ORDER BY v.version`,
    model,
  );
  return rows.map((row) => toVersion(reader, row));
}
