import { LIMITS, type Log, messageOf, SerinError } from "../../core/mod.ts";
import type { Database, Transaction } from "../../database/mod.ts";
import { LABEL_BLOCK_MAX, LabelPacker } from "./label_block.ts";
import type { PredictionBlock } from "./prediction_block.ts";
import { PredictionOutbox } from "./prediction_outbox.ts";
import type { DroppedRows, DropReason, RecordedPredictions } from "./prediction_recorder.ts";
import {
  insertBlock,
  insertLabels,
  makeRoom,
  openRing,
  type RingOptions,
  type RoomMade,
  usedBytes,
} from "./prediction_ring.ts";

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
  /** Takes them up at once, one after another: what one holds may be used again for the next. */
  addLabels(labels: Iterable<LoggedLabel>): void;
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
export interface PredictionLogOptions extends RingOptions {
  readonly rate: number;
  readonly log: Log;
}

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
 * this process while it is open; `PredictionReader` reads it meanwhile.
 */
export class PredictionLog implements PredictionSink, Disposable {
  readonly rate: number;
  readonly #options: PredictionLogOptions;
  readonly #database: Database;
  readonly #rows = new Map<string, number>();
  readonly #dropped = new Map<string, DroppedRows>();
  #waiting: Waiting[] = [];
  /** Packed as they come: objects that wait for the disk are what the garbage collector copies. */
  #labelsWaiting: LabelPacker[] = [];
  #labels = 0;
  #labelsDropped = 0;
  #bytes: number;
  #outbox: PredictionOutbox | undefined;
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
   * @throws {SerinError} as {@linkcode openRing}, and `configuration` for a rate that cannot be kept
   */
  static async open(options: PredictionLogOptions): Promise<PredictionLog> {
    const { rate } = options;
    if (!(rate > 0 && rate <= 1)) {
      throw new SerinError(
        "configuration",
        `A prediction log cannot take ${rate} of the requests`,
        {
          hint: "give --prediction-log-rate a number above 0, up to 1",
        },
      );
    }
    return new PredictionLog(options, await openRing(options));
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

  /** The log as it is sent. From the first call on, what leaves the ring unsent is counted. */
  outbox(): PredictionOutbox {
    const onRefused = (model: string, rows: number) => this.#drop(model, "refused", rows);
    return this.#outbox ??= PredictionOutbox.open(this.#database, onRefused);
  }

  add({ blocks, dropped }: RecordedPredictions, taken: (bytes: number) => void): void {
    for (const { model, reason, rows } of dropped) this.#drop(model, reason, rows);
    for (const block of blocks) this.#waiting.push({ block, taken });
  }

  addLabels(labels: Iterable<LoggedLabel>): void {
    let room = LIMITS.labelQueueMax - countOf(this.#labelsWaiting);
    let packer = this.#labelsWaiting.at(-1);
    for (const { nonce, row, label } of labels) {
      if (room-- <= 0) {
        this.#labelsDropped++;
        continue;
      }
      if (packer === undefined || packer.labels === LABEL_BLOCK_MAX) {
        this.#labelsWaiting.push(packer = new LabelPacker());
      }
      packer.add({ nonce, row, label: labelText(label) });
    }
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
      const room = this.#database.transaction((tx) => this.#insert(tx, waiting, labels));
      this.#count(waiting, room);
      this.#labels += countOf(labels);
      const end = clock.monotonic();
      this.#nextWriteAt = end + REST_FACTOR * (end - begin);
      if (this.#failed) log.info("the prediction log is written again");
      this.#failed = false;
    } catch (thrown) {
      for (const { block } of waiting) this.#drop(block.model, "storage", block.rows);
      this.#labelsDropped += countOf(labels);
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
    try {
      this.#outbox?.close();
    } catch (thrown) {
      // A full disk: the receiver knows how far it has the log.
      this.#options.log.warn("how far the log was sent is not noted", { error: messageOf(thrown) });
    }
    this.#database.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #insert(
    tx: Transaction,
    waiting: readonly Waiting[],
    labels: readonly LabelPacker[],
  ): RoomMade {
    for (const { block } of waiting) insertBlock(tx, block);
    const now = this.#options.clock.now();
    for (const packer of labels) insertLabels(tx, packer.finish(), now);
    this.#outbox?.note(tx);
    return makeRoom(tx, this.#options.bytesMax, this.#outbox?.sent);
  }

  #count(waiting: readonly Waiting[], room: RoomMade): void {
    this.#bytes = room.bytes;
    let all = 0;
    for (const { block: { model, rows } } of waiting) {
      this.#rows.set(model, (this.#rows.get(model) ?? 0) + rows);
      all += rows;
    }
    for (const { model, rows } of room.unsent) this.#drop(model, "unsent", rows);
    this.#labelsDropped += room.unsentLabels;
    this.#outbox?.written(all, room);
  }

  #drop(model: string, reason: DropReason, rows: number): void {
    const key = `${model}\n${reason}`, before = this.#dropped.get(key)?.rows ?? 0;
    this.#dropped.set(key, { model, reason, rows: before + rows });
  }
}

function countOf(packers: readonly LabelPacker[]): number {
  return packers.reduce((sum, { labels }) => sum + labels, 0);
}

/** As a CSV file for training has it: of two classes, 1 and 0. */
function labelText(label: LoggedLabel["label"]): string {
  if (typeof label === "boolean") return label ? "1" : "0";
  return typeof label === "string" ? label.replaceAll("\0", "") : String(label);
}
