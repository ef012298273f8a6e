import { LIMITS, SerinError } from "../core/mod.ts";
import type { Page, Reader, Transaction } from "../database/mod.ts";
import {
  type AliasChange,
  aliasesOf,
  type AliasReason,
  readAliasChanges,
  recordAliasMove,
} from "./alias_history.ts";
import type { RegistryContext } from "./context.ts";
import { isPrompt, type KeyValue, type ModelVersion, type RegisteredModel } from "./entities.ts";
import { type ModelSearch, searchModels } from "./model_search.ts";
import { getModelRow, getVersionRow, latestVersions, toModel, toVersion } from "./reader.ts";
import {
  checkAlias,
  checkAliasFree,
  checkLength,
  checkModelName,
  checkTag,
  checkTagKey,
  invalid,
  parseStage,
  REGISTRY_LIMITS,
  STAGES,
} from "./validation.ts";

const CHANGES_LISTED = 100;
const BY_REQUEST: AliasReason = { cause: "api" };

/** Names, their tags and their aliases. */
export class RegisteredModels {
  readonly #context: RegistryContext;

  constructor(context: RegistryContext) {
    this.#context = context;
  }

  /** @throws {SerinError} `already_exists`; `invalid_input` for a wrong name or tag */
  create(name: string, description = "", tags: readonly KeyValue[] = []): RegisteredModel {
    checkModelName(name);
    checkDescription(description);
    for (const { key, value } of tags) checkTag(key, value);
    const { database, clock } = this.#context;
    return database.transaction((tx) => {
      refuseTaken(tx, name, isPrompt(tags));
      const now = clock.now();
      const { lastInsertRowid: id } = tx.run(
        "INSERT INTO registered_model VALUES (NULL, ?, ?, ?, ?)",
        name,
        description,
        now,
        now,
      );
      for (const { key, value } of tags) writeTag(tx, id, key, value);
      return toModel(tx, getModelRow(tx, name));
    });
  }

  /** @throws {SerinError} `not_found` */
  get(name: string): RegisteredModel {
    return this.#context.database.read((reader) => toModel(reader, getModelRow(reader, name)));
  }

  /** @returns whether the name is a prompt's. @throws {SerinError} `not_found` */
  isPrompt(name: string): boolean {
    return this.#context.database.read((reader) =>
      isPrompt(toModel(reader, getModelRow(reader, name)).tags)
    );
  }

  /** @throws {SerinError} `not_found` */
  describe(name: string, description: string): RegisteredModel {
    checkDescription(description);
    const { database, clock } = this.#context;
    return database.transaction((tx) => {
      const { id } = getModelRow(tx, name);
      const sql = "UPDATE registered_model SET description = ?, updated_ms = ? WHERE id = ?";
      tx.run(sql, description, clock.now(), id);
      return toModel(tx, getModelRow(tx, name));
    });
  }

  /** Versions, tags and aliases go with the name. @throws {SerinError} `not_found`, `already_exists` */
  rename(name: string, newName: string): RegisteredModel {
    if (newName.trim() === "") throw invalid("Missing value for required parameter 'new_name'.");
    checkModelName(newName);
    const { database, clock } = this.#context;
    return database.transaction((tx) => {
      const { id } = getModelRow(tx, name);
      if (newName !== name && findId(tx, newName) !== undefined) {
        throw new SerinError(
          "already_exists",
          `Registered Model (name=${newName}) already exists.`,
        );
      }
      const now = clock.now();
      const sql = "UPDATE registered_model SET name = ?, updated_ms = ? WHERE id = ?";
      tx.run(sql, newName, now, id);
      tx.run("UPDATE model_version SET updated_ms = ? WHERE model = ?", now, id);
      if (newName !== name) moveHistory(tx, { id, name, newName, nowMs: now });
      return toModel(tx, getModelRow(tx, newName));
    });
  }

  /** Deletes the name with its versions and aliases, for good. @throws {SerinError} `not_found` */
  delete(name: string): void {
    const { database, clock } = this.#context;
    database.transaction((tx) => {
      const { id } = getModelRow(tx, name);
      const noted = { nowMs: clock.now(), reason: { cause: "model_deletion" } } as const;
      for (const { alias, version: previous } of aliasesOf(tx, id)) {
        recordAliasMove(tx, { model: name, alias, version: null, previous }, noted);
      }
      tx.run("DELETE FROM model_alias WHERE model = ?", id);
      tx.run("DELETE FROM registered_model WHERE id = ?", id);
    });
  }

  /** @throws {SerinError} `not_found`; `invalid_input` for a wrong tag */
  setTag(name: string, key: string, value: string): void {
    checkModelName(name);
    checkTag(key, value);
    this.#context.database.transaction((tx) => writeTag(tx, getModelRow(tx, name).id, key, value));
  }

  /** A tag that is not there is no error. @throws {SerinError} `not_found` for the model */
  deleteTag(name: string, key: string): void {
    checkModelName(name);
    checkTagKey(key);
    this.#context.database.transaction((tx) => {
      const { id } = getModelRow(tx, name);
      tx.run("DELETE FROM registered_model_tag WHERE model = ? AND key = ?", id, key);
    });
  }

  /**
   * @param reason for the alias's history, which the same transaction writes
   * @throws {SerinError} `not_found` for the version; `invalid_input` for a wrong or reserved alias
   */
  setAlias(name: string, alias: string, version: string, reason: AliasReason = BY_REQUEST): void {
    checkModelName(name);
    checkAlias(alias);
    checkAliasFree(alias);
    const { database, clock } = this.#context;
    database.transaction((tx) => {
      const row = getVersionRow(tx, name, version);
      const previous = findAlias(tx, row.model, alias) ?? null;
      tx.run(
        "INSERT INTO model_alias VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET version = excluded.version",
        row.model,
        alias,
        row.version,
      );
      const move = { model: row.name, alias, version: row.version, previous };
      recordAliasMove(tx, move, { nowMs: clock.now(), reason });
    });
  }

  /**
   * An alias that is not there is no error.
   *
   * @param reason for the alias's history, which the same transaction writes
   * @throws {SerinError} `not_found` for the model
   */
  removeAlias(name: string, alias: string, reason: AliasReason = BY_REQUEST): void {
    checkModelName(name);
    checkAlias(alias);
    const { database, clock } = this.#context;
    database.transaction((tx) => {
      const { id } = getModelRow(tx, name);
      const previous = findAlias(tx, id, alias) ?? null;
      tx.run("DELETE FROM model_alias WHERE model = ? AND alias = ?", id, alias);
      const move = { model: name, alias, version: null, previous };
      recordAliasMove(tx, move, { nowMs: clock.now(), reason });
    });
  }

  /**
   * The moves of a model's aliases; they outlive aliases, versions and the model itself.
   *
   * @param options.alias default all
   * @param options.limit rows, 1 to LIMITS.aliasChangesMax; default 100
   * @returns the newest first
   * @throws {SerinError} `not_found` for a name that never was; `invalid_input` for the limit
   */
  aliasChanges(
    name: string,
    options: { alias?: string | undefined; limit?: number | undefined } = {},
  ): AliasChange[] {
    const { alias, limit = CHANGES_LISTED } = options;
    checkModelName(name);
    if (!Number.isInteger(limit) || limit < 1 || limit > LIMITS.aliasChangesMax) {
      throw invalid(`limit must be a number from 1 to ${LIMITS.aliasChangesMax}: ${limit}`);
    }
    return this.#context.database.read((reader) => {
      const changes = readAliasChanges(reader, name, { alias, limit });
      if (changes.length === 0) getModelRow(reader, name);
      return changes;
    });
  }

  /**
   * @param alias "latest" is the newest version
   * @throws {SerinError} `not_found` for the model; `invalid_input` for the alias, as MLflow has it
   */
  getByAlias(name: string, alias: string): ModelVersion {
    checkModelName(name);
    checkAlias(alias);
    return this.#context.database.read((reader) => {
      const { id } = getModelRow(reader, name);
      if (alias.toLowerCase() === "latest") {
        const newest = latestVersions(reader, id).at(-1);
        if (newest !== undefined) return newest;
        throw new SerinError("not_found", `Latest version not found for model ${name}.`);
      }
      const found = findAlias(reader, id, alias);
      if (found === undefined) throw invalid(`Registered model alias ${alias} not found.`);
      return toVersion(reader, getVersionRow(reader, name, String(found)));
    });
  }

  /** @returns the newest version of each stage asked for; of every stage where none is */
  latestVersions(name: string, stages: readonly string[] = []): ModelVersion[] {
    const wanted = (stages.length === 0 ? STAGES : stages).map(parseStage);
    return this.#context.database.read((reader) =>
      latestVersions(reader, getModelRow(reader, name).id)
        .filter(({ stage }) => wanted.includes(stage))
    );
  }

  /** @throws {SerinError} `invalid_input` for a wrong filter, order, limit or token */
  search(search: ModelSearch): Page<RegisteredModel> {
    return searchModels(this.#context.database, search);
  }
}

