/** Level 3: MLflow's REST API over tracking, registry and artifact. Translates; decides nothing. */
export { createRegistryHttp, type HttpApp } from "./app.ts";
export { artifactSourceOf, proxiedPath, type ServedFile } from "./artifact_source.ts";
export { notFoundResponse, toErrorResponse } from "./errors.ts";
export { mlflowRoutes, ROUTES } from "./routes.ts";
export type { MlflowServices } from "./services.ts";
