import { SerinError } from "../core/mod.ts";
import type { Page, Reader, Transaction } from "../database/mod.ts";
import type { TrackingContext } from "./context.ts";
import type { KeyValue, Metric, Run, RunInfo, RunStatus } from "./entities.ts";
import { checkActive, getExperiment } from "./experiments.ts";
import { checkMetric, writeMetrics } from "./metric_writer.ts";
import { generateId, generateName, joinUri } from "./names.ts";
import { checkRunId } from "./run_inputs.ts";
import { getActiveRun, getRunRow, loadRuns, type RunRow, toRunInfo } from "./run_reader.ts";
import { type RunSearch, searchRuns } from "./run_search.ts";
import {
  checkKey,
  checkLength,
  invalid,
  pythonRepr,
  TRACKING_LIMITS,
  truncate,
} from "./validation.ts";

/** The tag in which a run's name stands as well. */
const NAME_TAG = "mlflow.runName";
const MODELS_TAG = "mlflow.log-model.history";

/** What a new run begins with. */
export interface NewRun {
  readonly experimentId: string;
  readonly userId: string;
  readonly startedMs: number;
  /** Empty: one is made up. */
  readonly name: string;
  readonly tags: readonly KeyValue[];
}

/** What one batch logs. */
export interface RunBatch {
  readonly metrics: readonly Metric[];
  readonly params: readonly KeyValue[];
  readonly tags: readonly KeyValue[];
}

/** Runs and what they log. */
export class Runs {
  readonly #context: TrackingContext;

  constructor(context: TrackingContext) {
    this.#context = context;
  }

  /** @throws {SerinError} `not_found` for the experiment; `invalid_input` when it is deleted */
  create(run: NewRun): Run {
    const { database, random } = this.#context;
    return database.transaction((tx) => {
      const experiment = getExperiment(tx, run.experimentId);
      checkActive(experiment);
      const runId = generateId(random);
      const nameTag = run.tags.find(({ key }) => key === NAME_TAG)?.value ?? "";
      if (run.name !== "" && nameTag !== "" && run.name !== nameTag) {
        throw invalid(
          "Both 'run_name' argument and 'mlflow.runName' tag are specified, but with different " +
            `values (run_name='${run.name}', mlflow.runName='${nameTag}').`,
        );
      }
      const name = run.name || nameTag || generateName(random);
      const { lastInsertRowid: id } = tx.run(
        "INSERT INTO run VALUES (NULL, ?, ?, ?, ?, 'RUNNING', ?, NULL, ?, 'active', NULL)",
        runId,
        Number(experiment.id),
        name,
        run.userId,
        run.startedMs,
        joinUri(experiment.artifactLocation, runId, "artifacts"),
      );
      for (const { key, value } of run.tags) writeTag(tx, id, checkTag(key, value, "key"));
      writeTag(tx, id, { key: NAME_TAG, value: name });
      return loadRuns(tx, [getRunRow(tx, runId)])[0];
    });
  }

  /** @throws {SerinError} `not_found` */
  get(runId: string): Run {
    return this.#context.database.read((reader) => loadRuns(reader, [getRunRow(reader, runId)])[0]);
  }

