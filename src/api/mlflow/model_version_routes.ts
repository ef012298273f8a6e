import { SerinError } from "../../core/mod.ts";
import { modelVersionMessages as messages } from "../../mlflow/mod.ts";
import { isPrompt, type ModelVersion } from "../../registry/mod.ts";
import type { LoggedModels } from "../../tracking/mod.ts";
import { toWireVersion } from "./registry_wire.ts";
import { type Route, route } from "./route.ts";
import { unlessEmpty } from "./tracking_wire.ts";

const AT = "/2.0/mlflow/model-versions";
/** Rows of a page where the caller gives no number; MLflow's proto says 200000. */
const PAGE_ROWS = 10_000;
/** The tag of a logged model that lists the versions made of it. */
const VERSIONS_TAG = "mlflow.modelVersions";

/** Routes of versions of registered models. */
export const MODEL_VERSION_ROUTES: readonly Route[] = [
  route("POST", `${AT}/create`, messages.create, (request, { registry, tracking }) => {
    const version = registry.versions.create({
      name: request.name,
      source: request.source,
      runId: request.run_id,
      runLink: request.run_link,
      modelId: request.model_id,
      description: request.description,
      tags: request.tags,
    });
    if (version.modelId !== "" && !isPrompt(version.tags)) noteVersion(tracking.models, version);
    return { model_version: toWireVersion(version) };
  }),
  route("GET", `${AT}/get`, messages.byVersion, (request, { registry }) => ({
    model_version: toWireVersion(registry.versions.get(request.name, request.version)),
  })),
  route("GET", `${AT}/get-download-uri`, messages.byVersion, (request, { registry }) => ({
    artifact_uri: registry.versions.downloadUri(request.name, request.version),
  })),
  route("PATCH", `${AT}/update`, messages.update, (request, { registry }) => {
    const { name, version, description } = request;
    return { model_version: toWireVersion(registry.versions.describe(name, version, description)) };
  }),
  route("POST", `${AT}/transition-stage`, messages.transition, (request, { registry }) => {
    const { name, version, stage, archive_existing_versions: archive = false } = request;
    const moved = registry.versions.transition(name, version, stage, archive);
    return { model_version: toWireVersion(moved) };
  }),
  route("DELETE", `${AT}/delete`, messages.byVersion, (request, { registry }) => {
    registry.versions.delete(request.name, request.version);
  }),
  route("GET", `${AT}/search`, messages.search, (request, { registry }) => {
    const page = registry.versions.search({
      filter: request.filter,
      orderBy: request.order_by,
      limit: request.max_results ?? PAGE_ROWS,
      pageToken: request.page_token,
    });
    return {
      model_versions: unlessEmpty(page.items.map(toWireVersion)),
      next_page_token: page.nextPageToken,
    };
  }),
  route("POST", `${AT}/set-tag`, messages.setTag, (request, { registry }) => {
    const { name, version, key, value = "" } = request;
    registry.versions.setTag(name, version, key, value);
  }),
  route("DELETE", `${AT}/delete-tag`, messages.deleteTag, (request, { registry }) => {
    registry.versions.deleteTag(request.name, request.version, request.key);
  }),
];

/** Lists the version in a tag of the logged model that it was made of. */
function noteVersion(models: LoggedModels, { modelId, name, version }: ModelVersion): void {
  const tags = models.find(modelId)?.tags;
  if (tags === undefined) return;
  const old = tags.find(({ key }) => key === VERSIONS_TAG)?.value;
  const versions = old === undefined ? [] : parseVersions(old);
  // MLflow's server writes the version as a number, its client as it got it.
  if (!versions.some((known) => known.name === name && String(known.version) === version)) {
    versions.push({ name, version: Number(version) });
  }
  try {
    models.setTags(modelId, [{ key: VERSIONS_TAG, value: JSON.stringify(versions) }]);
  } catch (thrown) {
    // The list has grown past a tag's length: the version stands nevertheless.
    if (!(thrown instanceof SerinError)) throw thrown;
  }
}

function parseVersions(text: string): { name: string; version: string | number }[] {
  try {
    const parsed = JSON.parse(text);
    return Array.isArray(parsed) ? parsed : [];
  } catch {
    return [];
  }
}