function findId(reader: Reader, name: string): number | undefined {
  return reader.get<{ id: number }>("SELECT id FROM registered_model WHERE name = ?", name)?.id;
}

function findAlias(reader: Reader, model: number, alias: string): number | undefined {
  const sql = "SELECT version FROM model_alias WHERE model = ? AND alias = ?";
  return reader.get<{ version: number }>(sql, model, alias)?.version;
}

/** A history is never rewritten: the aliases end under the old name and begin under the new one. */
function moveHistory(
  tx: Transaction,
  { id, name, newName, nowMs }: { id: number; name: string; newName: string; nowMs: number },
): void {
  const noted = { nowMs, reason: { cause: "rename" } } as const;
  for (const { alias, version } of aliasesOf(tx, id)) {
    recordAliasMove(tx, { model: name, alias, version: null, previous: version }, noted);
    recordAliasMove(tx, { model: newName, alias, version, previous: null }, noted);
  }
}

function refuseTaken(reader: Reader, name: string, asPrompt: boolean): void {
  if (findId(reader, name) === undefined) return;
  const isTakenByPrompt = isPrompt(toModel(reader, getModelRow(reader, name)).tags);
  const kind = (prompt: boolean) => prompt ? "Prompt" : "Registered Model";
  if (isTakenByPrompt !== asPrompt) {
    throw new SerinError(
      "already_exists",
      `Tried to create a ${kind(asPrompt).toLowerCase()} with name '${name}', but the name is ` +
        `already taken by a ${
          kind(isTakenByPrompt).toLowerCase()
        }. MLflow does not allow creating ` +
        "a model and a prompt with the same name.",
    );
  }
  throw new SerinError("already_exists", `${kind(asPrompt)} (name=${name}) already exists.`);
}

function checkDescription(description: string): void {
  checkLength("description", REGISTRY_LIMITS.descriptionCharactersMax, description);
}

function writeTag(tx: Transaction, model: number, key: string, value: string): void {
  const sql = `INSERT INTO registered_model_tag VALUES (?, ?, ?)
    ON CONFLICT DO UPDATE SET value = excluded.value`;
  tx.run(sql, model, key, value);
}
