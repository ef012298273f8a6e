import { VERSION } from "../core/mod.ts";
import { datasetDigest } from "../dataset/mod.ts";
import { type MetricPoint, type RunLog, thinHistory } from "./run_log.ts";
import type { ResolvedSpec } from "./spec.ts";
import { resolveTarget, type TrainedModel, trainModel, type TrainRequest } from "./train_model.ts";

/** What is done with a model beside training it. */
export interface TrackingOptions {
  /** The registered model that becomes a version of; undefined: none. */
  readonly register?: string;
  /** Further tags of the run: where its rows came from, who asked for it. */
  readonly runTags?: Readonly<Record<string, string>>;
  /** Tags that the version is made with. */
  readonly versionTags?: Readonly<Record<string, string>>;
  /** Keeps the model's folder, before anything is uploaded. */
  readonly save: (trained: TrainedModel) => Promise<void>;
}

/**
 * Trains a model as a run of an experiment: parameters, tags, loss history, metrics, the model's files
 * and, when asked, a version in the registry. Whatever fails, the run is marked FAILED.
 *
 * @returns the model, and the version that it was registered as
 * @throws {SerinError} what {@linkcode trainModel} or the log throws
 */
export async function trainTracked(
  request: TrainRequest,
  log: RunLog,
  options: TrackingOptions,
): Promise<{ trained: TrainedModel; version: string | undefined }> {
  const spec = resolveTarget(request);
  const runId = await log.start({
    experiment: spec.experiment,
    name: spec.name,
    params: { ...flatten(spec), rows: String(request.dataset.rows) },
    tags: {
      ...options.runTags,
      "serin.version": VERSION,
      "serin.dataset": datasetDigest(request.dataset),
      "serin.spec": JSON.stringify(spec),
    },
  });
  try {
    const trained = await trainModel({ ...request, runId });
    await options.save(trained);
    await log.logMetrics(metricPoints(trained));
    await log.logModel(trained.files);
    const version = options.register === undefined
      ? undefined
      : await log.register(options.register, options.versionTags ?? {});
    await log.finish("FINISHED");
    return { trained, version };
  } catch (thrown) {
    // The first error is the one to tell of.
    await log.finish("FAILED").catch(() => {});
    throw thrown;
  }
}

function metricPoints({ evaluation, validationLosses }: TrainedModel): MetricPoint[] {
  const step = evaluation.trees;
  const points = thinHistory("validation_loss", validationLosses);
  for (const [key, value] of Object.entries(evaluation.metrics)) {
    if (value !== null) points.push({ key, value, step });
  }
  for (const [key, value] of Object.entries(evaluation.validation ?? {})) {
    if (value !== null) points.push({ key: `validation_${key}`, value, step });
  }
  points.push({ key: "trees", value: evaluation.trees, step });
  return points;
}

/** `{gbdt: {trees: 5}}` becomes `{"gbdt.trees": "5"}`. */
function flatten(spec: ResolvedSpec): Record<string, string> {
  const params: Record<string, string> = {};
  const visit = (value: unknown, name: string) => {
    if (typeof value === "object" && value !== null && !Array.isArray(value)) {
      for (const [key, part] of Object.entries(value)) {
        visit(part, name === "" ? key : `${name}.${key}`);
      }
    } else if (value !== undefined) {
      params[name] = typeof value === "string" ? value : JSON.stringify(value);
    }
  };
  visit(spec, "");
  return params;
}
