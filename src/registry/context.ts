import type { Clock } from "../core/mod.ts";
import type { Database } from "../database/mod.ts";

/** What the registry asks of tracking, to know where a version's files may come from. */
export interface SourceLookup {
  /** @returns undefined where there is no such run */
  findRun(runId: string): { artifactUri: string } | undefined;
  /** @returns undefined where there is no such logged model */
  findLoggedModel(
    modelId: string,
  ): { artifactLocation: string; sourceRunId: string } | undefined;
}

/** What every part of this folder stands on. */
export interface RegistryContext {
  /** Its migrations hold REGISTRY_MIGRATIONS. */
  readonly database: Database;
  readonly clock: Clock;
  readonly sources: SourceLookup;
  /** Sources must match it (MLFLOW_CREATE_MODEL_VERSION_SOURCE_VALIDATION_REGEX). */
  readonly sourcePattern?: RegExp;
}
