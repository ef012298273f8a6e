import { SerinError, sha256Hex, VERSION } from "../core/mod.ts";
import { type Dataset, datasetDigest, splitRows } from "../dataset/mod.ts";
import { evaluate, type Evaluation } from "./evaluation.ts";
import { type Frame, getTarget, selectFeatures, takeRows } from "./frame.ts";
import { GbdtTrainer } from "./gbdt.ts";
import { buildGraph } from "./graph.ts";
import { logisticLoss } from "./loss/logistic.ts";
import { squaredLoss } from "./loss/squared.ts";
import { modelFolder } from "./model_folder.ts";
import { type Calibration, fitPlatt } from "./platt.ts";
import { Predictor } from "./predictor.ts";
import { profileColumn, profileProbabilities } from "./profile.ts";
import {
  checkParity,
  type NamedColumn,
  PARITY_ROWS_MAX,
  type ReferenceRunner,
} from "./reference.ts";
import { type ResolvedSpec, resolveSpec, type TrainSpec } from "./spec.ts";
import { binaryLabels, type Labels, numericLabels } from "./target.ts";
import type { Fitted, LabelledRows, OnRound } from "./trainer.ts";
import { ensembleScores, type TreeEnsemble } from "./tree_ensemble.ts";
import { toYaml } from "./yaml_text.ts";

/** What {@linkcode trainModel} works with. */
export interface TrainRequest {
  readonly dataset: Dataset;
  readonly spec: TrainSpec;
  /** The column to predict; default the spec's. */
  readonly target?: string;
  /** The runtime that the model must agree with before it is given out. */
  readonly reference: ReferenceRunner;
  /** The tracked run; default 32 hexadecimal digits that follow from data and spec. */
  readonly runId?: string;
  /** The moment of training, milliseconds since the epoch; no part of `model.onnx`. */
  readonly now: number;
  readonly onRound?: OnRound;
}

/** A finished model. */
export interface TrainedModel {
  readonly runId: string;
  /** SHA-256 of `model.onnx`, hexadecimal. */
  readonly modelSha256: string;
  /** The model's folder: content by file name. */
  readonly files: ReadonlyMap<string, Uint8Array>;
  readonly evaluation: Evaluation;
  readonly predictor: Predictor;
  readonly spec: ResolvedSpec;
  /** Mean validation loss after each round. */
  readonly validationLosses: readonly number[];
}

/** Rows that `input_example.json` shows. */
const EXAMPLE_ROWS = 5;

/**
 * Trains, calibrates, checks and evaluates a model. Pure but for the reference runtime: the same data
 * and spec give the same `model.onnx`, byte for byte.
 *
 * @throws {SerinError} `invalid_data` for data that cannot be learned from, `not_found` for columns
 * that are not there, `configuration` without a target, `internal` when onnxruntime disagrees
 *
 * @example A model of a table, checked by onnxruntime
 * ```ts ignore
 * const trained = await trainModel({
 *   dataset: await readCsv(await Deno.readFile("data/elec2.csv")),
 *   spec: trainSpecSchema.parse({ target: "target", split: { kind: "time" } }),
 *   reference: ortReference(), // commands/train_run.ts
 *   now: Date.now(),
 * });
 * console.log(trained.evaluation.metrics.auc, trained.files.get("model.onnx"));
 * ```
 */
