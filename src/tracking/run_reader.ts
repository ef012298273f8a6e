import { SerinError } from "../core/mod.ts";
import { inList, type Reader } from "../database/mod.ts";
import type { DatasetInput, KeyValue, Metric, Run, RunInfo, RunStatus, Stage } from "./entities.ts";
import { invalid } from "./validation.ts";

/** A row of the table of runs. */
export interface RunRow {
  readonly id: number;
  readonly run_id: string;
  readonly experiment: number;
  readonly name: string;
  readonly user_id: string;
  readonly status: RunStatus;
  readonly started_ms: number;
  readonly ended_ms: number | null;
  readonly artifact_uri: string;
  readonly stage: Stage;
}

/** Rows read by one statement for the children of so many runs. */
const CHUNK_RUNS = 500;

/** @throws {SerinError} `not_found` */
export function getRunRow(reader: Reader, runId: string): RunRow {
  const row = reader.get<RunRow>("SELECT * FROM run WHERE run_id = ?", runId);
  if (row === undefined) throw new SerinError("not_found", `Run with id=${runId} not found`);
  return row;
}

/** @throws {SerinError} `not_found`; `invalid_input` where the run was deleted */
export function getActiveRun(reader: Reader, runId: string): RunRow {
  const row = getRunRow(reader, runId);
  if (row.stage === "active") return row;
  throw invalid(`The run ${runId} must be in the 'active' state. Current state is ${row.stage}.`);
}

/** @returns what the row says, without what the run logged */
export function toRunInfo(row: RunRow): RunInfo {
  return {
    runId: row.run_id,
    name: row.name,
    experimentId: String(row.experiment),
    userId: row.user_id,
    status: row.status,
    startedMs: row.started_ms,
    endedMs: row.ended_ms ?? undefined,
    artifactUri: row.artifact_uri,
    stage: row.stage,
  };
}

/** Adds to runs what they logged, a few statements for all of them. */
export function loadRuns(reader: Reader, rows: readonly RunRow[]): Run[] {
  const runs: Run[] = [];
  for (let start = 0; start < rows.length; start += CHUNK_RUNS) {
    runs.push(...loadChunk(reader, rows.slice(start, start + CHUNK_RUNS)));
  }
  return runs;
}

interface MetricRow {
  run: number;
  key: string;
  value: number;
  is_nan: number;
  step: number;
  timestamp: number;
}

interface ModelRow {
  run: number;
  direction: "input" | "output";
  model_id: string;
  step: number | null;
}

function loadChunk(reader: Reader, rows: readonly RunRow[]): Run[] {
  const ids = rows.map(({ id }) => id);
  const within = inList("run", ids);
  const read = <T extends { run: number }>(sql: string) =>
    groupByRun(reader.all<T>(`${sql} WHERE ${within.sql}`, ...within.params));
  const metrics = read<MetricRow>(
    "SELECT run, key, value, is_nan, step, timestamp FROM metric_series",
  );
  const params = read<KeyValue & { run: number }>("SELECT run, key, value FROM run_param");
  const tags = read<KeyValue & { run: number }>("SELECT run, key, value FROM run_tag");
  const models = read<ModelRow>("SELECT run, direction, model_id, step FROM run_model");
  const datasets = loadDatasets(reader, ids);
  return rows.map((row) => {
    const ofRun = models.get(row.id) ?? [];
    return {
      ...toRunInfo(row),
      metrics: (metrics.get(row.id) ?? []).map(toMetric),
      params: toPairs(params.get(row.id)),
      tags: toPairs(tags.get(row.id)),
      datasets: datasets.get(row.id) ?? [],
      modelInputs: ofRun.filter(({ direction }) => direction === "input")
        .map((model) => ({ modelId: model.model_id })),
      modelOutputs: ofRun.filter(({ direction }) => direction === "output")
        .map((model) => ({ modelId: model.model_id, step: model.step ?? undefined })),
    };
  });
}

function toPairs(rows: readonly KeyValue[] = []): KeyValue[] {
  return rows.map(({ key, value }) => ({ key, value }));
}

/** A stored point as it was logged. */
export function toMetric(row: Omit<MetricRow, "run">): Metric {
  return {
    key: row.key,
    value: row.is_nan === 1 ? NaN : row.value,
    timestamp: row.timestamp,
    step: row.step,
  };
}

interface DatasetRow {
  run: number;
  input: number;
  name: string;
  digest: string;
  source_type: string;
  source: string;
  schema: string | null;
  profile: string | null;
}

function loadDatasets(reader: Reader, runs: readonly number[]): Map<number, DatasetInput[]> {
  const within = inList("i.run", runs);
  const rows = reader.all<DatasetRow>(
    `SELECT i.run, i.id AS input, d.name, d.digest, d.source_type, d.source, d.schema, d.profile
      FROM run_dataset i JOIN dataset d ON d.id = i.dataset WHERE ${within.sql} ORDER BY i.id`,
    ...within.params,
  );
  const inputs = new Map<number, DatasetInput[]>();
  for (const row of rows) {
    const tags = reader.all<{ key: string; value: string }>(
      "SELECT key, value FROM run_dataset_tag WHERE run_dataset = ?",
      row.input,
    );
    const dataset = {
      name: row.name,
      digest: row.digest,
      sourceType: row.source_type,
      source: row.source,
      schema: row.schema ?? undefined,
      profile: row.profile ?? undefined,
    };
    const ofRun = inputs.get(row.run);
    if (ofRun === undefined) inputs.set(row.run, [{ dataset, tags }]);
    else ofRun.push({ dataset, tags });
  }
  return inputs;
}

function groupByRun<T extends { run: number }>(rows: readonly T[]): Map<number, T[]> {
  const groups = new Map<number, T[]>();
  for (const row of rows) {
    const group = groups.get(row.run);
    if (group === undefined) groups.set(row.run, [row]);
    else group.push(row);
  }
  return groups;
}
