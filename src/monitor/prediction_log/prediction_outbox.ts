import type { Database, Reader, Transaction } from "../../database/mod.ts";
import { readLabels } from "./label_block.ts";
import type { LoggedColumn } from "./prediction_block.ts";
import type { LogCursor, PredictionBatch, SentBlock, SentLabel } from "./prediction_batch.ts";
import type { RoomMade } from "./prediction_ring.ts";

/** What is read at once: soft, one block or label more is always taken, so that it goes on. */
const BATCH_BYTES = 1024 * 1024;
const BATCH_BLOCKS_MAX = 500;
const BATCH_LABELS_MAX = 5000;
const BATCH_LABEL_CHARACTERS = 512 * 1024;

/** A batch, and whether more is there than it holds. */
export interface ReadBatch extends PredictionBatch {
  readonly hasMore: boolean;
}

type OnRefused = (model: string, rows: number) => void;

interface BlockRow {
  readonly id: number;
  readonly model: string;
  readonly version: string;
  readonly columns: string;
  readonly first_ms: number;
  readonly last_ms: number;
  readonly requests: number;
  readonly rows: number;
  readonly body: Uint8Array<ArrayBuffer>;
}

/**
 * A log as it is sent: its name, what comes after a place in it, and how much is not sent yet. The ring
 * itself is the spool: nothing is written a second time. How far it was sent is noted with what is
 * written anyway, for the counting after a restart only: the receiver is who knows it.
 */
export class PredictionOutbox {
  readonly #database: Database;
  readonly #onRefused: OnRefused;
  /** Names the log: a folder that was emptied is another one. */
  readonly log: string;
  #sent: LogCursor;
  #isNoted = true;
  #unsentRows: number;
  /** Blocks up to this one have left the ring, and are not among the unsent rows any more. */
  #leftTo = 0;

  private constructor(
    database: Database,
    onRefused: OnRefused,
    { log, sent }: { log: string; sent: LogCursor },
  ) {
    this.#database = database;
    this.#onRefused = onRefused;
    this.log = log;
    this.#sent = sent;
    this.#unsentRows = this.#countUnsent();
  }

  /**
   * @param onRefused told of rows that the receiver could make nothing of
   * @throws {SerinError} `storage`
   */
  static open(database: Database, onRefused: OnRefused): PredictionOutbox {
    return database.transaction((tx) => {
      tx.run("INSERT OR IGNORE INTO prediction_log VALUES (1, ?, 0, 0)", crypto.randomUUID());
      const { log, block, label } = tx.get<{ log: string; block: number; label: number }>(
        "SELECT log, sent_block AS block, sent_label AS label FROM prediction_log",
      )!;
      return new PredictionOutbox(database, onRefused, { log, sent: { block, label } });
    });
  }

  /** How far the receiver has it, as far as is known. */
  get sent(): LogCursor {
    return this.#sent;
  }

  /** Rows in the ring that the receiver does not have. */
  get unsentRows(): number {
    return this.#unsentRows;
  }

