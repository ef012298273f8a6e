import { LIMITS, type Random } from "../../core/mod.ts";
import {
  BlockWriter,
  type LoggedAnswer,
  packedBytesMax,
  type PredictionBlock,
} from "./prediction_block.ts";

/**
 * Why rows were not logged; or, where the log is sent, why they were lost on the way: they left the ring
 * before they were sent, or the receiver could make nothing of their block.
 */
export type DropReason = "queue_full" | "too_large" | "storage" | "unsent" | "refused";

/** Rows that were not logged. */
export interface DroppedRows {
  readonly model: string;
  readonly reason: DropReason;
  readonly rows: number;
}

/** What a data isolate hands over: blocks, and what it had to leave out since the last time. */
export interface RecordedPredictions {
  readonly blocks: readonly PredictionBlock[];
  readonly dropped: readonly DroppedRows[];
}

/** Size of a block that one answer does not exceed. */
const BLOCK_BYTES = 64 * 1024;

/** What a {@linkcode PredictionRecorder} stands on. */
export interface RecorderOptions {
  /** Share of the requests that are logged, above 0 up to 1. */
  readonly rate: number;
  readonly random: Pick<Random, "uint32">;
  /** Hands over; the blocks' memory may be given away with them. */
  readonly post: (recorded: RecordedPredictions) => void;
}

/**
 * The data isolate's half of the prediction log: packs answers and hands them over in blocks. What was
 * handed over and is not written yet is bounded: beyond it rows are dropped and counted, and no answer
 * waits.
 */
export class PredictionRecorder {
  readonly #options: RecorderOptions;
  /** One a version; few. The one that was used last comes first. */
  readonly #writers: BlockWriter[] = [];
  #dropped: DroppedRows[] = [];
  #waitingBytes = 0;

  constructor(options: RecorderOptions) {
    this.#options = options;
  }

  /** Takes up an answer, if it is in the sample. It is packed at once: its memory may be used again. */
  record(answer: LoggedAnswer): void {
    const { rate, random } = this.#options;
    if (rate < 1 && random.uint32() >= rate * 2 ** 32) return;
    const bytes = packedBytesMax(answer);
    if (bytes > LIMITS.loggedAnswerBytesMax) return this.#drop(answer, "too_large");
    let writer = this.#find(answer);
    if (writer !== undefined && writer.free < bytes) {
      this.#writers.shift();
      this.#handOver([writer.finish()]);
      writer = undefined;
    }
    if (this.#waitingBytes + bytes > LIMITS.predictionQueueBytesMax) {
      return this.#drop(answer, "queue_full");
    }
    if (writer === undefined) {
      writer = new BlockWriter(answer, Math.max(BLOCK_BYTES, bytes));
      this.#writers.unshift(writer);
    }
    writer.add(answer);
  }

  /** Hands over what there is; called about four times a second. */
  flush(): void {
    const blocks = this.#writers.map((writer) => writer.finish());
    this.#writers.length = 0;
    if (blocks.length > 0 || this.#dropped.length > 0) this.#handOver(blocks);
  }

  /** So many bytes were written, or given up: there is room for as many. */
  taken(bytes: number): void {
    this.#waitingBytes -= bytes;
  }

  /** @returns the writer of its version, now the first one */
  #find(answer: LoggedAnswer): BlockWriter | undefined {
    const writers = this.#writers;
    if (writers.length > 0 && writers[0].takes(answer)) return writers[0];
    const at = writers.findIndex((writer) => writer.takes(answer));
    if (at < 0) return undefined;
    writers.unshift(...writers.splice(at, 1));
    return writers[0];
  }

  #handOver(blocks: readonly PredictionBlock[]): void {
    for (const { bytes } of blocks) this.#waitingBytes += bytes.length;
    const dropped = this.#dropped;
    this.#dropped = [];
    this.#options.post({ blocks, dropped });
  }

  #drop({ model, rows }: LoggedAnswer, reason: DropReason): void {
    const at = this.#dropped.findIndex((one) => one.model === model && one.reason === reason);
    if (at < 0) this.#dropped.push({ model, reason, rows });
    else this.#dropped[at] = { model, reason, rows: this.#dropped[at].rows + rows };
  }
}
