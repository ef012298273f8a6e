import { z } from "zod";
import { message } from "./message.ts";
import { bool, double, enumOf, int64, keyValue, text } from "./scalars.ts";

/** Requests of experiments, runs, metrics and logged models (`service.proto` of MLflow 3.17.2). */

const RUN_STATUS = { RUNNING: 1, SCHEDULED: 2, FINISHED: 3, FAILED: 4, KILLED: 5 };
const VIEW_TYPE = { ACTIVE_ONLY: 1, DELETED_ONLY: 2, ALL: 3 };
const MODEL_STATUS = {
  LOGGED_MODEL_STATUS_UNSPECIFIED: 0,
  LOGGED_MODEL_PENDING: 1,
  LOGGED_MODEL_READY: 2,
  LOGGED_MODEL_UPLOAD_FAILED: 3,
};

const tags = z.array(keyValue);
const texts = z.array(text);

const metric = z.object({
  key: text.default(""),
  value: double.default(0),
  timestamp: int64.default(0),
  step: int64.default(0),
  model_id: text.optional(),
  dataset_name: text.optional(),
  dataset_digest: text.optional(),
});

const dataset = z.object({
  name: text.default(""),
  digest: text.default(""),
  source_type: text.default(""),
  source: text.default(""),
  schema: text.optional(),
  profile: text.optional(),
});

/** Requests of experiments. */
export const experimentMessages = {
  create: message({ name: text, artifact_location: text, tags }, ["name"]),
  search: message({
    view_type: enumOf(VIEW_TYPE),
    max_results: int64,
    order_by: texts,
    filter: text,
    page_token: text,
  }),
  byId: message({ experiment_id: text }, ["experiment_id"]),
  byName: message({ experiment_name: text }, ["experiment_name"]),
  update: message({ experiment_id: text, new_name: text }, ["experiment_id", "new_name"]),
  setTag: message({ experiment_id: text, key: text, value: text }, ["experiment_id", "key"]),
  deleteTag: message({ experiment_id: text, key: text }, ["experiment_id", "key"]),
  searchDatasets: message({ experiment_ids: texts }),
};

/** Requests of runs; `listArtifacts` of their files. */
export const runMessages = {
  create: message({
    experiment_id: text,
    start_time: int64,
    run_name: text,
    user_id: text,
    tags,
  }),
  byId: message({ run_id: text }, ["run_id"]),
  update: message({
    run_id: text,
    end_time: int64,
    status: enumOf(RUN_STATUS),
    run_name: text,
  }, ["run_id"]),
  logMetric: message({
    run_id: text,
    key: text,
    value: double,
    timestamp: int64,
    step: int64,
    model_id: text,
    dataset_name: text,
    dataset_digest: text,
  }, ["run_id", "key", "value", "timestamp"]),
  logParam: message({ run_id: text, key: text, value: text }, ["run_id", "key"]),
  setTag: message({ run_id: text, key: text, value: text }, ["run_id", "key"]),
  deleteTag: message({ run_id: text, key: text }, ["run_id", "key"]),
  logBatch: message({ run_id: text, metrics: z.array(metric), params: tags, tags }, ["run_id"], {
    metrics: ["key", "value", "timestamp"],
    params: ["key"],
    tags: ["key"],
  }),
  logModel: message({ run_id: text, model_json: text }, ["run_id", "model_json"]),
  logInputs: message({
    run_id: text,
    datasets: z.array(z.object({ tags: tags.default([]), dataset: dataset.optional() })),
    models: z.array(z.object({ model_id: text.default("") })),
  }, ["run_id"]),
  logOutputs: message({
    run_id: text,
    models: z.array(z.object({ model_id: text.default(""), step: int64.default(0) })),
  }, ["run_id", "models"]),
  search: message({
    experiment_ids: texts,
    filter: text,
    run_view_type: enumOf(VIEW_TYPE),
    max_results: int64.refine((rows) => rows <= 50_000),
    order_by: texts,
    page_token: text,
  }),
  listArtifacts: message({ run_id: text, path: text, page_token: text }, ["run_id"]),
};

/** Requests of the histories of metrics. */
export const metricMessages = {
  history: message({
    run_id: text,
    metric_key: text,
    page_token: text,
    max_results: int64,
  }, ["run_id", "metric_key"]),
  historyBulk: message({ run_id: texts, metric_key: text, max_results: int64 }),
  sample: message({
    run_ids: texts,
    metric_key: text,
    start_step: int64,
    end_step: int64,
    max_results: int64,
  }, ["run_ids", "metric_key"]),
};

/** Requests of logged models. */
export const loggedModelMessages = {
  create: message({
    experiment_id: text,
    name: text,
    model_type: text,
    source_run_id: text,
    params: tags,
    tags,
  }, ["experiment_id"]),
  byId: message({ model_id: text, allow_deleted: bool }, ["model_id"]),
  finalize: message({ model_id: text, status: enumOf(MODEL_STATUS) }, ["model_id", "status"]),
  logParams: message({ model_id: text, params: tags }, ["model_id"]),
  setTags: message({ model_id: text, tags }, ["model_id"]),
  deleteTag: message({ model_id: text, tag_key: text }, ["model_id", "tag_key"]),
  listArtifacts: message({ model_id: text, artifact_directory_path: text }, ["model_id"]),
  search: message({
    experiment_ids: texts,
    filter: text,
    datasets: z.array(z.object({
      dataset_name: text.default(""),
      dataset_digest: text.optional(),
    })),
    max_results: int64,
    order_by: z.array(z.object({
      field_name: text.default(""),
      ascending: bool.default(true),
      dataset_name: text.optional(),
      dataset_digest: text.optional(),
    })),
    page_token: text,
  }, ["experiment_ids"]),
};
