/** The serving process: data isolates and their pool, models held, the sync with the registry. */
export { FallbackPeer } from "./fallback_peer.ts";
export { namingPath } from "./fixed_models.ts";
export { DATA_ISOLATE_PERMISSIONS } from "./isolate_pool.ts";
export { emptyCatalog, MlflowCatalog } from "./mlflow_catalog.ts";
export { MlflowSource } from "./mlflow_source.ts";
export { ModelCache } from "./model_cache.ts";
export { nameOfPath, readModelPath, toModelFile } from "./model_file.ts";
export { type ModelUri, parseModelUri } from "./model_uri.ts";
export { RemotePeer } from "./remote_peer.ts";
export { openServing, type Serving, type ServingOptions } from "./serving.ts";
export type { VersionSource } from "./version_source.ts";
