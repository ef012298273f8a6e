import { bars, CHOSEN, CHOSEN_PLACE, lines, makeDashboard, number } from "./panels.ts";

const VERSION = "{{model}} v{{model_version}}";
const RATE = "[$__rate_interval]";
const of = (name: string, window: string) => `${name}{${CHOSEN},window="${window}"}`;
const byVersion = (expr: string) => `max by (model, model_version) (${expr})`;
const byColumn = (expr: string) => `avg by (model, model_version, column) (${expr})`;
const predicted = (part: string) =>
  `sum by (model, model_version) ` +
  `(rate(serin_prediction_probability_ratio_${part}{${CHOSEN}}${RATE}))`;
const labels = (more?: string) =>
  `sum by (job) (rate(serin_labels_total{${[CHOSEN_PLACE, ...more ? [more] : []]}}${RATE}))`;
const LABELS_SHOWN = `increase(serin_labels_total{${CHOSEN_PLACE}}[$__range])`;
const COLUMN = "{{column}} v{{model_version}}";

/** Of the version that is champion at the time. */
function ofChampion(expr: string): string {
  const labels = "namespace, model, model_version";
  return byVersion(`${expr} and on (${labels}) serin_model_age_seconds{alias="champion"}`);
}

/** Realised error of the champion over a window, with what is known of its certainty. */
function champion(window: string) {
  const shown = [
    ["serin_realised_error_upper_ratio", "at most"],
    ["serin_realised_error_ratio", "wrong"],
    ["serin_realised_error_lower_ratio", "at least"],
  ];
  const queries = shown.map(([name, legend]) => ({
    expr: ofChampion(of(name, window)),
    legend: `${VERSION} ${legend}`,
  }));
  const reference = ofChampion(`serin_reference_error_ratio{${CHOSEN}}`);
  return lines({
    title: `Realised error of the champion, ${window}`,
    description: `Part of wrong rows among those that it predicted in the last ${window} and are ` +
      "labelled, with a 95 % interval, and what it got wrong of rows held out from training.",
    unit: "percentunit",
    min: 0,
    queries: [...queries, { expr: reference, legend: `${VERSION} in training` }],
  });
}

