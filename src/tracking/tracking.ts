import type { TrackingContext } from "./context.ts";
import { Experiments } from "./experiments.ts";
import { LoggedModels } from "./logged_models.ts";
import { Metrics } from "./metrics.ts";
import { RunInputs } from "./run_inputs.ts";
import { Runs } from "./runs.ts";

/** Experiments, runs and what they log. */
export interface Tracking {
  readonly experiments: Experiments;
  readonly runs: Runs;
  readonly metrics: Metrics;
  readonly inputs: RunInputs;
  readonly models: LoggedModels;
}

/**
 * Opens tracking over a database whose migrations hold {@linkcode TRACKING_MIGRATIONS}, and makes the
 * experiment "Default" (id 0) where it is missing.
 *
 * @example A run with a metric
 * ```ts
 * import { systemClock, SystemRandom } from "../core/mod.ts";
 * import { openDatabase } from "../database/mod.ts";
 * import { openTracking, TRACKING_MIGRATIONS } from "./mod.ts";
 * using database = openDatabase(":memory:", TRACKING_MIGRATIONS);
 * const { runs } = openTracking({
 *   database,
 *   clock: systemClock,
 *   random: new SystemRandom(),
 *   artifactRoot: "mlflow-artifacts:/",
 * });
 * const run = runs.create({ experimentId: "0", userId: "", startedMs: 0, name: "", tags: [] });
 * runs.logMetric(run.runId, { key: "loss", value: 0.5, timestamp: 0, step: 1 });
 * console.assert(runs.get(run.runId).metrics[0].value === 0.5);
 * ```
 */
export function openTracking(context: TrackingContext): Tracking {
  return {
    experiments: new Experiments(context),
    runs: new Runs(context),
    metrics: new Metrics(context),
    inputs: new RunInputs(context),
    models: new LoggedModels(context),
  };
}
