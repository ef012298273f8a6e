import { decodePageToken, inList, type Page, type Reader, toPage } from "../database/mod.ts";
import type { TrackingContext } from "./context.ts";
import type { Metric } from "./entities.ts";
import { toMetric } from "./run_reader.ts";
import { invalid } from "./validation.ts";

/** Most points that one answer carries. */
const POINTS_MAX = 25_000;

interface PointRow {
  value: number;
  is_nan: number;
  step: number;
  timestamp: number;
}

/** The histories of metrics. */
export class Metrics {
  readonly #context: TrackingContext;

  constructor(context: TrackingContext) {
    this.#context = context;
  }

  /**
   * @param limit points of a page; undefined for all of them
   * @returns the points by timestamp, step and value; none for an unknown run or metric
   */
  history(runId: string, key: string, limit?: number, pageToken?: string): Page<Metric> {
    if (limit !== undefined && limit <= 0) {
      throw invalid(
        `Invalid value ${limit} for parameter 'max_results' supplied. It must be a positive integer.`,
      );
    }
    const offset = decodePageToken(pageToken);
    return this.#context.database.read((reader) => {
      const rows = reader.all<PointRow>(
        `SELECT p.value, p.is_nan, p.step, p.timestamp FROM metric_point p
          WHERE p.series = ${SERIES} ORDER BY p.timestamp, p.step, p.value LIMIT ? OFFSET ?`,
        runId,
        key,
        limit === undefined ? -1 : limit + 1,
        offset,
      );
      const metrics = rows.map((row) => toMetric({ key, ...row }));
      return toPage(metrics, limit ?? Infinity, offset);
    });
  }

  /** @returns the value that was logged last; undefined where there is none, or it is no number */
  latest(runId: string, key: string): number | undefined {
    const row = this.#context.database.read((reader) =>
      reader.get<{ value: number; is_nan: number }>(
        `SELECT s.value, s.is_nan FROM run r JOIN metric_series s ON s.run = r.id
          WHERE r.run_id = ? AND s.key = ?`,
        runId,
        key,
      )
    );
    return row === undefined || row.is_nan === 1 ? undefined : row.value;
  }

  /** @returns the points of several runs, by run, timestamp, step and value; at most 25000 */
  historyOfRuns(runIds: readonly string[], key: string, limit = POINTS_MAX): Metric[] {
    const within = inList("r.run_id", runIds);
    return this.#context.database.read((reader) =>
      reader.all<PointRow & { run_id: string }>(
        `SELECT r.run_id, p.value, p.is_nan, p.step, p.timestamp
          FROM run r JOIN metric_series s ON s.run = r.id JOIN metric_point p ON p.series = s.id
          WHERE s.key = ? AND ${within.sql}
          ORDER BY r.run_id, p.timestamp, p.step, p.value LIMIT ?`,
        key,
        ...within.params,
        Math.min(limit, POINTS_MAX),
      ).map((row) => ({ ...toMetric({ key, ...row }), runId: row.run_id }))
    );
  }

  /**
   * @param limit points a run
   * @param steps the first and the last step; undefined for all
   * @returns of each run points evenly spread over what was logged, the last one always among them
   */
  sample(
    runIds: readonly string[],
    key: string,
    limit: number,
    steps?: readonly [number, number],
  ): Metric[] {
    return this.#context.database.read((reader) =>
      runIds.flatMap((runId) =>
        samplePoints(reader, runId, key, limit, steps).map((row) => ({
          ...toMetric({ key, ...row }),
          runId,
        }))
      )
    );
  }
}

const SERIES = `(SELECT s.id FROM metric_series s JOIN run r ON r.id = s.run
  WHERE r.run_id = ? AND s.key = ?)`;

/** As MLflow samples: the first point of each of `limit` equal buckets, and the last point. */
function samplePoints(
  reader: Reader,
  runId: string,
  key: string,
  limit: number,
  steps: readonly [number, number] | undefined,
): PointRow[] {
  const [first, last] = steps ?? [-Number.MAX_VALUE, Number.MAX_VALUE];
  const where = `WHERE series = ${SERIES} AND step BETWEEN ? AND ?`;
  const order = "step, timestamp, value, is_nan";
  const rows = reader.all<PointRow>(
    `SELECT value, is_nan, step, timestamp FROM (
      SELECT *, row_number() OVER (PARTITION BY bucket ORDER BY ${order}) AS place FROM (
        SELECT *, ntile(?) OVER (ORDER BY ${order}) AS bucket FROM metric_point ${where}))
      WHERE place = 1 ORDER BY ${order}`,
    limit,
    runId,
    key,
    first,
    last,
  );
  const end = reader.get<PointRow>(
    `SELECT value, is_nan, step, timestamp FROM metric_point ${where}
      ORDER BY step DESC, timestamp DESC, value DESC, is_nan DESC LIMIT 1`,
    runId,
    key,
    first,
    last,
  );
  if (end === undefined) return rows;
  const sampled = rows.at(-1);
  const same = sampled !== undefined && sampled.step === end.step && sampled.value === end.value &&
    sampled.timestamp === end.timestamp && sampled.is_nan === end.is_nan;
  if (same) return rows;
  return [...rows.slice(0, limit - 1), end];
}
