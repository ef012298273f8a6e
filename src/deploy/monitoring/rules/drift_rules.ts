import { BY, promql, type RuleOptions, withoutColumns } from "../rule_options.ts";
import type { Alert, AlertGroup, InputSeries } from "../rule_shape.ts";
import { counter, gauge } from "../sample_values.ts";

/** Rows in the last hour below which drift is no matter. */
const ROWS_MIN = 1000;
/** Share of values that are missing more often than in training. */
const NULLS_MORE_MAX = 0.05;
/** Share of values that training never saw. */
const UNSEEN_MAX = 0.05;

const VERSION = 'model="electricity",model_version="1"';
const VERSION_LABELS = { model: "electricity", model_version: "1" };
const COLUMN = `${VERSION},column="nswdemand"`;
const COLUMN_LABELS = { ...VERSION_LABELS, column: "nswdemand" };

const ROWS: InputSeries = {
  series: `serin_feature_rows_total{${VERSION},instance="a:8081"}`,
  values: counter([{ rate: 22, minutes: 120 }]),
};
const FEW_ROWS: InputSeries = { ...ROWS, values: counter([{ rate: 10, minutes: 120 }]) };

/**
 * What a version is asked and answers, against its training profile. The gauges are a replica's; their
 * mean is taken, so that one replica that saw few rows does not decide.
 */
export function driftGroup(options: RuleOptions): AlertGroup {
  return {
    name: "serin-drift",
    recordings: [{
      record: "version:serin_feature_rows:increase",
      expr:
        `sum by (${BY.version}) (increase(serin_feature_rows_total[${options.times.driftRows}]))`,
    }],
    alerts: [
      inputDrift(options),
      inputNulls(options),
      inputUnseen(options),
      predictionDrift(options),
    ],
  };
}

/** A column's condition, where enough rows were seen. */
function ofEnoughRows(condition: string): string {
  return promql(
    condition,
    `and on (${BY.version}) version:serin_feature_rows:increase >= ${ROWS_MIN}`,
  );
}

function columnGauge(name: string, value: number, instance = "a:8081"): InputSeries {
  return { series: `${name}{${COLUMN},instance="${instance}"}`, values: gauge(value, 120) };
}

/** A near miss of each column that is left out. */
function quietColumns(names: readonly string[], metric: string, value: number) {
  return names.map((column) => ({
    name: `in ${column}, which is left out`,
    series: [ROWS, {
      series: `${metric}{${VERSION},column=${JSON.stringify(column)},instance="a:8081"}`,
      values: gauge(value, 120),
    }],
    at: "110m" as const,
  }));
}

function inputDrift({ settings: { psiMax, driftIgnoreColumns }, times }: RuleOptions): Alert {
  const name = "serin_feature_drift_psi", limit = Number(psiMax);
  const gauges = `${name}${withoutColumns(driftIgnoreColumns)}`;
  return {
    name: "SerinInputDrift",
    severity: "ticket",
    expr: ofEnoughRows(`avg by (${BY.column}) (${gauges}) > ${psiMax}`),
    for: times.driftFor,
    summary:
      "{{ $labels.model }} {{ $labels.model_version }}: the column {{ $labels.column }} is " +
      `distributed otherwise than in training (PSI above ${psiMax})`,
    action: "Find out whether the world or the pipeline has changed: repair the pipeline, or " +
      "retrain on rows of the new world.",
    retrain: true,
    fires: [{
      name: "when a column is a tenth above the limit",
      series: [ROWS, columnGauge(name, limit * 1.1)],
      at: "110m",
      labels: COLUMN_LABELS,
    }],
    quiet: [
      {
        name: "a tenth below the limit",
        series: [ROWS, columnGauge(name, limit * 0.9)],
        at: "110m",
      },
      {
        name: "when few rows say so",
        series: [FEW_ROWS, columnGauge(name, limit * 4)],
        at: "110m",
      },
      ...quietColumns(driftIgnoreColumns, name, limit * 4),
      {
        name: "when one replica of three is far off and the others are not",
        series: [
          ROWS,
          columnGauge(name, limit * 2),
          columnGauge(name, limit / 5, "b:8081"),
          columnGauge(name, limit / 5, "c:8081"),
        ],
        at: "110m",
      },
      {
        name: "before it has lasted",
        series: [ROWS, {
          ...columnGauge(name, 0),
          values: `${gauge(limit * 0.9, 89)} ${gauge(limit * 1.1, 30)}`,
        }],
        at: "110m",
      },
    ],
  };
}

