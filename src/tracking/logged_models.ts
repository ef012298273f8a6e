import { SerinError } from "../core/mod.ts";
import type { Page, Reader, Transaction } from "../database/mod.ts";
import type { TrackingContext } from "./context.ts";
import { type KeyValue, type LoggedModel, MODEL_STATUSES, type ModelStatus } from "./entities.ts";
import { checkActive, getExperiment } from "./experiments.ts";
import { type LoggedModelSearch, searchLoggedModels } from "./logged_model_search.ts";
import { generateId, generateName, joinUri } from "./names.ts";
import { loadModels, type LoggedModelRow } from "./logged_model_reader.ts";
import { checkLength, invalid, pythonRepr, TRACKING_LIMITS } from "./validation.ts";

/** What a new logged model begins with. */
export interface NewLoggedModel {
  readonly experimentId: string;
  /** Undefined: one is made up. */
  readonly name?: string;
  readonly modelType: string;
  readonly sourceRunId: string;
  readonly params: readonly KeyValue[];
  readonly tags: readonly KeyValue[];
}

/** Models that runs logged. */
export class LoggedModels {
  readonly #context: TrackingContext;

  constructor(context: TrackingContext) {
    this.#context = context;
  }

  /** @throws {SerinError} `not_found` for the experiment; `invalid_input` for a wrong name or key */
  create(model: NewLoggedModel): LoggedModel {
    checkModelName(model.name);
    const { database, clock, random } = this.#context;
    return database.transaction((tx) => {
      const experiment = getExperiment(tx, model.experimentId);
      checkActive(experiment);
      const modelId = `m-${generateId(random)}`;
      const now = clock.now();
      const { lastInsertRowid: id } = tx.run(
        "INSERT INTO logged_model VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, 'active', ?, ?)",
        modelId,
        Number(experiment.id),
        model.name ?? generateName(random),
        joinUri(experiment.artifactLocation, "models", modelId, "artifacts"),
        now,
        now,
        MODEL_STATUSES.indexOf("PENDING"),
        model.modelType,
        model.sourceRunId,
      );
      writeParams(tx, id, model.params);
      writeTags(tx, id, model.tags);
      return loadModels(tx, [getRow(tx, modelId)])[0];
    });
  }

  /** @throws {SerinError} `not_found`, for a deleted one too unless `deletedToo` */
  get(modelId: string, deletedToo = false): LoggedModel {
    return this.#context.database.read((reader) => {
      const row = getRow(reader, modelId);
      if (row.stage === "deleted" && !deletedToo) throw notFound(modelId);
      return loadModels(reader, [row])[0];
    });
  }

  /** @returns undefined where there is none, or it was deleted */
  find(modelId: string): LoggedModel | undefined {
    return this.#context.database.read((reader) => {
      const row = findRow(reader, modelId);
      return row === undefined || row.stage === "deleted"
        ? undefined
        : loadModels(reader, [row])[0];
    });
  }

  /** Says that the model's files are there, or could not be. @throws {SerinError} `not_found` */
  finalize(modelId: string, status: ModelStatus): LoggedModel {
    const { database, clock } = this.#context;
    return database.transaction((tx) => {
      const { id } = getRow(tx, modelId);
      const sql = "UPDATE logged_model SET status = ?, updated_ms = ? WHERE id = ?";
      tx.run(sql, MODEL_STATUSES.indexOf(status), clock.now(), id);
      return loadModels(tx, [getRow(tx, modelId)])[0];
    });
  }

  /** @throws {SerinError} `not_found` */
  delete(modelId: string): void {
    const { database, clock } = this.#context;
    database.transaction((tx) => {
      const sql = "UPDATE logged_model SET stage = 'deleted', updated_ms = ? WHERE id = ?";
      tx.run(sql, clock.now(), getRow(tx, modelId).id);
    });
  }

  /** @throws {SerinError} `not_found`; `invalid_input` for a param that has another value already */
  logParams(modelId: string, params: readonly KeyValue[]): void {
    this.#context.database.transaction((tx) => writeParams(tx, getRow(tx, modelId).id, params));
  }

  /** @throws {SerinError} `not_found` */
  setTags(modelId: string, tags: readonly KeyValue[]): void {
    this.#context.database.transaction((tx) => writeTags(tx, getRow(tx, modelId).id, tags));
  }

  /** @throws {SerinError} `not_found` where there is no such tag or model */
  deleteTag(modelId: string, key: string): void {
    this.#context.database.transaction((tx) => {
      const { id } = getRow(tx, modelId);
      if (tx.run("DELETE FROM logged_model_tag WHERE model = ? AND key = ?", id, key).changes > 0) {
        return;
      }
      throw new SerinError(
        "not_found",
        `No tag with key ${pythonRepr(key)} found for model with ID ${pythonRepr(modelId)}.`,
      );
    });
  }

  /** @throws {SerinError} `invalid_input` for a wrong filter, order or token */
  search(search: LoggedModelSearch): Page<LoggedModel> {
    return searchLoggedModels(this.#context.database, search);
  }
}

function notFound(modelId: string): SerinError {
  return new SerinError("not_found", `Logged model with ID '${modelId}' not found.`);
}

function findRow(reader: Reader, modelId: string): LoggedModelRow | undefined {
  return reader.get<LoggedModelRow>("SELECT * FROM logged_model WHERE model_id = ?", modelId);
}

function getRow(reader: Reader, modelId: string): LoggedModelRow {
  const row = findRow(reader, modelId);
  if (row === undefined) throw notFound(modelId);
  return row;
}

function checkModelName(name: string | undefined): void {
  if (name === undefined) return;
  if (name !== "" && !/[/:.%"']/.test(name)) {
    checkLength("name", TRACKING_LIMITS.experimentNameCharactersMax, name);
    return;
  }
  throw invalid(
    `Invalid model name (${
      pythonRepr(name)
    }) provided. Model name must be a non-empty string and ` +
      `cannot contain the following characters: ('/', ':', '.', '%', '"', "'")`,
  );
}

function writeParams(tx: Transaction, model: number, params: readonly KeyValue[]): void {
  for (const { key, value } of params) {
    checkLength("Param key", TRACKING_LIMITS.keyCharactersMax, key);
    checkLength("Param value", TRACKING_LIMITS.paramValueCharactersMax, value);
    const old = tx.get<{ value: string }>(
      "SELECT value FROM logged_model_param WHERE model = ? AND key = ?",
      model,
      key,
    );
    if (old === undefined) {
      tx.run("INSERT INTO logged_model_param VALUES (?, ?, ?)", model, key, value);
    } else if (old.value !== value) {
      throw invalid(
        `Changing param values is not allowed. Param with key='${key}' was already logged with ` +
          `value='${old.value}'. Attempted logging new value '${value}'.`,
      );
    }
  }
}

function writeTags(tx: Transaction, model: number, tags: readonly KeyValue[]): void {
  for (const { key, value } of tags) {
    checkLength("key", TRACKING_LIMITS.keyCharactersMax, key);
    checkLength("value", TRACKING_LIMITS.runTagValueCharactersMax, value);
    tx.run(
      "INSERT INTO logged_model_tag VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET value = excluded.value",
      model,
      key,
      value,
    );
  }
}