  /** @returns the run without what it logged, or undefined */
  findInfo(runId: string): RunInfo | undefined {
    return this.#context.database.read((reader) => {
      const row = reader.get<RunRow>("SELECT * FROM run WHERE run_id = ?", runId);
      return row === undefined ? undefined : toRunInfo(row);
    });
  }

  /** Changes what is given. @throws {SerinError} `not_found`; `invalid_input` when it is deleted */
  update(
    runId: string,
    change: { status?: RunStatus; endedMs?: number; name?: string },
  ): RunInfo {
    return this.#context.database.transaction((tx) => {
      const { id } = getActiveRun(tx, runId);
      tx.run(
        "UPDATE run SET status = coalesce(?, status), ended_ms = coalesce(?, ended_ms) WHERE id = ?",
        change.status ?? null,
        change.endedMs ?? null,
        id,
      );
      if (change.name) rename(tx, id, change.name);
      return toRunInfo(getRunRow(tx, runId));
    });
  }

  /** Deletes a run; it may be restored. @throws {SerinError} `not_found` */
  delete(runId: string): void {
    this.#move(runId, "deleted", this.#context.clock.now());
  }

  /** @throws {SerinError} `not_found` */
  restore(runId: string): void {
    this.#move(runId, "active", null);
  }

  /** @throws {SerinError} `not_found`; `invalid_input` for a wrong tag or a deleted run */
  setTag(runId: string, key: string, value: string): void {
    const tag = checkTag(key, value, "key");
    this.#context.database.transaction((tx) => applyTag(tx, getActiveRun(tx, runId).id, tag));
  }

  /** @throws {SerinError} `not_found` where there is no such tag or run */
  deleteTag(runId: string, key: string): void {
    this.#context.database.transaction((tx) => {
      const { id } = getActiveRun(tx, runId);
      if (tx.run("DELETE FROM run_tag WHERE run = ? AND key = ?", id, key).changes > 0) return;
      throw new SerinError("not_found", `No tag with name: ${key} in run with id ${runId}`);
    });
  }

  /** A param keeps its first value. @throws {SerinError} `invalid_input` for another one */
  logParam(runId: string, key: string, value: string): void {
    const param = checkParam(key, value, "key");
    this.#context.database.transaction((tx) => {
      const { id } = getActiveRun(tx, runId);
      const old = findParam(tx, id, key);
      if (old === param.value) return;
      if (old !== undefined) {
        throw invalid(
          `Changing param values is not allowed. Param with key='${key}' was already logged with ` +
            `value='${old}' for run ID='${runId}'. Attempted logging new value '${param.value}'.`,
        );
      }
      tx.run("INSERT INTO run_param VALUES (?, ?, ?)", id, key, param.value);
    });
  }

  /** @throws {SerinError} `not_found`; `invalid_input` for a wrong point or a deleted run */
  logMetric(runId: string, metric: Metric): void {
    checkMetric(metric, "");
    this.#context.database.transaction((tx) => writeMetrics(tx, getActiveRun(tx, runId), [metric]));
  }

  /**
   * Logs all of it or nothing.
   *
   * @throws {SerinError} `not_found`; `invalid_input` for what is wrong or too much
   */
  logBatch(runId: string, batch: RunBatch): void {
    checkRunId(runId);
    batch.metrics.forEach((metric, i) => checkMetric(metric, `metrics[${i}]`));
    const params = batch.params.map(({ key, value }, i) =>
      checkParam(key, value, `params[${i}].key`)
    );
    const tags = batch.tags.map(({ key, value }, i) => checkTag(key, value, `tags[${i}].key`));
    checkBatchLimits(batch);
    checkUnique(params);
    this.#context.database.transaction((tx) => {
      const run = getActiveRun(tx, runId);
      writeParams(tx, run, params);
      writeMetrics(tx, run, batch.metrics);
      for (const tag of tags) applyTag(tx, run.id, tag);
    });
  }

  /** Adds to the run's list of models as old clients log them (`mlflow.log-model.history`). */
  recordModel(runId: string, model: Record<string, unknown>): void {
    this.#context.database.transaction((tx) => {
      const { id } = getActiveRun(tx, runId);
      const old = tx.get<{ value: string }>(
        "SELECT value FROM run_tag WHERE run = ? AND key = ?",
        id,
        MODELS_TAG,
      );
      const models = [...(old === undefined ? [] : JSON.parse(old.value)), model];
      const value = JSON.stringify(models);
      checkLength("value", TRACKING_LIMITS.runTagValueCharactersMax, value);
      writeTag(tx, id, { key: MODELS_TAG, value });
    });
  }

  /** @throws {SerinError} `invalid_input` for a wrong filter, order, limit or token */
  search(search: RunSearch): Page<Run> {
    return searchRuns(this.#context.database, search);
  }

  #move(runId: string, stage: "active" | "deleted", deletedMs: number | null): void {
    this.#context.database.transaction((tx) => {
      const { id } = getRunRow(tx, runId);
      tx.run("UPDATE run SET stage = ?, deleted_ms = ? WHERE id = ?", stage, deletedMs, id);
    });
  }
}

