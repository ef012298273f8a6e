import { type Clock, SerinError, storageError } from "../../core/mod.ts";
import { type Database, openDatabase, type Transaction } from "../../database/mod.ts";
import type { LabelBlock } from "./label_block.ts";
import type { PredictionBlock } from "./prediction_block.ts";
import type { LogCursor } from "./prediction_batch.ts";
import { PREDICTION_FILE, PREDICTION_MIGRATIONS } from "./schema.ts";

/** Where a ring is, and how much it keeps. */
export interface RingOptions {
  readonly folder: string;
  /** Most bytes that the ring keeps; the oldest rows leave first. */
  readonly bytesMax: number;
  readonly clock: Clock;
  /** Default {@linkcode openDatabase}. */
  readonly openDatabase?: (path: string) => Database;
}

/** The least bytes that a log can be given. */
export const LOG_BYTES_MIN = 1024 * 1024;

/**
 * Opens the database of a ring; its folder is made where it is missing, and belongs to this process.
 *
 * @throws {SerinError} `conflict` where another process has it, `storage` where it cannot be written,
 *   `configuration` for a limit that cannot be kept
 */
export async function openRing(options: RingOptions): Promise<Database> {
  const { folder, bytesMax, clock } = options;
  if (bytesMax < LOG_BYTES_MIN) {
    throw new SerinError("configuration", `A prediction log of ${bytesMax} bytes is too small`, {
      hint: `give at least ${LOG_BYTES_MIN} bytes (1Mi) with --prediction-log-bytes`,
    });
  }
  try {
    await Deno.mkdir(folder, { recursive: true });
  } catch (cause) {
    throw storageError(`Cannot make the prediction log's folder ${folder}`, cause);
  }
  const open = options.openDatabase ??
    ((file) => openDatabase(file, PREDICTION_MIGRATIONS, { clock }));
  try {
    return open(`${folder}/${PREDICTION_FILE}`);
  } catch (thrown) {
    if (!(thrown instanceof SerinError) || thrown.code !== "conflict") throw thrown;
    throw new SerinError("conflict", `${folder} is the prediction log of another process`, {
      hint: "give each process a folder of its own with --prediction-log",
      cause: thrown,
    });
  }
}

/** Adds a block at the ring's end. */
export function insertBlock(tx: Transaction, block: PredictionBlock): void {
  const { model, version, columns, firstMs, lastMs, requests, rows, bytes } = block;
  tx.run(
    `INSERT INTO prediction_block (model, version, columns, first_ms, last_ms, requests, rows, body)
      VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
    ...[model, version, JSON.stringify(columns), Math.floor(firstMs), Math.ceil(lastMs)],
    ...[requests, rows, bytes],
  );
}

/**
 * Adds labels at the ring's end. They are numbered one by one; a block is known by its last one's number.
 * A row's second label is kept as well: whoever reads takes the first.
 */
export function insertLabels(tx: Transaction, { labels, bytes }: LabelBlock, arrivedMs: number) {
  tx.run(
    `INSERT INTO prediction_label_block VALUES (? + coalesce(
      (SELECT seq FROM sqlite_sequence WHERE name = 'prediction_label_block'), 0), ?, ?, ?)`,
    ...[labels, labels, arrivedMs, bytes],
  );
}

/** What {@linkcode makeRoom} did. */
export interface RoomMade {
  /** Bytes in use. */
  readonly bytes: number;
  /** Blocks up to this one have left; 0: none. */
  readonly leftTo: number;
  /** What left though it was not sent. */
  readonly unsent: readonly { readonly model: string; readonly rows: number }[];
  readonly unsentLabels: number;
}

/**
 * Deletes the oldest until the limit holds.
 *
 * @param sent how far the ring was sent; undefined where it is not
 */
export function makeRoom(
  tx: Transaction,
  bytesMax: number,
  sent: LogCursor | undefined,
): RoomMade {
  const unsent = new Map<string, number>();
  let bytes = usedBytes(tx), leftTo = 0, unsentLabels = 0;
  while (bytes > bytesMax) {
    const cut = oldestBlocks(tx);
    if (cut !== undefined) {
      for (const { model, rows } of sent === undefined ? [] : unsentOf(tx, sent.block, cut)) {
        unsent.set(model, (unsent.get(model) ?? 0) + rows);
      }
      tx.run("DELETE FROM prediction_block WHERE id <= ?", cut);
      leftTo = cut;
    } else {
      const newest = newestLabel(tx);
      if (newest === undefined) break;
      unsentLabels += removeLabels(tx, newest, sent);
    }
    bytes = usedBytes(tx);
  }
  if (leftTo > 0) {
    unsentLabels += removeOrphans(tx, sent);
    bytes = usedBytes(tx);
  }
  return {
    ...{ bytes, leftTo, unsentLabels },
    unsent: [...unsent].map(([model, rows]) => ({ model, rows })),
  };
}

/** @returns the last of the oldest 64th of the blocks */
function oldestBlocks(tx: Transaction): number | undefined {
  const found = tx.get<{ cut: number | null }>(
    `SELECT max(id) AS cut FROM (SELECT id FROM prediction_block ORDER BY id
      LIMIT (SELECT 1 + count(*) / 64 FROM prediction_block))`,
  );
  return found?.cut ?? undefined;
}

function unsentOf(tx: Transaction, sent: number, cut: number): { model: string; rows: number }[] {
  return tx.all(
    `SELECT model, sum(rows) AS rows FROM prediction_block WHERE id > ? AND id <= ?
      GROUP BY model LIMIT 100000`,
    ...[sent, cut],
  );
}

/** @returns the number of the last label, where there is one: without any block, none is anybody's */
function newestLabel(tx: Transaction): number | undefined {
  const sql = "SELECT max(last_id) AS id FROM prediction_label_block";
  return tx.get<{ id: number | null }>(sql)?.id ?? undefined;
}

/**
 * A label comes after its prediction: those that came before the oldest row are nobody's.
 *
 * @returns how many of them were not sent
 */
function removeOrphans(tx: Transaction, sent: LogCursor | undefined): number {
  const oldest = tx.get<{ ms: number }>(
    `SELECT coalesce(min(first_ms), 0) AS ms FROM (SELECT first_ms FROM prediction_block ORDER BY id
      LIMIT 100)`,
  )!.ms;
  // In the order of arrival: no more is read than what leaves.
  const kept = tx.get<{ before: number }>(
    `SELECT last_id - labels AS before FROM prediction_label_block WHERE arrived_ms >= ?
      ORDER BY last_id LIMIT 1`,
    oldest,
  );
  const to = kept?.before ?? newestLabel(tx);
  return to === undefined ? 0 : removeLabels(tx, to, sent);
}

/** @returns how many of them were not sent */
function removeLabels(tx: Transaction, to: number, sent: LogCursor | undefined): number {
  const unsent = sent === undefined ? 0 : tx.get<{ count: number }>(
    `SELECT coalesce(sum(min(labels, last_id - ?)), 0) AS count FROM prediction_label_block
      WHERE last_id > ? AND last_id <= ?`,
    ...[sent.label, sent.label, to],
  )!.count;
  tx.run("DELETE FROM prediction_label_block WHERE last_id <= ?", to);
  return unsent;
}

/** @returns bytes of the database in use */
export function usedBytes(reader: Pick<Transaction, "get">): number {
  const row = reader.get<{ bytes: number }>(
    `SELECT (page_count - freelist_count) * page_size AS bytes
      FROM pragma_page_count(), pragma_freelist_count(), pragma_page_size()`,
  );
  return row?.bytes ?? 0;
}
