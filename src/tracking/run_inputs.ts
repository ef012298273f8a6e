import { inList, type Transaction } from "../database/mod.ts";
import type { TrackingContext } from "./context.ts";
import type { Dataset, DatasetInput } from "./entities.ts";
import { getActiveRun, type RunRow } from "./run_reader.ts";
import {
  checkLength,
  invalid,
  invalidValue,
  parseExperimentId,
  TRACKING_LIMITS,
} from "./validation.ts";

/** Most datasets that one summary shows. */
const SUMMARIES_MAX = 1000;

/** A dataset of an experiment and the role that runs read it in. */
export interface DatasetSummary {
  readonly experimentId: string;
  readonly name: string;
  readonly digest: string;
  readonly context: string | undefined;
}

/** What runs read and made. */
export class RunInputs {
  readonly #context: TrackingContext;

  constructor(context: TrackingContext) {
    this.#context = context;
  }

  /** The same dataset logged twice is one input. @throws {SerinError} `not_found`, `invalid_input` */
  logInputs(
    runId: string,
    datasets: readonly DatasetInput[],
    modelIds: readonly string[] = [],
  ): void {
    checkRunId(runId);
    checkCount(datasets.length + modelIds.length);
    for (const { dataset, tags } of datasets) {
      checkDataset(dataset);
      for (const { key, value } of tags) {
        checkLength("key", TRACKING_LIMITS.inputTagKeyCharactersMax, key);
        checkLength("value", TRACKING_LIMITS.inputTagValueCharactersMax, value);
      }
    }
    this.#context.database.transaction((tx) => {
      const run = getActiveRun(tx, runId);
      for (const input of datasets) writeDataset(tx, run, input);
      for (const modelId of modelIds) writeModel(tx, run, "input", modelId, null);
    });
  }

  /** @throws {SerinError} `not_found`; `invalid_input` for a deleted run */
  logOutputs(runId: string, models: readonly { modelId: string; step?: number }[]): void {
    checkCount(models.length);
    this.#context.database.transaction((tx) => {
      const run = getActiveRun(tx, runId);
      for (const { modelId, step } of models) writeModel(tx, run, "output", modelId, step ?? 0);
    });
  }

  /** @returns what datasets the experiments' runs read, at most 1000 */
  summarize(experimentIds: readonly string[]): DatasetSummary[] {
    const within = inList("d.experiment", experimentIds.map(parseExperimentId));
    return this.#context.database.read((reader) =>
      reader.all<{ experiment: number; name: string; digest: string; context: string | null }>(
        `SELECT DISTINCT d.experiment, d.name, d.digest, t.value AS context
          FROM dataset d JOIN run_dataset i ON i.dataset = d.id
          LEFT JOIN run_dataset_tag t ON t.run_dataset = i.id AND t.key = 'mlflow.data.context'
          WHERE ${within.sql} LIMIT ?`,
        ...within.params,
        SUMMARIES_MAX,
      ).map(({ experiment, name, digest, context }) => ({
        experimentId: String(experiment),
        name,
        digest,
        context: context ?? undefined,
      }))
    );
  }
}

/** @throws {SerinError} `invalid_input` for what cannot be a run's id */
export function checkRunId(runId: string): void {
  if (!/^[a-zA-Z0-9][\p{L}\p{N}_-]{0,255}$/u.test(runId)) throw invalidValue("run_id", runId);
}

function checkCount(count: number): void {
  if (count <= TRACKING_LIMITS.runInputsMax) return;
  throw invalid(`A request can log at most ${TRACKING_LIMITS.runInputsMax} inputs. Got ${count}.`);
}

function checkDataset(dataset: Dataset): void {
  checkLength("name", TRACKING_LIMITS.datasetNameCharactersMax, dataset.name);
  checkLength("digest", TRACKING_LIMITS.datasetDigestCharactersMax, dataset.digest);
  checkLength("source", TRACKING_LIMITS.datasetSourceCharactersMax, dataset.source);
  checkLength("schema", TRACKING_LIMITS.datasetSchemaCharactersMax, dataset.schema ?? "");
  checkLength("profile", TRACKING_LIMITS.datasetProfileCharactersMax, dataset.profile ?? "");
}

function writeDataset(tx: Transaction, run: RunRow, { dataset, tags }: DatasetInput): void {
  const { name, digest, sourceType, source, schema, profile } = dataset;
  const known = tx.get<{ id: number }>(
    "SELECT id FROM dataset WHERE experiment = ? AND name = ? AND digest = ?",
    run.experiment,
    name,
    digest,
  );
  const id = known?.id ??
    tx.run(
      "INSERT INTO dataset VALUES (NULL, ?, ?, ?, ?, ?, ?, ?)",
      run.experiment,
      name,
      digest,
      sourceType,
      source,
      schema ?? null,
      profile ?? null,
    ).lastInsertRowid;
  const read = "SELECT 1 FROM run_dataset WHERE run = ? AND dataset = ?";
  if (tx.get(read, run.id, id) !== undefined) return;
  const { lastInsertRowid: input } = tx.run(
    "INSERT INTO run_dataset VALUES (NULL, ?, ?)",
    run.id,
    id,
  );
  for (const { key, value } of tags) {
    tx.run(
      "INSERT INTO run_dataset_tag VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
      input,
      key,
      value,
    );
  }
}

function writeModel(
  tx: Transaction,
  run: RunRow,
  direction: "input" | "output",
  modelId: string,
  step: number | null,
): void {
  const known = tx.get(
    "SELECT 1 FROM run_model WHERE run = ? AND direction = ? AND model_id = ? AND step IS ?",
    run.id,
    direction,
    modelId,
    step,
  );
  if (known !== undefined) return;
  tx.run("INSERT INTO run_model VALUES (NULL, ?, ?, ?, ?)", run.id, direction, modelId, step);
}
