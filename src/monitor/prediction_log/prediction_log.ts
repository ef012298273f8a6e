import {
  type Clock,
  LIMITS,
  type Log,
  messageOf,
  SerinError,
  storageError,
} from "../../core/mod.ts";
import { type Database, openDatabase, type Transaction } from "../../database/mod.ts";
import type { PredictionBlock } from "./prediction_block.ts";
import type { DroppedRows, DropReason, RecordedPredictions } from "./prediction_recorder.ts";
import { PREDICTION_FILE, PREDICTION_MIGRATIONS } from "./schema.ts";

/** A label as it passes through a replica. */
export interface LoggedLabel {
  /** Names the prediction: 8 bytes. */
  readonly nonce: Uint8Array;
  readonly row: number;
  readonly label: string | number | boolean;
}

/** Where serving puts what it predicted; never throws, never waits. */
export interface PredictionSink {
  /** Share of the requests that it wants. */
  readonly rate: number;
  /** @param taken told how many bytes are not waiting any more, written or given up */
  add(recorded: RecordedPredictions, taken: (bytes: number) => void): void;
  addLabels(labels: readonly LoggedLabel[]): void;
}

/** What a log has done since it was opened. */
export interface PredictionLogStats {
  readonly rows: ReadonlyMap<string, number>;
  readonly dropped: readonly DroppedRows[];
  readonly labels: number;
  readonly labelsDropped: number;
  /** Bytes of the database in use. */
  readonly bytes: number;
}

/** How {@linkcode PredictionLog.open} opens. */
export interface PredictionLogOptions {
  readonly folder: string;
  readonly rate: number;
  /** Most bytes that the log keeps; the oldest rows leave first. */
  readonly bytesMax: number;
  readonly clock: Clock;
  readonly log: Log;
  /** Default {@linkcode openDatabase}. */
  readonly openDatabase?: (path: string) => Database;
}

/** The least bytes that a log can be given. */
export const LOG_BYTES_MIN = 1024 * 1024;

/** How often waiting blocks are written, in one transaction. */
const WRITE_MS = 500;
/**
 * A write holds the isolate up that also answers probes: after one that took long, the next waits
 * this many times as long, so that a slow disk takes at most a fifth of the time.
 */
const REST_FACTOR = 4;
/** After a failed write (a full disk), the next is tried so much later. */
const RETRY_MS = 5000;

interface Waiting {
  readonly block: PredictionBlock;
  readonly taken: (bytes: number) => void;
}

/**
 * The prediction log of a serving process: a ring of blocks in one SQLite file. The folder belongs to
 * this process while it is open; `openPredictionReader` reads it meanwhile.
 */
export class PredictionLog implements PredictionSink, Disposable {
  readonly rate: number;
  readonly #options: PredictionLogOptions;
  readonly #database: Database;
  readonly #rows = new Map<string, number>();
  readonly #dropped = new Map<string, DroppedRows>();
  #waiting: Waiting[] = [];
  #labelsWaiting: LoggedLabel[] = [];
  #labels = 0;
  #labelsDropped = 0;
  #bytes: number;
  #nextWriteAt = 0;
  #failed = false;
  readonly #timer: ReturnType<typeof setInterval>;

  private constructor(options: PredictionLogOptions, database: Database) {
    this.#options = options;
    this.rate = options.rate;
    this.#database = database;
    this.#bytes = database.read(usedBytes);
    this.#timer = setInterval(() => this.write(), WRITE_MS);
  }

  /**
   * Opens the log of a folder, which is made where it is missing.
   *
   * @throws {SerinError} `conflict` where another process has it, `storage` where it cannot be written,
   *   `configuration` for a limit or a rate that cannot be kept
   */
  static async open(options: PredictionLogOptions): Promise<PredictionLog> {
    const { folder, bytesMax, rate } = options;
    if (bytesMax < LOG_BYTES_MIN) {
      throw new SerinError("configuration", `A prediction log of ${bytesMax} bytes is too small`, {
        hint: `give at least ${LOG_BYTES_MIN} bytes (1Mi) with --prediction-log-bytes`,
      });
    }
    if (!(rate > 0 && rate <= 1)) {
      throw new SerinError(
        "configuration",
        `A prediction log cannot take ${rate} of the requests`,
        {
          hint: "give --prediction-log-rate a number above 0, up to 1",
        },
      );
    }
    try {
      await Deno.mkdir(folder, { recursive: true });
    } catch (cause) {
      throw storageError(`Cannot make the prediction log's folder ${folder}`, cause);
    }
    try {
      const path = `${folder}/${PREDICTION_FILE}`;
      const open = options.openDatabase ??
        ((file) => openDatabase(file, PREDICTION_MIGRATIONS, { clock: options.clock }));
      return new PredictionLog(options, open(path));
    } catch (thrown) {
      if (!(thrown instanceof SerinError) || thrown.code !== "conflict") throw thrown;
      throw new SerinError("conflict", `${folder} is the prediction log of another process`, {
        hint: "give each replica a folder of its own with --prediction-log",
        cause: thrown,
      });
    }
  }