function checkTag(key: string, value: string, path: string): KeyValue {
  checkKey(key, path);
  checkLength(path, TRACKING_LIMITS.keyCharactersMax, key);
  return { key, value: truncate(value, TRACKING_LIMITS.runTagValueCharactersMax) };
}

function checkParam(key: string, value: string, path: string): KeyValue {
  checkKey(key, path);
  checkLength("Param key", TRACKING_LIMITS.keyCharactersMax, key);
  return { key, value: truncate(value, TRACKING_LIMITS.paramValueCharactersMax) };
}

function checkBatchLimits({ metrics, params, tags }: RunBatch): void {
  const check = (what: string, limit: number, count: number) => {
    if (count <= limit) return;
    throw invalid(
      `A batch logging request can contain at most ${limit} ${what}. Got ${count} ${what}. ` +
        `Please split up ${what} across multiple requests and try again.`,
    );
  };
  check("metrics", TRACKING_LIMITS.batchMetricsMax, metrics.length);
  check("params", TRACKING_LIMITS.batchParamsMax, params.length);
  check("tags", TRACKING_LIMITS.batchTagsMax, tags.length);
  const all = metrics.length + params.length + tags.length;
  check("metrics, params, and tags", TRACKING_LIMITS.batchEntitiesMax, all);
}

function checkUnique(params: readonly KeyValue[]): void {
  const seen = new Set<string>();
  const twice = params.filter(({ key }) => seen.has(key) || !seen.add(key));
  if (twice.length === 0) return;
  const keys = twice.map(({ key }) => pythonRepr(key)).join(", ");
  throw invalid(
    `Duplicate parameter keys have been submitted: [${keys}]. Please ensure the request contains ` +
      "only one param value per param key.",
  );
}

function findParam(reader: Reader, run: number, key: string): string | undefined {
  const sql = "SELECT value FROM run_param WHERE run = ? AND key = ?";
  return reader.get<{ value: string }>(sql, run, key)?.value;
}

function writeParams(tx: Transaction, run: RunRow, params: readonly KeyValue[]): void {
  const changed: string[] = [];
  for (const { key, value } of params) {
    const old = findParam(tx, run.id, key);
    if (old === undefined) tx.run("INSERT INTO run_param VALUES (?, ?, ?)", run.id, key, value);
    else if (old !== value) {
      changed.push(
        `{'key': ${pythonRepr(key)}, 'old_value': ${pythonRepr(old)}, ` +
          `'new_value': ${pythonRepr(value)}}`,
      );
    }
  }
  if (changed.length === 0) return;
  throw invalid(
    "Changing param values is not allowed. Params were already " +
      `logged='[${changed.join(", ")}]' for run ID='${run.run_id}'.`,
  );
}

/** The tag of the run's name is the run's name; an empty one changes nothing, as in MLflow. */
function applyTag(tx: Transaction, run: number, tag: KeyValue): void {
  if (tag.key !== NAME_TAG) writeTag(tx, run, tag);
  else if (tag.value !== "") rename(tx, run, tag.value);
}

function rename(tx: Transaction, run: number, name: string): void {
  tx.run("UPDATE run SET name = ? WHERE id = ?", name, run);
  writeTag(tx, run, { key: NAME_TAG, value: name });
}

function writeTag(tx: Transaction, run: number, { key, value }: KeyValue): void {
  const sql =
    "INSERT INTO run_tag VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET value = excluded.value";
  tx.run(sql, run, key, value);
}
