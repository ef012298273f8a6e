/** Upper bounds of the latency histogram, seconds. */
export const LATENCY_BUCKETS = [
  0.00025,
  0.0005,
  0.001,
  0.0025,
  0.005,
  0.01,
  0.025,
  0.05,
  0.1,
  0.25,
  0.5,
  1,
  2.5,
  5,
  10,
] as const;

/** Upper bounds of the histogram of predicted probabilities. */
export const SCORE_BUCKETS = Array.from({ length: 20 }, (_, i) => (i + 1) / 20);

/** Everything counted of one version in one isolate since its start. Plain data: it is posted. */
export interface VersionStats {
  readonly model: string;
  readonly version: string;
  answered: number;
  /** Failures of the version by reason; few reasons, all serin's own. */
  readonly failed: Record<string, number>;
  /** One count a bucket of {@linkcode LATENCY_BUCKETS}, not cumulative, and one for what is above. */
  readonly latency: number[];
  latencySum: number;
  /** The same for {@linkcode SCORE_BUCKETS}. */
  readonly scores: number[];
  scoreSum: number;
}

/** What one isolate has counted. */
export interface StatsSnapshot {
  readonly versions: VersionStats[];
  /** HTTP answers by status code and route. */
  readonly statuses: Record<string, number>;
}

/** The counters of one data isolate; the main isolate adds the snapshots up. */
export class InferenceStats {
  readonly #versions = new Map<string, VersionStats>();
  readonly #statuses: Record<string, number> = {};

  /** A version answered. */
  answered(model: string, version: string, seconds: number): void {
    const stats = this.#of(model, version);
    stats.answered++;
    stats.latency[bucketOf(LATENCY_BUCKETS, seconds)]++;
    stats.latencySum += seconds;
  }

  /** What it predicted: a probability a row. */
  scored(model: string, version: string, scores: Float32Array | undefined): void {
    if (scores === undefined) return;
    const stats = this.#of(model, version);
    for (let i = 0; i < scores.length; i++) {
      stats.scores[bucketOf(SCORE_BUCKETS, scores[i])]++;
      stats.scoreSum += scores[i];
    }
  }

  /** A version failed. */
  failed(model: string, version: string, seconds: number, reason: string): void {
    const stats = this.#of(model, version);
    stats.failed[reason] = (stats.failed[reason] ?? 0) + 1;
    stats.latency[bucketOf(LATENCY_BUCKETS, seconds)]++;
    stats.latencySum += seconds;
  }

  /** An HTTP request was answered with this status. */
  status(status: number): void {
    this.#statuses[status] = (this.#statuses[status] ?? 0) + 1;
  }

  /** @returns what was counted until now */
  snapshot(): StatsSnapshot {
    return { versions: [...this.#versions.values()], statuses: this.#statuses };
  }

  #of(model: string, version: string): VersionStats {
    const key = `${model}\n${version}`;
    let stats = this.#versions.get(key);
    if (stats === undefined) {
      stats = {
        model,
        version,
        answered: 0,
        failed: {},
        latency: new Array(LATENCY_BUCKETS.length + 1).fill(0),
        latencySum: 0,
        scores: new Array(SCORE_BUCKETS.length + 1).fill(0),
        scoreSum: 0,
      };
      this.#versions.set(key, stats);
    }
    return stats;
  }
}

/** @returns the first bucket whose upper bound is not below the value */
function bucketOf(bounds: readonly number[], value: number): number {
  let i = 0;
  while (i < bounds.length && value > bounds[i]) i++;
  return i;
}
