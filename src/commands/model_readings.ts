import type { Database } from "../database/mod.ts";
import { newestVersions, type VersionInUse, versionsInUse } from "../registry/mod.ts";
import type { ModelReadings } from "../telemetry/mod.ts";
import type { Tracking } from "../tracking/mod.ts";

/** A version's tag that tells its error on test rows, where its run's metrics do not. */
const REFERENCE_ERROR_TAG = "serin.reference_error_ratio";
/** What `serin train` logs: the share of test rows whose class was right. */
const ACCURACY = "accuracy";

/** Joins what the registry and the runs tell of the versions that aliases name. */
export function readModels(database: Database, tracking: Tracking): ModelReadings {
  return {
    aliased: versionsInUse(database, REFERENCE_ERROR_TAG).map((version) => ({
      ...version,
      referenceError: referenceError(version, tracking),
    })),
    newest: newestVersions(database),
  };
}

function referenceError({ runId, tag }: VersionInUse, tracking: Tracking): number | undefined {
  const told = tag === undefined || tag.trim() === "" ? NaN : Number(tag);
  if (isShare(told)) return told;
  const accuracy = runId === "" ? undefined : tracking.metrics.latest(runId, ACCURACY);
  return accuracy !== undefined && isShare(accuracy) ? 1 - accuracy : undefined;
}

function isShare(value: number): boolean {
  return value >= 0 && value <= 1;
}
