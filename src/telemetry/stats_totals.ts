import type { StatsSnapshot, VersionStats } from "./inference_stats.ts";

/**
 * Adds up what isolates counted. The last snapshot of an isolate that died is kept, so that counters
 * never go back.
 */
export class StatsTotals {
  readonly #live = new Map<object, StatsSnapshot>();
  readonly #retired: StatsSnapshot[] = [];

  /** Takes an isolate's newest snapshot. */
  update(isolate: object, snapshot: StatsSnapshot): void {
    this.#live.set(isolate, snapshot);
  }

  /** Keeps an isolate's last snapshot for good. */
  retire(isolate: object): void {
    const last = this.#live.get(isolate);
    this.#live.delete(isolate);
    if (last === undefined) return;
    this.#retired.push(last);
    if (this.#retired.length > 1) {
      this.#retired.splice(0, this.#retired.length, addUp(this.#retired));
    }
  }

  /** @returns the sums */
  total(): StatsSnapshot {
    return addUp([...this.#retired, ...this.#live.values()]);
  }
}

function addUp(snapshots: readonly StatsSnapshot[]): StatsSnapshot {
  const versions = new Map<string, VersionStats>();
  const statuses: Record<string, number> = {};
  for (const snapshot of snapshots) {
    addInto(statuses, snapshot.statuses);
    for (const stats of snapshot.versions) {
      const key = `${stats.model}\n${stats.version}`;
      const sum = versions.get(key);
      if (sum === undefined) versions.set(key, structuredClone(stats));
      else addStats(sum, stats);
    }
  }
  return { versions: [...versions.values()], statuses };
}

function addStats(sum: VersionStats, stats: VersionStats): void {
  sum.answered += stats.answered;
  addInto(sum.failed, stats.failed);
  stats.latency.forEach((count, i) => sum.latency[i] += count);
  sum.latencySum += stats.latencySum;
  stats.scores.forEach((count, i) => sum.scores[i] += count);
  sum.scoreSum += stats.scoreSum;
}

function addInto(sum: Record<string, number>, more: Readonly<Record<string, number>>): void {
  for (const [key, count] of Object.entries(more)) sum[key] = (sum[key] ?? 0) + count;
}