export async function trainModel(request: TrainRequest): Promise<TrainedModel> {
  const { dataset } = request;
  const spec = resolveTarget(request);
  const labels = readLabels(dataset, spec);
  const frame = selectFeatures(dataset, spec.target, spec.features.ignore);
  const parts = splitParts(frame, labels, spec);
  const fitted = fit(parts, spec, request.onRound);
  const { ensemble } = fitted;
  const scores = scoreParts(ensemble, parts);
  const { calibration, described } = calibrate(scores.validation, parts.validation, spec);
  const { objective } = spec;
  const predictor = new Predictor({ features: frame.names, ensemble, objective, calibration });
  const digest = datasetDigest(dataset);
  const model = buildGraph(predictor, labels.classes, modelMetadata(spec, labels, digest));
  const held = heldOut(predictor, parts, scores);
  const parity = await checkAgainst(request.reference, model, predictor, held);
  const evaluation: Evaluation = {
    objective,
    target: spec.target,
    classes: labels.classes ?? null,
    rows: {
      train: parts.train.rows,
      validation: parts.validation.rows,
      test: parts.test.rows,
    },
    ...measure(objective, held),
    trees: ensemble.trees.length,
    calibration: described,
    parity_difference: parity,
    dataset_digest: digest,
  };
  const modelSha256 = sha256Hex(model);
  const runId = request.runId ?? sha256Hex(`${digest}\n${specText(spec)}`).slice(0, 32);
  const files = modelFolder({
    ...{ model, modelSha256, runId, now: request.now, spec, evaluation },
    features: frame.names,
    classes: labels.classes,
    profiles: profiles(predictor, parts, held.test.predictions),
    example: nameColumns(predictor, held.test.part, EXAMPLE_ROWS),
  });
  const { validationLosses } = fitted;
  return { runId, modelSha256, files, evaluation, predictor, spec, validationLosses };
}

interface Parts {
  readonly train: LabelledRows;
  readonly validation: LabelledRows;
  readonly test: LabelledRows;
}

/** The spec with its target and with all that follows from other settings. */
export function resolveTarget(request: Pick<TrainRequest, "spec" | "target">): ResolvedSpec {
  const target = request.target ?? request.spec.target;
  if (target === undefined) {
    throw new SerinError("configuration", "No target column is named", {
      hint: "give --target COLUMN, or target: in train.yaml",
    });
  }
  return resolveSpec({ ...request.spec, target });
}

function readLabels(dataset: Dataset, spec: ResolvedSpec): Labels {
  const column = getTarget(dataset, spec.target);
  return spec.objective === "binary" ? binaryLabels(column) : numericLabels(column);
}

function splitParts(frame: Frame, labels: Labels, spec: ResolvedSpec): Parts {
  const split = splitRows(labels.values.length, { ...spec.split, classes: labels.values });
  const parts = {
    train: takeRows(frame, labels.values, split.train),
    validation: takeRows(frame, labels.values, split.validation),
    test: takeRows(frame, labels.values, split.test),
  };
  const needed = 2 * spec.gbdt.min_data_in_leaf;
  if (parts.train.rows < needed) {
    throw new SerinError(
      "invalid_data",
      `${labels.values.length} rows are too few: ${parts.train.rows} are left to train on and a ` +
        `split needs ${needed}`,
      { hint: "give more rows, or lower gbdt.min_data_in_leaf" },
    );
  }
  if (spec.objective === "binary" && isConstant(parts.train.labels)) {
    throw new SerinError(
      "invalid_data",
      `The target "${spec.target}" has one class only in the training part`,
      { hint: "set split: {kind: stratified} in train.yaml, or give more rows" },
    );
  }
  return parts;
}

function fit(parts: Parts, { gbdt, objective }: ResolvedSpec, onRound?: OnRound): Fitted {
  const trainer = new GbdtTrainer(objective === "binary" ? logisticLoss : squaredLoss, {
    trees: gbdt.trees,
    bins: gbdt.bins,
    earlyStopping: gbdt.early_stopping,
    leaves: gbdt.leaves,
    maxDepth: gbdt.max_depth,
    minDataInLeaf: gbdt.min_data_in_leaf,
    lambdaL2: gbdt.lambda_l2,
    learningRate: gbdt.learning_rate,
  });
  return trainer.fit(parts.train, parts.validation, onRound);
}

