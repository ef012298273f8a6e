import { registeredModelMessages as messages } from "../../mlflow/mod.ts";
import { toWireModel, toWireVersion } from "./registry_wire.ts";
import { type Route, route } from "./route.ts";
import { unlessEmpty } from "./tracking_wire.ts";

const AT = "/2.0/mlflow/registered-models";
/** Rows of a page where the caller gives no number. */
const PAGE_ROWS = 100;

const latestVersions = (method: "GET" | "POST") =>
  route(method, `${AT}/get-latest-versions`, messages.latestVersions, (request, { registry }) => {
    const versions = registry.models.latestVersions(request.name, request.stages);
    return { model_versions: unlessEmpty(versions.map(toWireVersion)) };
  });

/** Routes of registered models and their aliases. */
export const REGISTERED_MODEL_ROUTES: readonly Route[] = [
  route("POST", `${AT}/create`, messages.create, (request, { registry }) => {
    const { name, description, tags } = request;
    return { registered_model: toWireModel(registry.models.create(name, description, tags)) };
  }),
  route("GET", `${AT}/get`, messages.byName, (request, { registry }) => ({
    registered_model: toWireModel(registry.models.get(request.name)),
  })),
  route("PATCH", `${AT}/update`, messages.update, (request, { registry }) => {
    const model = registry.models.describe(request.name, request.description ?? "");
    return { registered_model: toWireModel(model) };
  }),
  route("POST", `${AT}/rename`, messages.rename, (request, { registry }) => ({
    registered_model: toWireModel(registry.models.rename(request.name, request.new_name)),
  })),
  route("DELETE", `${AT}/delete`, messages.byName, (request, { registry }) => {
    registry.models.delete(request.name);
  }),
  route("GET", `${AT}/search`, messages.search, (request, { registry }) => {
    const page = registry.models.search({
      filter: request.filter,
      orderBy: request.order_by,
      limit: request.max_results ?? PAGE_ROWS,
      pageToken: request.page_token,
    });
    return {
      registered_models: unlessEmpty(page.items.map(toWireModel)),
      next_page_token: page.nextPageToken,
    };
  }),
  latestVersions("GET"),
  latestVersions("POST"),
  route("POST", `${AT}/set-tag`, messages.setTag, (request, { registry }) => {
    registry.models.setTag(request.name, request.key, request.value ?? "");
  }),
  route("DELETE", `${AT}/delete-tag`, messages.deleteTag, (request, { registry }) => {
    registry.models.deleteTag(request.name, request.key);
  }),
  route("POST", `${AT}/alias`, messages.setAlias, (request, { registry }) => {
    registry.models.setAlias(request.name, request.alias, request.version);
  }),
  route("DELETE", `${AT}/alias`, messages.byAlias, (request, { registry }) => {
    registry.models.removeAlias(request.name, request.alias);
  }),
  route("GET", `${AT}/alias`, messages.byAlias, (request, { registry }) => ({
    model_version: toWireVersion(registry.models.getByAlias(request.name, request.alias)),
  })),
];
