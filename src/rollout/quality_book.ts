import { LIMITS } from "../core/mod.ts";
import type { Reader, Transaction } from "../database/mod.ts";
import { proportionInterval } from "../statistics/mod.ts";

const MINUTE_MS = 60_000, HOUR_MS = 60 * MINUTE_MS, DAY_MS = 24 * HOUR_MS;

/**
 * Windows of realised quality, by the time of the predictions. Rows are counted by stretches of `spanMs`:
 * a window's far end is that exact, and no more than 300 stretches are added up.
 */
export const QUALITY_WINDOWS = {
  "1h": { lengthMs: HOUR_MS, spanMs: 5 * MINUTE_MS },
  "24h": { lengthMs: DAY_MS, spanMs: 5 * MINUTE_MS },
  "7d": { lengthMs: 7 * DAY_MS, spanMs: HOUR_MS },
} as const;

/** A name of {@linkcode QUALITY_WINDOWS}. */
export type QualityWindow = keyof typeof QUALITY_WINDOWS;

const SPANS_MS = [...new Set(Object.values(QUALITY_WINDOWS).map(({ spanMs }) => spanMs))];

/** Upper bounds of the time from a prediction to its label, seconds: 1 s to 30 days. */
export const DELAY_BOUNDS = [
  ...[1, 10, 60, 300, 900, 3600, 10_800, 21_600, 43_200],
  ...[86_400, 172_800, 345_600, 604_800, 1_209_600, 2_592_000],
] as const;

const ALPHA = 0.05;
const PRUNED_AT_ONCE = 20_000;
const LISTED_MAX = 10_000;

/** Errors of a version among the rows that it answered in a window and whose truth has arrived. */
export interface RealisedQuality {
  readonly model: string;
  readonly version: string;
  readonly window: QualityWindow;
  readonly labelled: number;
  readonly wrong: number;
  readonly errorRatio: number;
  /** Wilson's interval at 95 %; rows of one request are taken for independent. */
  readonly lower: number;
  readonly upper: number;
}

/** How late labels are. */
export interface LabelDelay {
  readonly model: string;
  /** Labels by {@linkcode DELAY_BOUNDS}, not cumulative, and one more for what is above. */
  readonly counts: readonly number[];
  readonly sumSeconds: number;
  /** When the last one arrived, milliseconds since the epoch. */
  readonly lastAt: number;
}

/** What labels say of the models that were served. */
export interface QualityReadings {
  /** Every version and window that has a label. */
  readonly realised: readonly RealisedQuality[];
  /** Every model that has one, since the first. */
  readonly delays: readonly LabelDelay[];
}

/** A label that was counted. */
export interface CountedLabel {
  readonly model: string;
  readonly version: string;
  /** When it was predicted, milliseconds since the epoch. */
  readonly time: number;
  readonly wrong: boolean;
}

/**
 * What the labels of one transaction add up to: written once for each version, stretch of time and
 * delay, however many labels come together.
 */
export class LabelTally {
  readonly #now: number;
  readonly #buckets = new Map<string, { of: CountedLabel; labelled: number; wrong: number }>();
  readonly #delays = new Map<string, Map<number, { count: number; sumSeconds: number }>>();

  constructor(now: number) {
    this.#now = now;
  }

  /** Counts a label. */
  add(label: CountedLabel): void {
    const { model, version, time, wrong } = label;
    const key = `${model}\n${version}\n${bucketOf(time, SPANS_MS[0])}`;
    let bucket = this.#buckets.get(key);
    if (bucket === undefined) {
      this.#buckets.set(key, bucket = { of: label, labelled: 0, wrong: 0 });
    }
    bucket.labelled++;
    bucket.wrong += Number(wrong);
    // A clock that is ahead gives no label from the future.
    this.#delay(model, Math.max(0, this.#now - time) / 1000);
  }

