/** The serving process: data isolates and their pool, models held, the sync with the registry. */
export { ModelCache } from "./model_cache.ts";
export { nameOfPath, readModelPath, toModelFile } from "./model_file.ts";
export { type ModelUri, parseModelUri } from "./model_uri.ts";
export { openServing, type Serving, type ServingOptions } from "./serving.ts";
export type { VersionSource } from "./version_source.ts";
