import { z } from "zod";

/** What can be measured of a binary classifier. */
export const BINARY_METRICS = ["auc", "log_loss", "accuracy", "brier"] as const;
/** What can be measured of a regression. */
export const REGRESSION_METRICS = ["rmse", "mae"] as const;

const floor = (description: string) =>
  z.strictObject({ min: z.number() }).optional().meta({ description });
const ceiling = (description: string) =>
  z.strictObject({ max: z.number().min(0) }).optional().meta({ description });

const comparison = z.strictObject({
  margin: z.number().min(0).optional().meta({
    description: "How much worse the candidate may be, in the metric's unit",
  }),
  margin_share: z.number().min(0).max(1).optional().meta({
    description: "The same as a share of the champion's value; one of the two",
  }),
  require: z.enum(["not_worse", "better"]).default("not_worse").meta({
    description: "not_worse: by no more than the margin; better: shown to be better",
  }),
}).refine((given) => given.margin === undefined || given.margin_share === undefined, {
  path: ["margin_share"],
  message: "give margin or margin_share, not both",
});
const compared = (unless: string) =>
  comparison.optional().meta({ description: `Default margin: ${unless}` });

const slice = z.union([
  z.string().min(1),
  z.strictObject({ column: z.string().min(1), bins: z.int().min(2).max(100).optional() }),
]);

/** `gate.yaml`: what a version must show before it may be deployed. Strict; all has a default. */
export const gateSpecSchema = z.strictObject({
  objective: z.enum(["binary", "regression"]).optional().meta({
    description: "Default: what the candidate says of itself, else binary",
  }),
  target: z.string().min(1).optional().meta({
    description: "The column with the truth; default the one that the candidate was trained for",
  }),
  positive: z.union([z.string(), z.number()]).optional().meta({
    description: "The class whose probability is judged; default the later of the two in order",
  }),
  absolute: z.strictObject({
    auc: floor("Area under the ROC curve, 0 to 1"),
    accuracy: floor("Share of rows whose class is right"),
    log_loss: ceiling("Mean negative log likelihood, nats"),
    brier: ceiling("Mean squared distance of the probability from 0 or 1"),
    ece: ceiling("Expected calibration error, 15 bins of equal width"),
    calibration_slope: z.strictObject({
      min: z.number().default(0.8),
      max: z.number().default(1.25),
    }).optional().meta({ description: "Cox's slope: below 1 too extreme, above 1 too cautious" }),
    rmse: ceiling("Root of the mean squared error, the target's unit"),
    mae: ceiling("Mean absolute error, the target's unit"),
    judge_by: z.enum(["interval", "estimate"]).default("interval").meta({
      description: "interval: the whole interval keeps the limit; estimate: the value alone",
    }),
  }).prefault({}),
  relative: z.strictObject({
    auc: compared("0.005"),
    log_loss: compared("0.005"),
    accuracy: compared("0.01"),
    brier: compared("0.0025"),
    rmse: compared("2 % of the champion's"),
    mae: compared("2 % of the champion's"),
  }).optional().meta({
    description: "Against the champion; default auc and log_loss, or rmse. {}: nothing",
  }),
  test: z.strictObject({
    alpha: z.number().gt(0).max(0.5).default(0.05).meta({
      description: "Chance of a false claim, both sides of an interval together",
    }),
    power: z.number().min(0.5).lt(1).default(0.8).meta({
      description: "How surely the rows that are asked for would tell",
    }),
    rows_min: z.int().min(2).default(200).meta({
      description: "With fewer rows nothing is judged",
    }),
    class_rows_min: z.int().min(1).default(20).meta({
      description: "With fewer rows of either class nothing is judged",
    }),
    block_rows: z.union([z.literal("auto"), z.int().min(1)]).default("auto").meta({
      description: "So many rows in a row are one unit, e.g. a day of a time series; 1: each row " +
        "for itself; auto: blocks where rows that follow each other prove to be alike",
    }),
    block_column: z.string().min(1).optional().meta({
      description: "Rows that are equal there are one unit, e.g. those of one customer",
    }),
  }).refine((test) => test.block_rows === "auto" || test.block_column === undefined, {
    path: ["block_column"],
    message: "give block_rows or block_column, not both",
  }).prefault({}),
  slices: z.strictObject({
    columns: z.array(slice).max(50).default([]).meta({
      description: "Columns to slice by; numbers in bins of about equally many rows",
    }),
    bins: z.int().min(2).max(100).default(4).meta({ description: "Bins of a numeric column" }),
    values_max: z.int().min(1).max(200).default(20).meta({
      description: "Most values of a text column; the rarer ones are one slice",
    }),
    metrics: z.array(z.enum([...BINARY_METRICS, ...REGRESSION_METRICS])).min(1).optional().meta({
      description: "Default: those of relative",
    }),
    margin_factor: z.number().min(0).max(100).default(2).meta({
      description: "A slice may be worse by so many times the metric's margin",
    }),
    rows_min: z.int().min(20).default(200).meta({ description: "Smaller slices are not judged" }),
    require: z.enum(["not_shown_worse", "not_worse"]).default("not_shown_worse").meta({
      description: "not_worse: every slice must be shown not worse; takes many rows",
    }),
  }).prefault({}),
  latency: z.strictObject({
    ratio_max: z.number().gt(0).nullable().default(2).meta({
      description: "Median time of one row, by the champion's; null: no limit",
    }),
    median_ms_max: z.number().gt(0).optional().meta({
      description: "The same in milliseconds, on the machine of the gate; default no limit",
    }),
    rounds: z.int().min(50).max(100_000).default(400).meta({
      description: "Rows that both answer in turn",
    }),
  }).prefault({}),
  size: z.strictObject({
    ratio_max: z.number().gt(0).nullable().default(null).meta({
      description: "Bytes of the ONNX file, by the champion's; null: no limit",
    }),
    bytes_max: z.int().min(1).optional().meta({ description: "Default no limit" }),
  }).prefault({}),
  schema: z.strictObject({
    dropped_inputs: z.enum(["refuse", "warn"]).default("refuse").meta({
      description: "Columns that live callers send and the candidate does not take",
    }),
    dropped_outputs: z.enum(["refuse", "warn"]).default("refuse").meta({
      description: "Outputs that live callers read and the candidate does not give",
    }),
  }).prefault({}),
});

/** A parsed `gate.yaml`. */
export type GateSpec = z.output<typeof gateSpecSchema>;
/** What the candidate must show against the champion in one metric. */
export type Requirement = z.output<typeof comparison>;

/** What others call the settings; for "did you mean" only. */
export const GATE_SYNONYMS: Readonly<Record<string, string>> = {
  label: "target",
  pos_label: "positive",
  positive_class: "positive",
  thresholds: "absolute",
  champion: "relative",
  roc_auc: "auc",
  logloss: "log_loss",
  binary_logloss: "log_loss",
  cross_entropy: "log_loss",
  acc: "accuracy",
  brier_score: "brier",
  expected_calibration_error: "ece",
  threshold: "min",
  tolerance: "margin",
  delta: "margin",
  min_rows: "rows_min",
  cluster: "block_column",
  group: "block_column",
  groups: "block_column",
  block: "block_rows",
  confidence: "alpha",
  significance: "alpha",
  max_ratio: "ratio_max",
  max_bytes: "bytes_max",
  ms_max: "median_ms_max",
};
