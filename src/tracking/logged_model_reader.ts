import type { Reader } from "../database/mod.ts";
import { type LoggedModel, MODEL_STATUSES, type Stage } from "./entities.ts";
import { toMetric } from "./run_reader.ts";

/** A row of the table of logged models. */
export interface LoggedModelRow {
  id: number;
  model_id: string;
  experiment: number;
  name: string;
  artifact_location: string;
  created_ms: number;
  updated_ms: number;
  status: number;
  stage: Stage;
  model_type: string;
  source_run_id: string;
}

/** Adds params, tags and metrics. */
export function loadModels(reader: Reader, rows: readonly LoggedModelRow[]): LoggedModel[] {
  return rows.map((row) => ({
    modelId: row.model_id,
    experimentId: String(row.experiment),
    name: row.name,
    artifactLocation: row.artifact_location,
    createdMs: row.created_ms,
    updatedMs: row.updated_ms,
    status: MODEL_STATUSES[row.status],
    modelType: row.model_type,
    sourceRunId: row.source_run_id,
    params: reader.all("SELECT key, value FROM logged_model_param WHERE model = ?", row.id),
    tags: reader.all("SELECT key, value FROM logged_model_tag WHERE model = ?", row.id),
    metrics: reader.all<MetricRow>(
      "SELECT * FROM logged_model_metric WHERE model = ? ORDER BY id LIMIT ?",
      row.id,
      METRICS_SHOWN_MAX,
    ).map((metric) => ({
      ...toMetric(metric),
      modelId: row.model_id,
      runId: metric.run_id,
      datasetName: metric.dataset_name ?? undefined,
      datasetDigest: metric.dataset_digest ?? undefined,
    })),
  }));
}

/** Most points that one logged model is shown with. */
const METRICS_SHOWN_MAX = 10_000;

interface MetricRow {
  run_id: string;
  key: string;
  value: number;
  is_nan: number;
  step: number;
  timestamp: number;
  dataset_name: string | null;
  dataset_digest: string | null;
}
