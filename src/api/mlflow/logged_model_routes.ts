import { loggedModelMessages as messages } from "../../mlflow/mod.ts";
import { type Route, route } from "./route.ts";
import { fromWireModelStatus, toWireLoggedModel, unlessEmpty } from "./tracking_wire.ts";

const AT = "/2.0/mlflow/logged-models";
/** Rows of a page where the caller gives no number. */
const PAGE_ROWS = 50;

/** Routes of logged models. */
export const LOGGED_MODEL_ROUTES: readonly Route[] = [
  route("POST", AT, messages.create, (request, { tracking }) => ({
    model: toWireLoggedModel(tracking.models.create({
      experimentId: request.experiment_id,
      name: request.name || undefined,
      modelType: request.model_type ?? "",
      sourceRunId: request.source_run_id ?? "",
      params: request.params ?? [],
      tags: request.tags ?? [],
    })),
  })),
  route("POST", `${AT}/search`, messages.search, (request, { tracking }) => {
    const page = tracking.models.search({
      experimentIds: request.experiment_ids,
      filter: request.filter,
      datasets: request.datasets?.map((dataset) => ({
        name: dataset.dataset_name,
        digest: dataset.dataset_digest || undefined,
      })),
      orderBy: request.order_by?.map((order) => ({
        field: order.field_name,
        ascending: order.ascending,
        datasetName: order.dataset_name || undefined,
        datasetDigest: order.dataset_digest || undefined,
      })),
      limit: request.max_results || PAGE_ROWS,
      pageToken: request.page_token,
    });
    return {
      models: unlessEmpty(page.items.map(toWireLoggedModel)),
      next_page_token: page.nextPageToken,
    };
  }),
  route("GET", `${AT}/:model_id`, messages.byId, (request, { tracking }) => ({
    model: toWireLoggedModel(tracking.models.get(request.model_id, request.allow_deleted)),
  })),
  route("PATCH", `${AT}/:model_id`, messages.finalize, (request, { tracking }) => {
    const status = fromWireModelStatus(request.status);
    return { model: toWireLoggedModel(tracking.models.finalize(request.model_id, status)) };
  }),
  route("DELETE", `${AT}/:model_id`, messages.byId, (request, { tracking }) => {
    tracking.models.delete(request.model_id);
  }),
  route("POST", `${AT}/:model_id/params`, messages.logParams, (request, { tracking }) => {
    tracking.models.logParams(request.model_id, request.params ?? []);
  }),
  route("PATCH", `${AT}/:model_id/tags`, messages.setTags, (request, { tracking }) => {
    tracking.models.setTags(request.model_id, request.tags ?? []);
  }),
  route("DELETE", `${AT}/:model_id/tags/:tag_key`, messages.deleteTag, (request, { tracking }) => {
    tracking.models.deleteTag(request.model_id, request.tag_key);
  }),
];
