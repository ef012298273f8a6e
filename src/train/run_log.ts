/** One value of a metric. */
export interface MetricPoint {
  readonly key: string;
  readonly value: number;
  /** Boosting round, counted from 1; 0 for what is known of the finished model only. */
  readonly step: number;
}

/** What a run is started with. */
export interface RunStart {
  readonly experiment: string;
  readonly name: string | undefined;
  readonly params: Readonly<Record<string, string>>;
  readonly tags: Readonly<Record<string, string>>;
}

/** Where a training run is recorded. Joined to an MLflow server in `commands/train_run.ts`. */
export interface RunLog {
  /** @returns the run's id */
  start(run: RunStart): Promise<string>;
  logMetrics(points: readonly MetricPoint[]): Promise<void>;
  /** Stores the files of the model's folder, by their names. */
  logModel(files: ReadonlyMap<string, Uint8Array>): Promise<void>;
  /**
   * Makes a version of the logged model, with tags, and the registered model where it is new.
   *
   * @returns the version
   */
  register(name: string, tags: Readonly<Record<string, string>>): Promise<string>;
  finish(status: "FINISHED" | "FAILED"): Promise<void>;
}

/** Most points of a metric's history that are sent. */
export const HISTORY_POINTS_MAX = 100;

/** A history of at most {@linkcode HISTORY_POINTS_MAX} points, evenly spaced, first and last kept. */
export function thinHistory(key: string, values: readonly number[]): MetricPoint[] {
  const count = Math.min(values.length, HISTORY_POINTS_MAX);
  return Array.from({ length: count }, (_, i) => {
    const at = count === 1 ? 0 : Math.round(i * (values.length - 1) / (count - 1));
    return { key, value: values[at], step: at + 1 };
  });
}
