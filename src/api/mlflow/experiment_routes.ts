import { SerinError } from "../../core/mod.ts";
import { experimentMessages as messages } from "../../mlflow/mod.ts";
import { type Route, route } from "./route.ts";
import { checkLocation } from "./storage_location.ts";
import { fromWireView, toWireExperiment, unlessEmpty } from "./tracking_wire.ts";

const AT = "/2.0/mlflow/experiments";
const DATASET_EXPERIMENTS_MAX = 20;
/** Rows of a page where the caller gives no number. */
const PAGE_ROWS = 1000;

const search = (method: "GET" | "POST") =>
  route(method, `${AT}/search`, messages.search, (request, { tracking }) => {
    const page = tracking.experiments.search({
      filter: request.filter,
      orderBy: request.order_by,
      view: fromWireView(request.view_type),
      limit: request.max_results ?? PAGE_ROWS,
      pageToken: request.page_token,
    });
    return {
      experiments: unlessEmpty(page.items.map(toWireExperiment)),
      next_page_token: page.nextPageToken,
    };
  });

/** The slash is missing in MLflow's own proto; its interface calls the right one. */
const searchDatasets = (path: string) =>
  route("POST", path, messages.searchDatasets, (request, { tracking }) => {
    const ids = request.experiment_ids ?? [];
    if (ids.length === 0) {
      throw new SerinError(
        "invalid_input",
        "SearchDatasets request must specify at least one experiment_id.",
      );
    }
    if (ids.length > DATASET_EXPERIMENTS_MAX) {
      throw new SerinError(
        "invalid_input",
        `SearchDatasets request cannot specify more than ${DATASET_EXPERIMENTS_MAX} ` +
          `experiment_ids. Received ${ids.length} experiment_ids.`,
      );
    }
    const summaries = tracking.inputs.summarize(ids);
    return {
      dataset_summaries: unlessEmpty(summaries.map(({ experimentId, name, digest, context }) => ({
        experiment_id: experimentId,
        name,
        digest,
        context,
      }))),
    };
  });

/** Routes of experiments. */
export const EXPERIMENT_ROUTES: readonly Route[] = [
  route("POST", `${AT}/create`, messages.create, (request, { tracking }) => {
    const location = request.artifact_location || undefined;
    if (location !== undefined) checkLocation(location, "artifact_location");
    return { experiment_id: tracking.experiments.create(request.name, location, request.tags) };
  }),
  search("GET"),
  search("POST"),
  route("GET", `${AT}/get`, messages.byId, (request, { tracking }) => ({
    experiment: toWireExperiment(tracking.experiments.get(request.experiment_id)),
  })),
  route("GET", `${AT}/get-by-name`, messages.byName, (request, { tracking }) => {
    const name = request.experiment_name;
    const experiment = tracking.experiments.findByName(name);
    if (experiment !== undefined) return { experiment: toWireExperiment(experiment) };
    throw new SerinError("not_found", `Could not find experiment with name '${name}'`);
  }),
  route("POST", `${AT}/delete`, messages.byId, (request, { tracking }) => {
    tracking.experiments.delete(request.experiment_id);
  }),
  route("POST", `${AT}/restore`, messages.byId, (request, { tracking }) => {
    tracking.experiments.restore(request.experiment_id);
  }),
  route("POST", `${AT}/update`, messages.update, (request, { tracking }) => {
    tracking.experiments.rename(request.experiment_id, request.new_name);
  }),
  route("POST", `${AT}/set-experiment-tag`, messages.setTag, (request, { tracking }) => {
    tracking.experiments.setTag(request.experiment_id, request.key, request.value ?? "");
  }),
  route("POST", `${AT}/delete-experiment-tag`, messages.deleteTag, (request, { tracking }) => {
    tracking.experiments.deleteTag(request.experiment_id, request.key);
  }),
  searchDatasets("/2.0mlflow/experiments/search-datasets"),
  searchDatasets(`${AT}/search-datasets`),
];