function inputNulls({ times }: RuleOptions): Alert {
  const name = "serin_feature_null_ratio", reference = "serin_feature_reference_null_ratio";
  return {
    name: "SerinInputNulls",
    severity: "ticket",
    expr: ofEnoughRows(promql(
      `avg by (${BY.column}) (${name})`,
      `- avg by (${BY.column}) (${reference}) > ${NULLS_MORE_MAX}`,
    )),
    for: times.driftFor,
    summary:
      "{{ $labels.model }} {{ $labels.model_version }}: the column {{ $labels.column }} is " +
      "empty in {{ $value | humanizePercentage }} more of the rows than in training",
    action: "Find the step of the pipeline that loses the column's values, and repair it; the " +
      "model answers meanwhile as it does for unknown values.",
    fires: [{
      name: "at 6 points above training",
      series: [ROWS, columnGauge(name, 0.0625), columnGauge(reference, 0)],
      at: "110m",
      labels: COLUMN_LABELS,
      value: "6.25%",
    }],
    quiet: [{
      name: "when training had as many",
      series: [ROWS, columnGauge(name, 0.5), columnGauge(reference, 0.47)],
      at: "110m",
    }, {
      name: "when few rows say so",
      series: [FEW_ROWS, columnGauge(name, 0.5), columnGauge(reference, 0)],
      at: "110m",
    }],
  };
}

function inputUnseen({ settings: { driftIgnoreColumns }, times }: RuleOptions): Alert {
  const name = "serin_feature_unseen_ratio";
  const gauges = `${name}${withoutColumns(driftIgnoreColumns)}`;
  return {
    name: "SerinInputUnseen",
    severity: "ticket",
    expr: ofEnoughRows(`avg by (${BY.column}) (${gauges}) > ${UNSEEN_MAX}`),
    for: times.driftFor,
    summary: "{{ $labels.model }} {{ $labels.model_version }}: {{ $value | humanizePercentage }} " +
      "of the values of {{ $labels.column }} were never seen in training",
    action: "Compare units and codes with the training data; repair the pipeline, or retrain if " +
      "the new values are right.",
    retrain: true,
    fires: [{
      name: "at 6 % of the values",
      series: [ROWS, columnGauge(name, 0.0625)],
      at: "110m",
      labels: COLUMN_LABELS,
      value: "6.25%",
    }],
    quiet: [
      {
        name: "at 4 %",
        series: [ROWS, columnGauge(name, 0.04)],
        at: "110m",
      },
      ...quietColumns(driftIgnoreColumns, name, 0.5),
      {
        name: "when few rows say so",
        series: [FEW_ROWS, columnGauge(name, 0.5)],
        at: "110m",
      },
    ],
  };
}

function predictionDrift({ settings: { psiMax }, times }: RuleOptions): Alert {
  const series = `serin_prediction_drift_psi{${VERSION},instance="a:8081"}`;
  const at = (value: number) => ({ series, values: gauge(value, 120) });
  return {
    name: "SerinPredictionDrift",
    severity: "ticket",
    expr: ofEnoughRows(
      `avg by (${BY.version}) (serin_prediction_drift_psi) > ${psiMax}`,
    ),
    for: times.driftFor,
    summary:
      "{{ $labels.model }} {{ $labels.model_version }} predicts otherwise than on rows held " +
      `out from training (PSI above ${psiMax})`,
    action: "Look at the columns that drift and at the realised error: if labels confirm the " +
      "predictions, the world has changed; if not, retrain or move the alias back.",
    fires: [{
      name: "a tenth above the limit",
      series: [ROWS, at(Number(psiMax) * 1.1)],
      at: "110m",
      labels: VERSION_LABELS,
    }],
    quiet: [{
      name: "a tenth below the limit",
      series: [ROWS, at(Number(psiMax) * 0.9)],
      at: "110m",
    }, {
      name: "when few rows say so",
      series: [FEW_ROWS, at(Number(psiMax) * 4)],
      at: "110m",
    }],
  };
}
