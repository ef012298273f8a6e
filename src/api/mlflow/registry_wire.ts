import type { ModelVersion, RegisteredModel } from "../../registry/mod.ts";
import { unlessEmpty } from "./tracking_wire.ts";

/** What the registry knows in MLflow's words (`model_registry.proto`). */

export function toWireVersion(version: ModelVersion) {
  return {
    name: version.name,
    version: version.version,
    creation_timestamp: version.createdMs,
    last_updated_timestamp: version.updatedMs,
    current_stage: version.stage,
    description: version.description,
    source: version.source,
    run_id: version.runId,
    run_link: version.runLink,
    status: "READY",
    tags: unlessEmpty(version.tags),
    aliases: unlessEmpty(version.aliases),
  };
}

export function toWireModel(model: RegisteredModel) {
  return {
    name: model.name,
    creation_timestamp: model.createdMs,
    last_updated_timestamp: model.updatedMs,
    description: model.description || undefined,
    latest_versions: unlessEmpty(model.latestVersions.map(toWireVersion)),
    tags: unlessEmpty(model.tags),
    aliases: unlessEmpty(model.aliases),
  };
}
