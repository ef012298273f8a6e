import { LIMITS, messageOf, SerinError } from "../../core/mod.ts";
import type { Database, Transaction } from "../../database/mod.ts";
import { checkBlock } from "./check_block.ts";
import { packLabels } from "./label_block.ts";
import {
  type BatchAnswer,
  decodeBatch,
  isLogId,
  type LogCursor,
  type RefusedBlock,
  type SentBlock,
} from "./prediction_batch.ts";
import {
  insertBlock,
  insertLabels,
  makeRoom,
  openRing,
  type RingOptions,
  usedBytes,
} from "./prediction_ring.ts";

/** What a receiver has done since it was opened. */
export interface PredictionReceiverStats {
  readonly rows: ReadonlyMap<string, number>;
  readonly labels: number;
  /** Rows of blocks that could not be read, as they claim. */
  readonly refusedRows: number;
  /** Bytes of the database in use. */
  readonly bytes: number;
}

const NOWHERE: LogCursor = { block: 0, label: 0 };

/**
 * What the prediction logs of replicas are sent to: a ring like theirs, of all of them, in the order in
 * which they arrive. A block or label that was taken before is not taken again, by its log's name and
 * its number: what is acknowledged is on the disk together with how far the log has come.
 *
 * Rows keep the time of the replica that answered them. Labels are kept as long as a block is there that
 * is older than their arrival by this machine's clock: a replica whose clock is ahead loses, of the
 * oldest rows in the ring, the labels of so much time.
 */
export class PredictionReceiver implements Disposable {
  readonly #options: RingOptions;
  readonly #database: Database;
  readonly #rows = new Map<string, number>();
  #labels = 0;
  #refusedRows = 0;
  #bytes: number;

  private constructor(options: RingOptions, database: Database) {
    this.#options = options;
    this.#database = database;
    this.#bytes = database.read(usedBytes);
  }

  /** @throws {SerinError} as {@linkcode openRing} */
  static async open(options: RingOptions): Promise<PredictionReceiver> {
    return new PredictionReceiver(options, await openRing(options));
  }

  /** What was done since it was opened. */
  get stats(): PredictionReceiverStats {
    const [rows, labels, refusedRows] = [this.#rows, this.#labels, this.#refusedRows];
    return { rows, labels, refusedRows, bytes: this.#bytes };
  }

  /**
   * @returns how far a log has come; from its beginning where it is not known
   * @throws {SerinError} `invalid_input` where that is no log's name
   */
  cursorOf(log: string): LogCursor {
    if (!isLogId(log)) {
      throw new SerinError("invalid_input", `"${log.slice(0, 100)}" names no prediction log`, {
        hint: "give ?log=UUID: each log has one, in lower case",
      });
    }
    return this.#database.read((reader) => findCursor(reader, log));
  }

  /**
   * Takes a batch: what is new of it is on the disk when this returns. A batch that begins further on
   * than the log has come is not taken: the answer says from where to send.
   *
   * @returns how far the log has come, and the blocks that nobody could read
   * @throws {SerinError} `invalid_input` for what is no batch, `unavailable` where the disk does not
   *   take it
   */
  take(packed: Uint8Array<ArrayBuffer>): BatchAnswer {
    const batch = decodeBatch(packed), { clock, bytesMax } = this.#options;
    const { blocks, refused } = partBlocks(batch.blocks);
    try {
      const taken = this.#database.transaction((tx) => {
        const before = findCursor(tx, batch.log);
        if (isBehind(before, batch.from)) return { before };
        const fresh = blocks.filter(({ id }) => id > before.block);
        for (const block of fresh) insertBlock(tx, block);
        const labels = batch.labels.filter(({ id }) => id > before.label), now = clock.now();
        for (const block of packLabels(labels)) insertLabels(tx, block, now);
        const cursor = {
          block: Math.max(before.block, batch.to.block),
          label: Math.max(before.label, batch.to.label),
        };
        keepCursor(tx, batch.log, cursor);
        const { bytes } = makeRoom(tx, bytesMax, undefined);
        return { before, fresh, labels: labels.length, cursor, bytes };
      });
      const { before, fresh, cursor } = taken;
      if (fresh === undefined) return { cursor: before, refused: [] };
      this.#labels += taken.labels;
      this.#bytes = taken.bytes;
      this.#count(fresh, refused.filter(({ id }) => id > before.block));
      return { cursor, refused: refused.map(({ id, message }) => ({ id, message })) };
    } catch (thrown) {
      throw refusedByDisk(thrown);
    }
  }

  /** Gives the folder free. */
  close(): void {
    this.#database.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #count(fresh: readonly SentBlock[], refused: readonly Refused[]): void {
    for (const { model, rows } of fresh) this.#rows.set(model, (this.#rows.get(model) ?? 0) + rows);
    for (const { rows } of refused) this.#refusedRows += rows;
  }
}

interface Refused extends RefusedBlock {
  readonly rows: number;
}

function partBlocks(all: readonly SentBlock[]): { blocks: SentBlock[]; refused: Refused[] } {
  const blocks: SentBlock[] = [], refused: Refused[] = [];
  for (const block of all) {
    try {
      checkBlock(block);
      blocks.push(block);
    } catch (thrown) {
      if (!(thrown instanceof SerinError)) throw thrown;
      refused.push({ id: block.id, rows: block.rows, message: thrown.message });
    }
  }
  return { blocks, refused };
}

function findCursor(reader: Pick<Transaction, "get">, log: string): LogCursor {
  const sql = "SELECT block, label FROM prediction_source WHERE log = ?";
  const found = reader.get<{ block: number; label: number }>(sql, log);
  return found === undefined ? NOWHERE : { block: found.block, label: found.label };
}

/** A receiver whose folder was emptied, or put back from a copy, has less than it has said. */
function isBehind(here: LogCursor, from: LogCursor): boolean {
  return here.block < from.block || here.label < from.label;
}

/** Those that came last are kept, by the order in which they came: no clock can mix it up. */
function keepCursor(tx: Transaction, log: string, { block, label }: LogCursor): void {
  const sql = "INSERT OR REPLACE INTO prediction_source (log, block, label) VALUES (?, ?, ?)";
  tx.run(sql, log, block, label);
  tx.run(
    `DELETE FROM prediction_source WHERE touched <= (SELECT touched FROM prediction_source
      ORDER BY touched DESC LIMIT 1 OFFSET ?)`,
    LIMITS.predictionLogsMax,
  );
}

function refusedByDisk(thrown: unknown): unknown {
  if (!(thrown instanceof SerinError) || thrown.code !== "storage") return thrown;
  return new SerinError("unavailable", `Cannot keep the predictions: ${messageOf(thrown)}`, {
    hint: "the replica keeps them, and sends them again",
    cause: thrown,
  });
}
