import { z } from "zod";

const share = z.number().min(0).max(0.9);
const seed = z.int().min(0).max(4294967295);

/**
 * `train.yaml`: everything that shapes a model beside the data. Strict, and every value has a default.
 */
export const trainSpecSchema = z.strictObject({
  objective: z.enum(["binary", "regression"]).default("binary").meta({
    description: "binary: the probability of a class (log loss); regression: a number (L2)",
  }),
  target: z.string().min(1).optional().meta({
    description: "The column to predict; --target comes first",
  }),
  features: z.strictObject({
    ignore: z.array(z.string()).default([]).meta({
      description: "Columns that are not used; all others but the target are",
    }),
  }).prefault({}),
  split: z.strictObject({
    kind: z.enum(["time", "random", "stratified"]).default("random").meta({
      description: "time: in the order of the rows; stratified: by chance within each class",
    }),
    validation: share.default(0.2).meta({
      description: "Share of the rows for early stopping and calibration",
    }),
    test: share.default(0.2).meta({ description: "Share of the rows that the metrics are from" }),
    seed: seed.optional().meta({ description: "Default: the seed below" }),
  }).prefault({}),
  gbdt: z.strictObject({
    trees: z.int().min(1).max(10_000).default(200).meta({ description: "Most boosting rounds" }),
    learning_rate: z.number().gt(0).max(1).default(0.1),
    leaves: z.int().min(2).max(1024).default(31).meta({ description: "Most leaves of a tree" }),
    max_depth: z.int().min(0).max(100).default(0).meta({ description: "0: no limit" }),
    min_data_in_leaf: z.int().min(1).default(20).meta({
      description: "Least rows of a leaf, estimated from the hessian as LightGBM does",
    }),
    lambda_l2: z.number().min(0).default(0),
    bins: z.int().min(2).max(255).default(255).meta({ description: "Most bins of a feature" }),
    early_stopping: z.int().min(0).default(20).meta({
      description: "Rounds without a better validation loss before it stops; 0: never",
    }),
  }).prefault({}),
  calibration: z.enum(["platt", "none"]).optional().meta({
    description: "Default: platt for binary, none for regression",
  }),
  seed: seed.default(0),
  experiment: z.string().min(1).max(500).default("Default").meta({
    description: "MLflow experiment that the run belongs to",
  }),
  name: z.string().min(1).max(250).optional().meta({ description: "The run's name" }),
}).superRefine((spec, context) => {
  const problem = (path: string[], message: string) =>
    context.addIssue({ code: "custom", path, message });
  const { validation, test, kind } = spec.split;
  if (validation + test >= 0.95) {
    problem(["split"], "validation and test together must leave 5% of the rows to train on");
  }
  if (spec.objective === "regression") {
    if (kind === "stratified") problem(["split", "kind"], "stratified needs classes (binary)");
    if (spec.calibration === "platt") problem(["calibration"], "platt needs classes (binary)");
  }
  if (validation === 0) {
    if (spec.gbdt.early_stopping > 0) {
      problem(["gbdt", "early_stopping"], "must be 0 where split.validation is 0");
    }
    if (spec.objective === "binary" && spec.calibration !== "none") {
      problem(["calibration"], "must be none where split.validation is 0");
    }
  }
});

/** A parsed `train.yaml`. */
export type TrainSpec = z.output<typeof trainSpecSchema>;

/** What LightGBM, XGBoost and scikit-learn call serin's settings; for "did you mean" only. */
export const SPEC_SYNONYMS: Readonly<Record<string, string>> = {
  num_leaves: "leaves",
  max_leaves: "leaves",
  max_leaf_nodes: "leaves",
  num_iterations: "trees",
  num_boost_round: "trees",
  num_trees: "trees",
  n_estimators: "trees",
  max_iter: "trees",
  eta: "learning_rate",
  shrinkage_rate: "learning_rate",
  max_bin: "bins",
  max_bins: "bins",
  min_data: "min_data_in_leaf",
  min_child_samples: "min_data_in_leaf",
  min_samples_leaf: "min_data_in_leaf",
  reg_lambda: "lambda_l2",
  lambda: "lambda_l2",
  l2_regularization: "lambda_l2",
  early_stopping_round: "early_stopping",
  early_stopping_rounds: "early_stopping",
  n_iter_no_change: "early_stopping",
  random_state: "seed",
  label: "target",
  ignore_column: "ignore",
  drop: "ignore",
};

/** A spec with nothing left open. */
export type ResolvedSpec = TrainSpec & {
  readonly target: string;
  readonly calibration: "platt" | "none";
  readonly split: { readonly seed: number };
};

/** Fills in what depends on other settings; the keys stand in the schema's order. */
export function resolveSpec(spec: TrainSpec & { readonly target: string }): ResolvedSpec {
  const { objective, target, features, split, gbdt, calibration, seed, experiment, name } = spec;
  return {
    objective,
    target,
    features,
    split: { ...split, seed: split.seed ?? seed },
    gbdt,
    calibration: calibration ?? (objective === "binary" ? "platt" : "none"),
    seed,
    experiment,
    ...(name === undefined ? {} : { name }),
  };
}
