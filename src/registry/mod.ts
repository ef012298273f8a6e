/**
 * Level 2: registered models, versions and aliases, with MLflow's meaning
 * (`mlflow/store/model_registry/sqlalchemy_store.py` of 3.17.2). Whatever returns is on disk.
 */
export type { AliasChange, AliasReason } from "./alias_history.ts";
export type { Catalog } from "./catalog.ts";
export type { RegistryContext, SourceLookup } from "./context.ts";
export { isPrompt, type KeyValue, type ModelVersion, type RegisteredModel } from "./entities.ts";
export type { ModelSearch } from "./model_search.ts";
export type { ModelVersions, NewVersion } from "./model_versions.ts";
export type { RegisteredModels } from "./registered_models.ts";
export { openRegistry, type Registry } from "./registry.ts";
export { REGISTRY_MIGRATIONS } from "./schema.ts";
export { type ModelUri, parseModelUri } from "./source.ts";
export { REGISTRY_LIMITS, STAGES, type VersionStage } from "./validation.ts";
export { newestVersions, type VersionInUse, versionsInUse } from "./versions_in_use.ts";