/** Is the model still right, and is it asked what it was made for? */
export const quality = makeDashboard({
  name: "quality",
  title: "model quality and drift",
  description: "Realised quality by late labels, drift of inputs and predictions, age, labels.",
  modelsOf: "serin_model_age_seconds",
  rows: [
    ["Now", [
      number({
        title: "Error of the champion, 24h",
        description: "Wrong rows among those that it predicted in the last day and are labelled.",
        unit: "percentunit",
        decimals: 1,
        queries: [{
          expr: `max(${ofChampion(of("serin_realised_error_ratio", "24h"))})`,
          legend: "error",
        }],
      }),
      number({
        title: "Labelled rows, 24h",
        description: "Rows that were predicted in the last day and are labelled. Below 200 the " +
          "error is not judged.",
        unit: "short",
        limits: [],
        queries: [{ expr: `sum(${of("serin_realised_labels", "24h")})`, legend: "rows" }],
      }),
      number({
        title: "Worst column (PSI)",
        description: "The column that differs most from training: above 0.1 look, above 0.25 act.",
        unit: "none",
        decimals: 2,
        limits: [[0.1, "orange"], [0.25, "red"]],
        queries: [{
          expr: `max(${byColumn(`serin_feature_drift_psi{${CHOSEN}}`)})`,
          legend: "psi",
        }],
      }),
      number({
        title: "Predictions (PSI)",
        description: "How the predictions differ from those on rows held out from training.",
        unit: "none",
        decimals: 2,
        limits: [[0.1, "orange"], [0.25, "red"]],
        queries: [{
          expr: `max(avg by (model, model_version) (serin_prediction_drift_psi{${CHOSEN}}))`,
          legend: "psi",
        }],
      }),
      number({
        title: "Age of the champion",
        description: "Since the oldest version that an alias champion names was made.",
        unit: "s",
        decimals: 1,
        limits: [[60 * 86400, "orange"], [90 * 86400, "red"]],
        queries: [{
          expr: `max(serin_model_age_seconds{${CHOSEN},alias="champion"})`,
          legend: "age",
        }],
      }),
      number({
        title: "Since the last label",
        description: "Labels that stop coming hide a decay.",
        unit: "s",
        decimals: 0,
        limits: [[12 * 3600, "orange"], [24 * 3600, "red"]],
        queries: [{
          expr: `time() - max(serin_last_label_timestamp_seconds{${CHOSEN}})`,
          legend: "age",
        }],
      }),
    ]],
    ["Realised quality", [
      champion("1h"),
      champion("24h"),
      lines({
        title: "Realised error of every version, 1h",
        description: "Part of wrong rows among those that a version predicted in the last hour " +
          "and are labelled.",
        unit: "percentunit",
        many: true,
        min: 0,
        queries: [{ expr: byVersion(of("serin_realised_error_ratio", "1h")), legend: VERSION }],
      }),
    ]],
    ["Labels", [
      lines({
        title: "Labels a second",
        description: "Rows whose truth arrived, by the version that predicted them.",
        unit: "rowsps",
        min: 0,
        queries: [{
          expr: `sum by (model, model_version) (rate(serin_labelled_rows_total{${CHOSEN}}${RATE}))`,
          legend: VERSION,
        }],
      }),
      lines({
        title: "Delay of labels",
        description: "From a prediction to its label: half and 90 of 100 come earlier.",
        unit: "s",
        min: 0,
        queries: [0.5, 0.9].map((q) => ({
          expr: `histogram_quantile(${q}, sum by (model, le) (rate(` +
            `serin_label_delay_seconds_bucket{${CHOSEN}}${RATE})))`,
          legend: `{{model}} p${q * 100}`,
        })),
      }),
      lines({
        title: "Labels refused",
        description: "Part of the labels that came to replicas, and to the registry, which sees " +
          "again what replicas pass on. Above one half of an hour's is a ticket.",
        unit: "percentunit",
        min: 0,
        limits: [[0.5, "red"]],
        queries: [{
          expr: `${labels('outcome!="accepted"')} / (${labels()} > 0)`,
          legend: "{{job}}",
        }],
      }),
      bars({
        title: "Labels by outcome",
        description:
          "What became of the labels of the time shown, as a part of each process's; a " +
          "request that is refused whole is one.",
        unit: "percentunit",
        decimals: 1,
        min: 0,
        max: 1,
        queries: [{
          expr: `sort_desc(sum by (job, outcome) (${LABELS_SHOWN}) ` +
            `/ on (job) group_left () sum by (job) (${LABELS_SHOWN}) > 0)`,
          legend: "{{job}} {{outcome}}",
        }],
      }),
    ]],
    ["Inputs", [
      lines({
        title: "Drift of columns (PSI)",
        many: true,
        softMax: 0.3,
        description: "Population stability index of each column against training, mean of the " +
          "replicas. The lines: above 0.1 look, above 0.25 act.",
        unit: "none",
        decimals: 3,
        min: 0,
        limits: [[0.1, "orange"], [0.25, "red"]],
        queries: [{ expr: byColumn(`serin_feature_drift_psi{${CHOSEN}}`), legend: COLUMN }],
      }),
      lines({
        title: "Values never seen in training",
        many: true,
        description:
          "Part of a column's values out of training's range, or none of its few values.",
        unit: "percentunit",
        min: 0,
        limits: [[0.05, "red"]],
        queries: [{ expr: byColumn(`serin_feature_unseen_ratio{${CHOSEN}}`), legend: COLUMN }],
      }),
      lines({
        title: "Empty values",
        softMax: 0.06,
        description: "Part of rows without a value in a column, above what training had.",
        unit: "percentunit",
        limits: [[0.05, "red"]],
        queries: [{
          expr: `${byColumn(`serin_feature_null_ratio{${CHOSEN}}`)} - ` +
            byColumn(`serin_feature_reference_null_ratio{${CHOSEN}}`),
          legend: COLUMN,
        }],
      }),
      bars({
        title: "Worst columns now (PSI)",
        description: "The five columns that differ most from training, mean of the replicas.",
        unit: "none",
        decimals: 3,
        min: 0,
        max: 1,
        height: 9,
        limits: [[0.1, "orange"], [0.25, "red"]],
        queries: [{
          expr: `sort_desc(topk(5, ${byColumn(`serin_feature_drift_psi{${CHOSEN}}`)}))`,
          legend: COLUMN,
        }],
      }),
    ]],
    ["Predictions", [
      lines({
        title: "Mean predicted probability",
        description: "Of the second class, by version.",
        unit: "percentunit",
        min: 0,
        max: 1,
        queries: [{ expr: `${predicted("sum")} / ${predicted("count")}`, legend: VERSION }],
      }),
      lines({
        title: "Drift of predictions (PSI)",
        softMax: 0.3,
        description:
          "Against the predictions on rows held out from training, mean of the replicas.",
        unit: "none",
        decimals: 3,
        min: 0,
        limits: [[0.1, "orange"], [0.25, "red"]],
        queries: [{
          expr: `avg by (model, model_version) (serin_prediction_drift_psi{${CHOSEN}})`,
          legend: VERSION,
        }],
      }),
    ]],
    ["Prediction log", [
      lines({
        title: "Rows logged",
        description:
          "Rows a second that replicas write to their prediction logs, for training on " +
          "them later.",
        unit: "rowsps",
        min: 0,
        queries: [{
          expr: `sum by (model) (rate(serin_prediction_log_rows_total{${CHOSEN}}${RATE}))`,
          legend: "{{model}}",
        }],
      }),
      lines({
        title: "Size of the log",
        description:
          "Bytes in use, by process: of each replica, and of what they send theirs to. " +
          "It is a ring: the oldest rows leave.",
        unit: "bytes",
        min: 0,
        queries: [{
          expr: `serin_prediction_log_bytes{${CHOSEN_PLACE}}`,
          legend: "{{job}} {{instance}}",
        }],
      }),
    ]],
  ],
});