/** Raw scores of the rows that were not trained on. */
function scoreParts(ensemble: TreeEnsemble, { validation, test }: Parts) {
  return {
    validation: ensembleScores(ensemble, validation.features, validation.rows),
    test: ensembleScores(ensemble, test.features, test.rows),
  };
}

function calibrate(
  scores: Float32Array,
  validation: LabelledRows,
  spec: ResolvedSpec,
): { calibration: Calibration | undefined; described: Evaluation["calibration"] } {
  const none = { calibration: undefined, described: { method: "none" } } as const;
  if (spec.calibration === "none") return none;
  const calibration = fitPlatt(scores, validation.labels);
  if (calibration === undefined) {
    const reason = "the validation part has one class only, or the model is no better than chance";
    return { calibration: undefined, described: { method: "none", reason } };
  }
  return { calibration, described: { method: "platt", ...calibration } };
}

/** A part with its predictions. */
interface Predicted {
  readonly name: "train" | "validation" | "test";
  readonly part: LabelledRows;
  readonly predictions: Float32Array;
}

/** The parts that quality is measured on; where one has no rows, the part before it stands in. */
interface HeldOut {
  readonly validation: Predicted;
  readonly test: Predicted;
}

function heldOut(
  predictor: Predictor,
  parts: Parts,
  scores: { validation: Float32Array; test: Float32Array },
): HeldOut {
  const of = (name: "validation" | "test"): Predicted | undefined =>
    parts[name].rows === 0
      ? undefined
      : { name, part: parts[name], predictions: predictor.fromScores(scores[name]) };
  const { train } = parts;
  const ofTrain = (): Predicted => ({
    name: "train",
    part: train,
    predictions: predictor.predict(train.features, train.rows),
  });
  const validation = of("validation"), test = of("test");
  const last = test ?? validation ?? ofTrain();
  return { validation: validation ?? last, test: last };
}

function modelMetadata(spec: ResolvedSpec, labels: Labels, digest: string): Record<string, string> {
  return {
    "serin.version": VERSION,
    "serin.objective": spec.objective,
    "serin.target": spec.target,
    "serin.classes": JSON.stringify(labels.classes ?? null),
    "serin.missing_values": "allowed",
    "serin.dataset": digest,
    "serin.spec": `sha256:${sha256Hex(specText(spec))}`,
  };
}

/** What shapes the model: not the names that a run is filed under. */
function specText({ experiment: _, name: __, ...spec }: ResolvedSpec): string {
  return toYaml(spec as unknown as Parameters<typeof toYaml>[0]);
}

async function checkAgainst(
  reference: ReferenceRunner,
  model: Uint8Array,
  predictor: Predictor,
  { validation: { part, predictions } }: HeldOut,
): Promise<number> {
  const columns = nameColumns(predictor, part, PARITY_ROWS_MAX);
  return await checkParity(reference, model, columns, predictions.subarray(0, PARITY_ROWS_MAX));
}

function measure(objective: "binary" | "regression", { validation, test }: HeldOut) {
  const on = ({ predictions, part }: Predicted) => evaluate(objective, predictions, part.labels);
  return {
    evaluated_on: test.name,
    metrics: on(test),
    validation: validation.name === "validation" ? on(validation) : null,
  };
}

/** Features on the training part; predictions on rows that were not trained on, where there are. */
function profiles(predictor: Predictor, { train }: Parts, predictions: Float32Array) {
  const columns = predictor.features.map((name, f) => profileColumn(name, train.features[f]));
  const profile = predictor.objective === "binary" ? profileProbabilities : profileColumn;
  return [...columns, profile("prediction", predictions)];
}

function nameColumns(predictor: Predictor, part: LabelledRows, rowsMax: number): NamedColumn[] {
  return predictor.features.map((name, f) => ({
    name,
    values: part.features[f].slice(0, rowsMax),
  }));
}

function isConstant(values: Float64Array): boolean {
  return values.every((value) => value === values[0]);
}
