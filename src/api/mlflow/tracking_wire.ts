import { toWireDouble } from "../../mlflow/mod.ts";
import type {
  DatasetInput,
  Experiment,
  LoggedModel,
  Metric,
  ModelStatus,
  Run,
  RunInfo,
  View,
} from "../../tracking/mod.ts";

/** What tracking knows in MLflow's words (`service.proto`). Undefined and empty lists are left out. */

export function toWireExperiment(experiment: Experiment) {
  return {
    experiment_id: experiment.id,
    name: experiment.name,
    artifact_location: experiment.artifactLocation,
    lifecycle_stage: experiment.stage,
    last_update_time: experiment.updatedMs,
    creation_time: experiment.createdMs,
    tags: unlessEmpty(experiment.tags),
    workspace: "default",
  };
}

export function toWireRunInfo(info: RunInfo) {
  return {
    run_id: info.runId,
    run_uuid: info.runId,
    run_name: info.name,
    experiment_id: info.experimentId,
    user_id: info.userId,
    status: info.status,
    start_time: info.startedMs,
    end_time: info.endedMs || undefined,
    artifact_uri: info.artifactUri,
    lifecycle_stage: info.stage,
  };
}

export function toWireRun(run: Run) {
  return {
    info: toWireRunInfo(run),
    data: {
      metrics: unlessEmpty(run.metrics.map(toWireMetric)),
      params: unlessEmpty(run.params),
      tags: unlessEmpty(run.tags),
    },
    inputs: {
      dataset_inputs: unlessEmpty(run.datasets.map(toWireDatasetInput)),
      model_inputs: unlessEmpty(run.modelInputs.map(({ modelId }) => ({ model_id: modelId }))),
    },
    outputs: {
      model_outputs: unlessEmpty(
        run.modelOutputs.map(({ modelId, step }) => ({ model_id: modelId, step })),
      ),
    },
  };
}

export function toWireMetric(metric: Metric) {
  return {
    key: metric.key,
    value: toWireDouble(metric.value),
    timestamp: metric.timestamp,
    step: metric.step,
    model_id: metric.modelId,
    dataset_name: metric.datasetName,
    dataset_digest: metric.datasetDigest,
    run_id: metric.runId,
  };
}

function toWireDatasetInput({ dataset, tags }: DatasetInput) {
  return {
    tags: unlessEmpty(tags),
    dataset: {
      name: dataset.name,
      digest: dataset.digest,
      source_type: dataset.sourceType,
      source: dataset.source,
      schema: dataset.schema || undefined,
      profile: dataset.profile || undefined,
    },
  };
}

export function toWireLoggedModel(model: LoggedModel) {
  return {
    info: {
      model_id: model.modelId,
      experiment_id: model.experimentId,
      name: model.name,
      creation_timestamp_ms: model.createdMs,
      last_updated_timestamp_ms: model.updatedMs,
      artifact_uri: model.artifactLocation,
      status: model.status === "UNSPECIFIED"
        ? "LOGGED_MODEL_STATUS_UNSPECIFIED"
        : `LOGGED_MODEL_${model.status}`,
      model_type: model.modelType,
      source_run_id: model.sourceRunId,
      tags: unlessEmpty(model.tags),
    },
    data: {
      params: unlessEmpty(model.params),
      metrics: unlessEmpty(model.metrics.map(toWireMetric)),
    },
  };
}

const VIEWS = { ACTIVE_ONLY: "active", DELETED_ONLY: "deleted", ALL: "all" } as const;

/** @returns what a search sees; active ones where nothing is said */
export function fromWireView(view: keyof typeof VIEWS = "ACTIVE_ONLY"): View {
  return VIEWS[view];
}

/** "LOGGED_MODEL_READY" → "READY". */
export function fromWireModelStatus(status: string): ModelStatus {
  return status.replace(/^LOGGED_MODEL_(STATUS_)?/, "") as ModelStatus;
}

/** Protobuf's JSON leaves empty lists out. */
export function unlessEmpty<T>(items: readonly T[]): readonly T[] | undefined {
  return items.length === 0 ? undefined : items;
}
