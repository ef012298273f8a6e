import { SerinError } from "../../core/mod.ts";
import { runMessages as messages } from "../../mlflow/mod.ts";
import { type Route, route } from "./route.ts";
import { fromWireView, toWireRun, toWireRunInfo, unlessEmpty } from "./tracking_wire.ts";

const AT = "/2.0/mlflow/runs";
/** Rows of a page where the caller gives no number. */
const PAGE_ROWS = 1000;
const MODEL_FIELDS = ["artifact_path", "flavors", "utc_time_created", "run_id"];

/** Routes of runs. */
export const RUN_ROUTES: readonly Route[] = [
  route("POST", `${AT}/create`, messages.create, (request, { tracking }) => ({
    run: toWireRun(tracking.runs.create({
      experimentId: request.experiment_id ?? "",
      userId: request.user_id ?? "",
      startedMs: request.start_time ?? 0,
      name: request.run_name ?? "",
      tags: request.tags ?? [],
    })),
  })),
  route("GET", `${AT}/get`, messages.byId, (request, { tracking }) => ({
    run: toWireRun(tracking.runs.get(request.run_id)),
  })),
  route("POST", `${AT}/update`, messages.update, (request, { tracking }) => ({
    run_info: toWireRunInfo(tracking.runs.update(request.run_id, {
      status: request.status,
      endedMs: request.end_time,
      name: request.run_name,
    })),
  })),
  route("POST", `${AT}/delete`, messages.byId, (request, { tracking }) => {
    tracking.runs.delete(request.run_id);
  }),
  route("POST", `${AT}/restore`, messages.byId, (request, { tracking }) => {
    tracking.runs.restore(request.run_id);
  }),
  route("POST", `${AT}/log-metric`, messages.logMetric, (request, { tracking }) => {
    tracking.runs.logMetric(request.run_id, {
      key: request.key,
      value: request.value,
      timestamp: request.timestamp,
      step: request.step ?? 0,
      modelId: request.model_id || undefined,
      datasetName: request.dataset_name || undefined,
      datasetDigest: request.dataset_digest || undefined,
    });
  }),
  route("POST", `${AT}/log-parameter`, messages.logParam, (request, { tracking }) => {
    tracking.runs.logParam(request.run_id, request.key, request.value ?? "");
  }),
  route("POST", `${AT}/set-tag`, messages.setTag, (request, { tracking }) => {
    tracking.runs.setTag(request.run_id, request.key, request.value ?? "");
  }),
  route("POST", `${AT}/delete-tag`, messages.deleteTag, (request, { tracking }) => {
    tracking.runs.deleteTag(request.run_id, request.key);
  }),
  route("POST", `${AT}/log-batch`, messages.logBatch, (request, { tracking }) => {
    tracking.runs.logBatch(request.run_id, {
      metrics: (request.metrics ?? []).map((metric) => ({
        key: metric.key,
        value: metric.value,
        timestamp: metric.timestamp,
        step: metric.step,
        modelId: metric.model_id || undefined,
        datasetName: metric.dataset_name || undefined,
        datasetDigest: metric.dataset_digest || undefined,
      })),
      params: request.params ?? [],
      tags: request.tags ?? [],
    });
  }),
  route("POST", `${AT}/log-model`, messages.logModel, (request, { tracking }) => {
    tracking.runs.recordModel(request.run_id, parseModel(request.model_json));
  }),
  route("POST", `${AT}/log-inputs`, messages.logInputs, (request, { tracking }) => {
    const datasets = (request.datasets ?? []).map(({ dataset, tags }) => {
      if (dataset === undefined) {
        throw new SerinError(
          "invalid_input",
          "Dataset input must have a dataset associated with it.",
        );
      }
      const { source_type: sourceType, ...rest } = dataset;
      return { dataset: { ...rest, sourceType }, tags };
    });
    const models = (request.models ?? []).map((model) => model.model_id);
    tracking.inputs.logInputs(request.run_id, datasets, models);
  }),
  route("POST", `${AT}/outputs`, messages.logOutputs, (request, { tracking }) => {
    const models = request.models.map((model) => ({ modelId: model.model_id, step: model.step }));
    tracking.inputs.logOutputs(request.run_id, models);
  }),
  route("POST", `${AT}/search`, messages.search, (request, { tracking }) => {
    const page = tracking.runs.search({
      experimentIds: request.experiment_ids ?? [],
      filter: request.filter,
      orderBy: request.order_by,
      view: fromWireView(request.run_view_type),
      limit: request.max_results ?? PAGE_ROWS,
      pageToken: request.page_token,
    });
    return { runs: unlessEmpty(page.items.map(toWireRun)), next_page_token: page.nextPageToken };
  }),
];

function parseModel(json: string): Record<string, unknown> {
  let model: unknown;
  try {
    model = JSON.parse(json);
  } catch {
    throw new SerinError(
      "invalid_input",
      `Malformed model info. \n ${json} \n is not a valid JSON.`,
    );
  }
  const isObject = typeof model === "object" && model !== null && !Array.isArray(model);
  const fields = isObject ? model as Record<string, unknown> : {};
  const missing = MODEL_FIELDS.filter((field) => !(field in fields));
  if (missing.length === 0) return fields;
  const names = missing.map((name) => `'${name}'`).join(", ");
  throw new SerinError("invalid_input", `Model json is missing mandatory fields: {${names}}`);
}
