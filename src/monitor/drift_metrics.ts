import type { Metrics, Sample } from "../telemetry/mod.ts";
import type { ColumnDrift, VersionDrift } from "./drift.ts";

const LABELS = ["model", "model_version"] as const;

/** Declares the metrics of drift over the sums of all data isolates. */
export function addDriftMetrics(metrics: Metrics, read: () => readonly VersionDrift[]): void {
  const columnGauge = (
    name: string,
    help: string,
    value: (column: ColumnDrift) => number | undefined,
  ) =>
    metrics.gauge(
      { name, help, labels: [...LABELS, "column"] },
      () =>
        read().flatMap((drift) =>
          drift.columns.flatMap((column) =>
            sampleOf({ ...labelsOf(drift), column: column.column }, value(column))
          )
        ),
    );
  columnGauge(
    "serin_feature_drift_psi",
    "Population stability index of a column in the window against training, less what chance gives",
    ({ psi }) => psi.value,
  );
  columnGauge(
    "serin_feature_null_ratio",
    "Share of rows in the window that have no value in a column",
    ({ nullRatio }) => nullRatio,
  );
  columnGauge(
    "serin_feature_reference_null_ratio",
    "Share of the training rows that had no value in a column",
    ({ referenceNullRatio, rows }) => rows > 0 ? referenceNullRatio : undefined,
  );
  columnGauge(
    "serin_feature_unseen_ratio",
    "Share of a column's values in the window that are out of training's range, or none of its few",
    ({ unseenRatio }) => unseenRatio,
  );
  metrics.counter({
    name: "serin_feature_rows_total",
    help: "Rows whose columns were counted for drift",
    labels: LABELS,
  }, () => read().flatMap((drift) => sampleOf(labelsOf(drift), drift.rowsTotal)));
  metrics.gauge(
    {
      name: "serin_prediction_drift_psi",
      help:
        "Population stability index of the predictions in the window against held-out rows, less " +
        "what chance gives",
      labels: LABELS,
    },
    () => read().flatMap((drift) => sampleOf(labelsOf(drift), drift.predictionPsi?.value)),
  );
}

function labelsOf({ model, version }: VersionDrift) {
  return { model, model_version: version };
}

function sampleOf(labels: Sample["labels"], value: number | undefined): Sample[] {
  return value === undefined ? [] : [{ labels, value }];
}
