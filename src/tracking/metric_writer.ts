import type { Transaction } from "../database/mod.ts";
import type { Metric } from "./entities.ts";
import type { RunRow } from "./run_reader.ts";
import { checkKey, checkLength, invalidValue, TRACKING_LIMITS } from "./validation.ts";

/** @param path where it stands in the request, e.g. "metrics[0]" or "" */
export function checkMetric(metric: Metric, path: string): void {
  const at = (name: string) => path === "" ? name : `${path}.${name}`;
  checkKey(metric.key, at("name"));
  if (metric.timestamp < 0) {
    throw invalidValue(
      at("timestamp"),
      metric.timestamp,
      `metric '${metric.key}' (value=${pythonFloat(metric.value)}). ` +
        "Timestamp must be a nonnegative long (64-bit integer) ",
    );
  }
  checkLength("Metric name", TRACKING_LIMITS.keyCharactersMax, metric.key);
}

/** A double as Python writes it: 1.0, nan, inf. */
function pythonFloat(value: number): string {
  if (Number.isInteger(value) && Math.abs(value) < 1e16) return value.toFixed(1);
  return String(value).replace("Infinity", "inf").replace("NaN", "nan");
}

interface Stored {
  value: number;
  isNan: number;
}

/** NaN as 0 with a flag, an infinity as the largest double of its sign, as MLflow stores them. */
function toStored(value: number): Stored {
  if (Number.isNaN(value)) return { value: 0, isNan: 1 };
  return { value: Math.max(-Number.MAX_VALUE, Math.min(Number.MAX_VALUE, value)), isNan: 0 };
}

interface Series {
  id: number;
  value: number;
  step: number;
  timestamp: number;
}

/** Adds points to a run's metrics (the same point twice is one) and moves each one's newest. */
export function writeMetrics(tx: Transaction, run: RunRow, metrics: readonly Metric[]): void {
  for (const metric of metrics) {
    const stored = toStored(metric.value);
    writePoint(tx, run.id, metric, stored);
    if (metric.modelId !== undefined) writeModelMetric(tx, run, metric, stored);
  }
}

function writePoint(tx: Transaction, run: number, metric: Metric, stored: Stored): void {
  const series = tx.get<Series>(
    "SELECT id, value, step, timestamp FROM metric_series WHERE run = ? AND key = ?",
    run,
    metric.key,
  );
  const { value, isNan } = stored;
  const { step, timestamp } = metric;
  const id = series?.id ??
    tx.run(
      "INSERT INTO metric_series VALUES (NULL, ?, ?, ?, ?, ?, ?)",
      run,
      metric.key,
      value,
      isNan,
      step,
      timestamp,
    ).lastInsertRowid;
  const insert = "INSERT INTO metric_point VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING";
  tx.run(insert, id, timestamp, step, value, isNan);
  if (series === undefined || !isNewer([step, timestamp, value], series)) return;
  tx.run(
    "UPDATE metric_series SET value = ?, is_nan = ?, step = ?, timestamp = ? WHERE id = ?",
    value,
    isNan,
    step,
    timestamp,
    id,
  );
}

/** By step, then timestamp, then value. */
function isNewer([step, timestamp, value]: [number, number, number], old: Series): boolean {
  if (step !== old.step) return step > old.step;
  if (timestamp !== old.timestamp) return timestamp > old.timestamp;
  return value > old.value;
}

function writeModelMetric(tx: Transaction, run: RunRow, metric: Metric, stored: Stored): void {
  const model = tx.get<{ id: number }>(
    "SELECT id FROM logged_model WHERE model_id = ?",
    metric.modelId!,
  );
  // A model of another server: the run's own point is kept.
  if (model === undefined) return;
  tx.run(
    "INSERT INTO logged_model_metric VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
    model.id,
    run.run_id,
    metric.key,
    stored.value,
    stored.isNan,
    metric.step,
    metric.timestamp,
    metric.datasetName ?? null,
    metric.datasetDigest ?? null,
  );
}
