import type { Clock, Random } from "../core/mod.ts";
import type { Database } from "../database/mod.ts";

/** What every part of this folder stands on. */
export interface TrackingContext {
  /** Its migrations hold TRACKING_MIGRATIONS. */
  readonly database: Database;
  readonly clock: Clock;
  readonly random: Random;
  /** Where new experiments put their files, e.g. "mlflow-artifacts:/". */
  readonly artifactRoot: string;
}
