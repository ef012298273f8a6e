import { SerinError } from "../core/mod.ts";
import type { Page, Transaction } from "../database/mod.ts";
import { aliasesOf, recordAliasMove } from "./alias_history.ts";
import type { RegistryContext } from "./context.ts";
import { isPrompt, type KeyValue, type ModelVersion } from "./entities.ts";
import { type ModelSearch, searchVersions } from "./model_search.ts";
import { getModelRow, getVersionRow, toModel, toVersion } from "./reader.ts";
import { checkPromptSource, checkSource, parseModelUri } from "./source.ts";
import {
  checkLength,
  checkModelName,
  checkTag,
  checkTagKey,
  invalid,
  parseStage,
  parseVersion,
  REGISTRY_LIMITS,
} from "./validation.ts";

/** What a new version begins with. Undefined is not given, "" is given and empty. */
export interface NewVersion {
  readonly name: string;
  /** Where its files are. */
  readonly source: string;
  readonly runId?: string;
  readonly runLink?: string;
  readonly modelId?: string;
  readonly description?: string;
  readonly tags?: readonly KeyValue[];
}

/** Versions of registered models. */
export class ModelVersions {
  readonly #context: RegistryContext;

  constructor(context: RegistryContext) {
    this.#context = context;
  }

  /**
   * Registers files as the next version of a name. A `models:/` source is followed to where its files
   * are.
   *
   * @throws {SerinError} `not_found` for the name; `invalid_input` for a wrong tag, or a source that
   * the named run or logged model did not write
   */
  create(version: NewVersion): ModelVersion {
    const tags = version.tags ?? [];
    const from = this.#checkedSource(version, isPrompt(tags));
    checkModelName(version.name);
    for (const { key, value } of tags) checkTag(key, value);
    const description = version.description ?? "";
    checkLength("description", REGISTRY_LIMITS.descriptionCharactersMax, description);
    const { database, clock } = this.#context;
    return database.transaction((tx) => {
      const model = getModelRow(tx, version.name);
      const now = clock.now();
      const { last } = tx.get<{ last: number }>(
        "SELECT coalesce(max(version), 0) AS last FROM model_version WHERE model = ?",
        model.id,
      )!;
      const { lastInsertRowid: id } = tx.run(
        "INSERT INTO model_version VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?, 'None', ?, ?)",
        model.id,
        last + 1,
        description,
        from.source,
        from.storageLocation,
        from.runId,
        version.runLink ?? "",
        from.modelId,
        now,
        now,
      );
      for (const { key, value } of tags) writeTag(tx, id, key, value);
      tx.run("UPDATE registered_model SET updated_ms = ? WHERE id = ?", now, model.id);
      return toVersion(tx, getVersionRow(tx, version.name, String(last + 1)));
    });
  }