  #delay(model: string, seconds: number): void {
    const above = DELAY_BOUNDS.findIndex((bound) => seconds <= bound);
    const bound = above < 0 ? DELAY_BOUNDS.length : above;
    const delays = this.#delays.get(model) ?? new Map();
    this.#delays.set(model, delays);
    const { count, sumSeconds } = delays.get(bound) ?? { count: 0, sumSeconds: 0 };
    delays.set(bound, { count: count + 1, sumSeconds: sumSeconds + seconds });
  }

  /** Adds it to what the database has. */
  write(tx: Transaction): void {
    for (const { of: { model, version, time }, labelled, wrong } of this.#buckets.values()) {
      tx.run(
        `INSERT INTO rollout_quality VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE
          SET labelled = labelled + excluded.labelled, wrong = wrong + excluded.wrong`,
        ...[model, version, labelled, wrong],
      );
      for (const span of SPANS_MS) {
        tx.run(
          `INSERT INTO rollout_quality_bucket VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE
            SET labelled = labelled + excluded.labelled, wrong = wrong + excluded.wrong`,
          ...[model, version, span, bucketOf(time, span), labelled, wrong],
        );
      }
    }
    for (const [model, delays] of this.#delays) {
      for (const [bound, { count, sumSeconds }] of delays) {
        tx.run(
          `INSERT INTO rollout_label_delay VALUES (?, ?, ?, ?, ?) ON CONFLICT DO UPDATE
            SET labels = labels + excluded.labels, seconds = seconds + excluded.seconds,
              last_at = max(last_at, excluded.last_at)`,
          ...[model, bound, count, sumSeconds, this.#now],
        );
      }
    }
  }
}

/** Forgets stretches whose predictions may not be labelled any more, some at a time. */
export function pruneQuality(tx: Transaction, now: number): void {
  tx.run(
    `DELETE FROM rollout_quality_bucket WHERE (model, version, span, bucket) IN
      (SELECT model, version, span, bucket FROM rollout_quality_bucket WHERE bucket < ?
        LIMIT ${PRUNED_AT_ONCE})`,
    bucketOf(now - LIMITS.labelHorizonMs, Math.max(...SPANS_MS)),
  );
}

/** @returns realised quality, and how late labels are */
export function readQuality(reader: Reader, now: number): QualityReadings {
  return { realised: realisedQuality(reader, now), delays: labelDelays(reader) };
}

function realisedQuality(reader: Reader, now: number): RealisedQuality[] {
  const windows = Object.entries(QUALITY_WINDOWS) as [
    QualityWindow,
    { lengthMs: number; spanMs: number },
  ][];
  return windows.flatMap(([window, { lengthMs, spanMs }]) =>
    reader.all<{ model: string; version: string; labelled: number; wrong: number }>(
      `SELECT q.model, q.version, sum(b.labelled) AS labelled, sum(b.wrong) AS wrong
        FROM rollout_quality q CROSS JOIN rollout_quality_bucket b
        ON b.model = q.model AND b.version = q.version AND b.span = ? AND b.bucket >= ?
        GROUP BY q.model, q.version LIMIT ${LISTED_MAX}`,
      spanMs,
      // The running stretch is one of the window's: 1 h holds the last 55 to 60 minutes.
      bucketOf(now, spanMs) - lengthMs + spanMs,
    ).map(({ model, version, labelled, wrong }): RealisedQuality => {
      const { value: errorRatio, lower, upper } = proportionInterval(wrong, labelled, ALPHA);
      return { model, version, window, labelled, wrong, errorRatio, lower, upper };
    })
  );
}

function labelDelays(reader: Reader): LabelDelay[] {
  const rows = reader.all<
    { model: string; bound: number; labels: number; seconds: number; last_at: number }
  >(`SELECT model, bound, labels, seconds, last_at FROM rollout_label_delay LIMIT ${LISTED_MAX}`);
  const models = new Map<string, { counts: number[]; sumSeconds: number; lastAt: number }>();
  for (const { model, bound, labels, seconds, last_at } of rows) {
    const delay = models.get(model) ??
      { counts: Array<number>(DELAY_BOUNDS.length + 1).fill(0), sumSeconds: 0, lastAt: 0 };
    delay.counts[bound] += labels;
    delay.sumSeconds += seconds;
    delay.lastAt = Math.max(delay.lastAt, last_at);
    models.set(model, delay);
  }
  return [...models].map(([model, delay]) => ({ model, ...delay }));
}

function bucketOf(time: number, spanMs: number): number {
  return Math.floor(time / spanMs) * spanMs;
}