  /** What was done since it was opened. */
  get stats(): PredictionLogStats {
    return {
      rows: this.#rows,
      dropped: [...this.#dropped.values()],
      labels: this.#labels,
      labelsDropped: this.#labelsDropped,
      bytes: this.#bytes,
    };
  }

  add({ blocks, dropped }: RecordedPredictions, taken: (bytes: number) => void): void {
    for (const { model, reason, rows } of dropped) this.#drop(model, reason, rows);
    for (const block of blocks) this.#waiting.push({ block, taken });
  }

  addLabels(labels: readonly LoggedLabel[]): void {
    const room = Math.max(0, LIMITS.labelQueueMax - this.#labelsWaiting.length);
    this.#labelsWaiting.push(...labels.slice(0, room));
    this.#labelsDropped += Math.max(0, labels.length - room);
  }

  /**
   * Writes what waits, in one transaction, unless the disk needs a rest; called by its timer.
   *
   * @param options.now whatever the disk needs
   */
  write({ now = false } = {}): void {
    if (this.#waiting.length === 0 && this.#labelsWaiting.length === 0) return;
    const { clock, log } = this.#options, begin = clock.monotonic();
    if (begin < this.#nextWriteAt && !now) return;
    const waiting = this.#waiting, labels = this.#labelsWaiting;
    this.#waiting = [];
    this.#labelsWaiting = [];
    try {
      this.#bytes = this.#database.transaction((tx) => this.#insert(tx, waiting, labels));
      for (const { block } of waiting) {
        this.#rows.set(block.model, (this.#rows.get(block.model) ?? 0) + block.rows);
      }
      this.#labels += labels.length;
      const end = clock.monotonic();
      this.#nextWriteAt = end + REST_FACTOR * (end - begin);
      if (this.#failed) log.info("the prediction log is written again");
      this.#failed = false;
    } catch (thrown) {
      for (const { block } of waiting) this.#drop(block.model, "storage", block.rows);
      this.#labelsDropped += labels.length;
      this.#nextWriteAt = clock.monotonic() + RETRY_MS;
      if (!this.#failed) log.error("the prediction log loses rows", { error: messageOf(thrown) });
      this.#failed = true;
    } finally {
      for (const { block, taken } of waiting) taken(block.bytes.length);
    }
  }

  /** Writes what waits, and gives the folder free. */
  close(): void {
    clearInterval(this.#timer);
    this.write({ now: true });
    this.#database.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #insert(tx: Transaction, waiting: readonly Waiting[], labels: readonly LoggedLabel[]): number {
    for (const { block } of waiting) insertBlock(tx, block);
    const now = this.#options.clock.now();
    for (const { nonce, row, label } of labels) {
      // As everywhere, the first label of a row counts.
      const sql = "INSERT OR IGNORE INTO prediction_label VALUES (?, ?, ?, ?)";
      tx.run(sql, nonce, row, labelText(label), now);
    }
    return makeRoom(tx, this.#options.bytesMax);
  }

  #drop(model: string, reason: DropReason, rows: number): void {
    const key = `${model}\n${reason}`, before = this.#dropped.get(key)?.rows ?? 0;
    this.#dropped.set(key, { model, reason, rows: before + rows });
  }
}

function insertBlock(tx: Transaction, block: PredictionBlock): void {
  const { model, version, columns, firstMs, lastMs, requests, rows, bytes } = block;
  tx.run(
    `INSERT INTO prediction_block (model, version, columns, first_ms, last_ms, requests, rows, body)
      VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
    ...[model, version, JSON.stringify(columns), Math.floor(firstMs), Math.ceil(lastMs)],
    ...[requests, rows, bytes],
  );
}

/** As a CSV file for training has it: of two classes, 1 and 0. */
function labelText(label: LoggedLabel["label"]): string {
  if (typeof label === "boolean") return label ? "1" : "0";
  return typeof label === "string" ? label.replaceAll("\0", "") : String(label);
}

/** Deletes the oldest until the limit holds. @returns bytes in use */
function makeRoom(tx: Transaction, bytesMax: number): number {
  let used = usedBytes(tx), removed = false;
  while (used > bytesMax) {
    const { changes } = tx.run(
      `DELETE FROM prediction_block WHERE id IN (SELECT id FROM prediction_block ORDER BY id
        LIMIT (SELECT 1 + count(*) / 64 FROM prediction_block))`,
    );
    removed ||= changes > 0;
    if (changes === 0) {
      const labels = tx.run(
        `DELETE FROM prediction_label WHERE (nonce, row) IN (SELECT nonce, row FROM
          prediction_label ORDER BY arrived_ms LIMIT 1000)`,
      );
      if (labels.changes === 0) break;
    }
    used = usedBytes(tx);
  }
  if (!removed) return used;
  // A label comes after its prediction: those that came before the oldest row are nobody's.
  tx.run(
    `DELETE FROM prediction_label WHERE arrived_ms <
      coalesce((SELECT min(first_ms) FROM (SELECT first_ms FROM prediction_block ORDER BY id
        LIMIT 100)), 0)`,
  );
  return usedBytes(tx);
}

function usedBytes(reader: Pick<Transaction, "get">): number {
  const row = reader.get<{ bytes: number }>(
    `SELECT (page_count - freelist_count) * page_size AS bytes
      FROM pragma_page_count(), pragma_freelist_count(), pragma_page_size()`,
  );
  return row?.bytes ?? 0;
}