  /** @throws {SerinError} `not_found`; `invalid_input` for what is no version */
  get(name: string, version: string): ModelVersion {
    return this.#context.database.read((reader) =>
      toVersion(reader, getVersionRow(reader, name, version))
    );
  }

  /** @returns where the version's files are. @throws {SerinError} `not_found` */
  downloadUri(name: string, version: string): string {
    return this.#context.database.read((reader) =>
      getVersionRow(reader, name, version).storage_location
    );
  }

  /** @param description undefined takes it away. @throws {SerinError} `not_found` */
  describe(name: string, version: string, description: string | undefined): ModelVersion {
    checkLength("description", REGISTRY_LIMITS.descriptionCharactersMax, description ?? "");
    const { database, clock } = this.#context;
    return database.transaction((tx) => {
      const { id } = getVersionRow(tx, name, version);
      const sql = "UPDATE model_version SET description = ?, updated_ms = ? WHERE id = ?";
      tx.run(sql, description ?? null, clock.now(), id);
      return toVersion(tx, getVersionRow(tx, name, version));
    });
  }

  /**
   * Moves a version to a stage (MLflow has deprecated stages in favour of aliases).
   *
   * @param archiveOthers moves what is in that stage to Archived
   * @throws {SerinError} `not_found`; `invalid_input` for a stage that does not exist
   */
  transition(name: string, version: string, stage: string, archiveOthers: boolean): ModelVersion {
    const to = parseStage(stage);
    if (archiveOthers && to !== "Staging" && to !== "Production") {
      throw invalid(
        "Model version transition cannot archive existing model versions because " +
          `'${stage}' is not an Active stage. Valid stages are ['Staging', 'Production']`,
      );
    }
    const { database, clock } = this.#context;
    return database.transaction((tx) => {
      const row = getVersionRow(tx, name, version);
      const now = clock.now();
      if (archiveOthers) {
        tx.run(
          `UPDATE model_version SET stage = 'Archived', updated_ms = ?
            WHERE model = ? AND stage = ? AND id != ?`,
          now,
          row.model,
          to,
          row.id,
        );
      }
      tx.run("UPDATE model_version SET stage = ?, updated_ms = ? WHERE id = ?", to, now, row.id);
      tx.run("UPDATE registered_model SET updated_ms = ? WHERE id = ?", now, row.model);
      return toVersion(tx, getVersionRow(tx, name, version));
    });
  }

  /** Deletes a version and its aliases; its number is not given again. @throws {SerinError} `not_found` */
  delete(name: string, version: string): void {
    parseVersion(version);
    const { database, clock } = this.#context;
    database.transaction((tx) => {
      const row = getVersionRow(tx, name, version);
      const now = clock.now();
      const noted = { nowMs: now, reason: { cause: "version_deletion" } } as const;
      for (const { alias, version: previous } of aliasesOf(tx, row.model)) {
        if (previous !== row.version) continue;
        recordAliasMove(tx, { model: row.name, alias, version: null, previous }, noted);
      }
      tx.run("DELETE FROM model_alias WHERE model = ? AND version = ?", row.model, row.version);
      tx.run("DELETE FROM model_version_tag WHERE model_version = ?", row.id);
      tx.run(
        `UPDATE model_version SET stage = 'Deleted', updated_ms = ?, description = NULL,
          source = '', storage_location = '', run_id = '', run_link = '', model_id = ''
          WHERE id = ?`,
        now,
        row.id,
      );
      tx.run("UPDATE registered_model SET updated_ms = ? WHERE id = ?", now, row.model);
    });
  }

  /** @throws {SerinError} `not_found`; `invalid_input` for a wrong tag */
  setTag(name: string, version: string, key: string, value: string): void {
    checkModelName(name);
    parseVersion(version);
    checkTag(key, value);
    this.#context.database.transaction((tx) =>
      writeTag(tx, getVersionRow(tx, name, version).id, key, value)
    );
  }

  /** A tag that is not there is no error. @throws {SerinError} `not_found` for the version */
  deleteTag(name: string, version: string, key: string): void {
    checkModelName(name);
    parseVersion(version);
    checkTagKey(key);
    this.#context.database.transaction((tx) => {
      const { id } = getVersionRow(tx, name, version);
      tx.run("DELETE FROM model_version_tag WHERE model_version = ? AND key = ?", id, key);
    });
  }

  /** @throws {SerinError} `invalid_input` for a wrong filter, order, limit or token */
  search(search: ModelSearch): Page<ModelVersion> {
    return searchVersions(this.#context.database, search);
  }

  #checkedSource(version: NewVersion, prompt: boolean): ResolvedSource {
    const { source, runId = "", modelId = "" } = version;
    const { sourcePattern, sources } = this.#context;
    checkLength("source", REGISTRY_LIMITS.sourceCharactersMax, source);
    if (sourcePattern !== undefined && !sourcePattern.test(source)) {
      throw invalid(`Invalid model version source: '${source}'.`);
    }
    if (prompt) {
      checkPromptSource(source);
      return { source, storageLocation: source, runId, modelId };
    }
    const from = this.#followVersion(version);
    checkSource(this.#context, from.source, from);
    const uri = parseModelUri(from.source);
    const loggedId = uri !== undefined && "modelId" in uri ? uri.modelId : from.modelId;
    const logged = loggedId === "" ? undefined : sources.findLoggedModel(loggedId);
    if (logged === undefined && uri !== undefined && "modelId" in uri) {
      throw new SerinError(
        "not_found",
        `Unable to fetch model from model URI source artifact location '${from.source}'.`,
      );
    }
    return {
      ...from,
      runId: from.runId || (logged?.sourceRunId ?? ""),
      storageLocation: uri !== undefined && "modelId" in uri
        ? logged!.artifactLocation
        : from.storageLocation,
    };
  }

  /** Follows `models:/name/3` and `models:/name@alias` to the version's files and lineage. */
  #followVersion(version: NewVersion): ResolvedSource {
    const { source, runId, modelId } = version;
    const uri = parseModelUri(source);
    const plain = {
      source,
      storageLocation: source,
      runId: runId ?? "",
      modelId: modelId ?? "",
    };
    if (uri === undefined || "modelId" in uri) return plain;
    return this.#context.database.read((reader) => {
      const model = toModel(reader, getModelRow(reader, uri.name));
      if (isPrompt(model.tags)) {
        throw invalid(
          `Invalid model version source: '${source}'. Prompt versions cannot be used as model ` +
            "version sources.",
        );
      }
      const number = "version" in uri
        ? uri.version
        : uri.alias === "latest"
        ? model.latestVersions.at(-1)?.version
        : model.aliases.find(({ alias }) => alias === uri.alias)?.version;
      if (number === undefined) throw invalid(`Registered model alias ${nameOf(uri)} not found.`);
      const row = getVersionRow(reader, uri.name, number);
      const differs = (runId !== undefined && runId !== row.run_id) ||
        (modelId !== undefined && modelId !== row.model_id);
      if (differs) {
        throw invalid(
          `Invalid model version source: '${source}'. The run_id and model_id request parameters ` +
            "must match the referenced model version.",
        );
      }
      return {
        source: `models:/${uri.name}/${number}`,
        storageLocation: row.storage_location,
        runId: row.run_id,
        modelId: row.model_id,
      };
    });
  }
}

function nameOf(uri: { version: string } | { alias: string }): string {
  return "alias" in uri ? uri.alias : uri.version;
}

interface ResolvedSource {
  readonly source: string;
  readonly storageLocation: string;
  readonly runId: string;
  readonly modelId: string;
}

function writeTag(tx: Transaction, version: number, key: string, value: string): void {
  const sql = `INSERT INTO model_version_tag VALUES (?, ?, ?)
    ON CONFLICT DO UPDATE SET value = excluded.value`;
  tx.run(sql, version, key, value);
}
