import { z } from "zod";
import { SerinError } from "../core/mod.ts";

const name = z.string().trim().min(1).max(255);
const path = z.string().min(1).max(4096);

const dataSchema = z.strictObject({
  csv: z.array(path).min(1).optional().meta({
    description: "CSV files with the target; * and ? stand for parts of a file's name",
  }),
  prediction_log: z.array(path).min(1).optional().meta({
    description:
      "Folders of serve --prediction-log, one a replica; their labelled rows are used. " +
      "Without it and csv: what replicas send to this process's own --prediction-log",
  }),
  target: name.default("target").meta({ description: "The column to predict" }),
  since_days: z.number().gt(0).max(3650).optional().meta({
    description: "Of a prediction log: rows of so many days; default all that it has",
  }),
  rows_min: z.int().min(10).default(500).meta({
    description: "Fewer labelled rows: the retraining fails before it trains",
  }),
  rows_max: z.int().min(10).default(500_000).meta({ description: "The newest so many are used" }),
  holdout: z.number().min(0.05).max(0.9).default(0.3).meta({
    description: "Share of the rows, the newest, that the gate judges by and training never sees",
  }),
});

const brakesSchema = z.strictObject({
  cooldown_minutes: z.number().min(0).max(525_600).default(360).meta({
    description: "Least time from the end of one retraining to the next",
  }),
  budget_per_day: z.int().min(0).max(1000).default(2).meta({
    description: "Most retrainings that begin within 24 hours",
  }),
  new_labels_min: z.int().min(0).default(500).meta({
    description: "Least labels that the registry has counted since the last retraining began",
  }),
  same_alert_hours: z.number().min(0).max(8760).default(24).meta({
    description: "An alert that a retraining has answered is left alone for so long",
  }),
  approval: z.boolean().default(false).meta({
    description: "Whether a person must say yes: serin retrain approve ID",
  }),
  approval_hours_max: z.number().gt(0).max(8760).default(72).meta({
    description: "A retraining that nobody approved for so long is dropped",
  }),
});

const modelSchema = z.strictObject({
  model: name.meta({ description: "Registered model that is retrained" }),
  alerts: z.array(name).min(1).optional().meta({
    description: "Names of alerts that may start it; default every alert with the label model",
  }),
  data: dataSchema.prefault({}),
  train: path.optional().meta({ description: "train.yaml; default what serin train does" }),
  gate: path.optional().meta({ description: "gate.yaml; default what serin gate does" }),
  champion: name.default("champion").meta({
    description: "Alias that the new version is held against",
  }),
  challenger: name.default("challenger").meta({
    description: "Alias that a version which passes the gate gets; a rollout then begins",
  }),
  brakes: brakesSchema.prefault({}),
});

/** `retrain.yaml`: which models are retrained, on what, and what holds it back. */
export const retrainSpecSchema = z.strictObject({
  models: z.array(modelSchema).min(1).max(1000),
}).superRefine(({ models }, context) => {
  models.forEach(({ model, data, champion, challenger }, i) => {
    const problem = (at: string, message: string) =>
      context.addIssue({ code: "custom", path: ["models", i, at], message });
    if (models.findIndex((other) => other.model === model) < i) {
      problem("model", "this model has an entry already");
    }
    if (data.csv !== undefined && data.prediction_log !== undefined) {
      problem("data", "give one of csv and prediction_log");
    }
    if (data.since_days !== undefined && data.csv !== undefined) {
      problem("data", "since_days is for a prediction_log: rows of a CSV file have no time");
    }
    if (data.rows_min > data.rows_max) problem("data", "rows_min is above rows_max");
    if (champion === challenger) problem("challenger", "it must be another alias than champion");
  });
});

/** A parsed `retrain.yaml`. */
export type RetrainSpec = z.output<typeof retrainSpecSchema>;

/** What one model's retraining is made of. */
export type ModelRetraining = RetrainSpec["models"][number];

/**
 * Where a model's `data` names no rows, they are what replicas send to this process.
 *
 * @param folder of `--prediction-log`
 * @throws {SerinError} `configuration` where there is none
 */
export function useOwnLog(spec: RetrainSpec, folder: string | undefined): RetrainSpec {
  const models = spec.models.map((model) => {
    const { data } = model;
    if (data.csv !== undefined || data.prediction_log !== undefined) return model;
    if (folder !== undefined) return { ...model, data: { ...data, prediction_log: [folder] } };
    throw new SerinError(
      "configuration",
      `The data of model "${model.model}" names no rows, and replicas cannot send any here`,
      {
        hint: "give its data csv or prediction_log, or start serin retrain serve with " +
          "--prediction-log DIR",
      },
    );
  });
  return { ...spec, models };
}

/** What others call these settings; for "did you mean" only. */
export const RETRAIN_SYNONYMS: Readonly<Record<string, string>> = {
  name: "model",
  cool_down: "cooldown_minutes",
  cooldown: "cooldown_minutes",
  budget: "budget_per_day",
  min_labels: "new_labels_min",
  new_labels: "new_labels_min",
  label: "target",
  test_size: "holdout",
  path: "csv",
  log: "prediction_log",
};