  /** @returns what comes next, a bounded part of it */
  read(): ReadBatch {
    const { block, label } = this.#sent;
    return this.#database.read((reader) => {
      const sizes = reader.all<{ id: number; bytes: number }>(
        `SELECT id, length(body) + length(CAST(columns AS BLOB)) AS bytes
          FROM prediction_block WHERE id > ? ORDER BY id LIMIT ?`,
        ...[block, BATCH_BLOCKS_MAX],
      );
      const fitting = fittingOf(sizes.map(({ bytes }) => bytes), BATCH_BYTES);
      const blockTo = fitting === 0 ? block : sizes[fitting - 1].id;
      const blocks = reader.all<BlockRow>(
        "SELECT * FROM prediction_block WHERE id > ? AND id <= ? ORDER BY id LIMIT ?",
        ...[block, blockTo, BATCH_BLOCKS_MAX],
      );
      const found = labelsAfter(reader, label);
      const labels = found.slice(
        0,
        fittingOf(found.map((one) => one.label.length), BATCH_LABEL_CHARACTERS),
      );
      return {
        log: this.log,
        blocks: blocks.map(toBlock),
        labels,
        from: { block, label },
        to: { block: blockTo, label: labels.at(-1)?.id ?? label },
        hasMore: fitting < sizes.length || sizes.length === BATCH_BLOCKS_MAX ||
          labels.length < found.length || found.length === BATCH_LABELS_MAX,
      };
    });
  }

  /**
   * The receiver has taken a batch, but for the blocks that it refused.
   *
   * @returns how many rows it has taken
   */
  advance({ blocks, to }: PredictionBatch, refused: readonly { readonly id: number }[]): number {
    this.#note(to);
    const lost = new Set(refused.map(({ id }) => id));
    let taken = 0;
    for (const { id, model, rows } of blocks) {
      if (id > this.#leftTo) this.#unsentRows -= rows;
      if (lost.has(id)) this.#onRefused(model, rows);
      else taken += rows;
    }
    return taken;
  }

  /**
   * The receiver says how far it has the log. Where that is further than the log goes, its folder was
   * put back from a copy: what is written from now on is numbered anew, or it would be taken for known.
   */
  resume(cursor: LogCursor): void {
    this.#database.transaction((tx) => {
      raiseNumbers(tx, "prediction_block", cursor.block);
      raiseNumbers(tx, "prediction_label_block", cursor.label);
    });
    this.#note(cursor);
    this.#unsentRows = this.#countUnsent();
  }

  /** Part of a write: notes how far the log was sent. */
  note(tx: Transaction): void {
    if (this.#isNoted) return;
    const { block, label } = this.#sent;
    tx.run("UPDATE prediction_log SET sent_block = ?, sent_label = ?", block, label);
  }

  /** After a write: so many rows came, and that has left. */
  written(rows: number, { leftTo, unsent }: Pick<RoomMade, "leftTo" | "unsent">): void {
    this.#isNoted = true;
    this.#leftTo = Math.max(this.#leftTo, leftTo);
    this.#unsentRows += unsent.reduce((sum, left) => sum - left.rows, rows);
  }

  /** Notes how far the log was sent, where no write has. */
  close(): void {
    if (this.#isNoted) return;
    this.#database.transaction((tx) => this.note(tx));
    this.#isNoted = true;
  }

  #note(cursor: LogCursor): void {
    const { block, label } = this.#sent;
    if (cursor.block === block && cursor.label === label) return;
    this.#sent = cursor;
    this.#isNoted = false;
  }

  #countUnsent(): number {
    const sql = "SELECT coalesce(sum(rows), 0) AS rows FROM prediction_block WHERE id > ?";
    return this.#database.read((reader) => reader.get<{ rows: number }>(sql, this.#sent.block))!
      .rows;
  }
}

/** @returns the labels that come next, at most {@linkcode BATCH_LABELS_MAX} */
function labelsAfter(reader: Reader, after: number): SentLabel[] {
  const found: SentLabel[] = [];
  while (found.length < BATCH_LABELS_MAX) {
    const block = reader.get<{ last_id: number; labels: number; body: Uint8Array }>(
      `SELECT last_id, labels, body FROM prediction_label_block WHERE last_id > ?
        ORDER BY last_id LIMIT 1`,
      found.at(-1)?.id ?? after,
    );
    if (block === undefined) break;
    let id = block.last_id - block.labels;
    for (const label of readLabels(block.body)) {
      if (++id > after && found.length < BATCH_LABELS_MAX) found.push({ id, ...label });
    }
  }
  return found;
}

/** @returns how many of them are at most so much together; one, where there is one */
function fittingOf(sizes: readonly number[], sumMax: number): number {
  let sum = 0;
  const over = sizes.findIndex((size) => (sum += size) > sumMax);
  return over < 0 ? sizes.length : Math.max(1, over);
}

function toBlock(row: BlockRow): SentBlock {
  const { id, model, version, columns, first_ms, last_ms, requests, rows, body } = row;
  return {
    ...{ id, model, version, requests, rows, firstMs: first_ms, lastMs: last_ms, bytes: body },
    columns: JSON.parse(columns) as LoggedColumn[],
  };
}

function raiseNumbers(tx: Transaction, table: string, least: number): void {
  const seen = tx.get<{ seq: number }>("SELECT seq FROM sqlite_sequence WHERE name = ?", table);
  if (seen === undefined && least > 0) {
    tx.run("INSERT INTO sqlite_sequence (name, seq) VALUES (?, ?)", table, least);
  } else if (seen !== undefined && seen.seq < least) {
    tx.run("UPDATE sqlite_sequence SET seq = ? WHERE name = ?", least, table);
  }
}
