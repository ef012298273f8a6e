import { backoffMs, type Log, messageOf, type Random, SerinError } from "../../core/mod.ts";
import { type BatchAnswer, encodeBatch, type LogCursor } from "./prediction_batch.ts";
import type { PredictionOutbox, ReadBatch } from "./prediction_outbox.ts";

/** Who takes a log. */
export interface ReceiverPort {
  /** @returns how far it has the log */
  cursorOf(log: string, signal: AbortSignal): Promise<LogCursor>;
  send(packed: Uint8Array<ArrayBuffer>, signal: AbortSignal): Promise<BatchAnswer>;
}

/** What a {@linkcode PredictionSender} stands on. */
export interface PredictionSenderOptions {
  readonly outbox: Pick<
    PredictionOutbox,
    "log" | "read" | "advance" | "resume" | "unsentRows"
  >;
  readonly receiver: ReceiverPort;
  readonly random: Random;
  readonly log: Log;
  /** Ends early when the signal is aborted, and does not throw; default a timer. */
  readonly sleep?: (ms: number, signal: AbortSignal) => Promise<void>;
}

/** How sending goes. */
export interface PredictionSenderStats {
  readonly sentRows: number;
  readonly unsentRows: number;
  /** Whether the receiver took what it was asked last. */
  readonly reachable: boolean;
}

/** What came of an attempt: "more" is there than one batch holds. */
export type SendOutcome = "nothing" | "sent" | "more" | "failed";

/** How often is looked whether there is something to send. */
const LOOK_MS = 1000;
/** Between two batches of many: the isolate that reads them also answers probes. */
const BETWEEN_MS = 50;
const BACKOFF = { firstMs: 1000, capMs: 30_000 } as const;
/** Between attempts at the end, when there is little time. */
const LAST_RETRY_MS = 250;

/**
 * Sends a log to a receiver, one batch after another, from where the receiver says that it has come.
 * Each batch is read from the ring when it is sent: what waits takes no memory. While the receiver is
 * away it waits longer and longer, up to half a minute, and goes on where it was.
 */
export class PredictionSender {
  readonly #options: PredictionSenderOptions;
  readonly #hurry = new AbortController();
  readonly #ended = new AbortController();
  #running: Promise<void> | undefined;
  #isResumed = false;
  #sentRows = 0;
  #failures = 0;
  /** What was told of the last failure; another reason is told again. */
  #told: string | undefined;
  #mayRetry = true;
  #reachable = false;

  constructor(options: PredictionSenderOptions) {
    this.#options = options;
  }

  get stats(): PredictionSenderStats {
    const { unsentRows } = this.#options.outbox;
    return { sentRows: this.#sentRows, unsentRows, reachable: this.#reachable };
  }

  /** Begins; nothing waits for it. */
  start(): void {
    this.#running ??= this.#run();
  }

  /**
   * Sends what is left, for so long at most, and ends.
   *
   * @returns whether everything was sent
   */
  async stop(msMax: number): Promise<boolean> {
    this.start();
    this.#hurry.abort();
    const timer = setTimeout(() => this.#ended.abort(), msMax);
    await this.#running;
    clearTimeout(timer);
    const { unsentRows: rows } = this.#options.outbox;
    if (rows > 0) this.#options.log.warn("a part of the prediction log was not sent", { rows });
    return rows === 0;
  }

  /** One batch, and before the first one the question where to begin. */
  async step(): Promise<SendOutcome> {
    try {
      return await this.#send();
    } catch (thrown) {
      if (!this.#ended.signal.aborted) this.#fail(thrown);
      return "failed";
    }
  }

  async #run(): Promise<void> {
    const { sleep = pause } = this.#options, hurry = this.#hurry.signal, ended = this.#ended.signal;
    while (!ended.aborted) {
      // What was written last may have come while a batch was under way: it is looked for once more.
      const isLast = hurry.aborted;
      const outcome = await this.step();
      if (isLast && (outcome === "nothing" || (outcome === "failed" && !this.#mayRetry))) return;
      if (!hurry.aborted) await sleep(this.#waitMs(outcome), hurry);
      else if (outcome === "failed") await sleep(LAST_RETRY_MS, ended);
    }
  }

  #waitMs(outcome: SendOutcome): number {
    if (outcome === "more") return BETWEEN_MS;
    if (outcome !== "failed") return LOOK_MS;
    return backoffMs(this.#failures, this.#options.random, BACKOFF);
  }

  async #send(): Promise<SendOutcome> {
    const { outbox, receiver } = this.#options, { signal } = this.#ended;
    if (!this.#isResumed) {
      outbox.resume(await receiver.cursorOf(outbox.log, signal));
      this.#isResumed = true;
      this.#succeed();
    }
    const batch = outbox.read();
    const { from, to } = batch;
    if (from.block === to.block && from.label === to.label) return "nothing";
    this.#take(batch, await receiver.send(encodeBatch(batch), signal));
    return batch.hasMore ? "more" : "sent";
  }

  #take(batch: ReadBatch, { cursor, refused }: BatchAnswer): void {
    const { outbox, log } = this.#options, { to } = batch;
    this.#succeed();
    if (cursor.block !== to.block || cursor.label !== to.label) {
      log.warn("the receiver has another part of the prediction log than it had", { ...cursor });
      return outbox.resume(cursor);
    }
    this.#sentRows += outbox.advance(batch, refused);
    if (refused.length === 0) return;
    const [{ message }] = refused;
    log.error("the receiver can make nothing of some blocks", { blocks: refused.length, message });
  }

  #succeed(): void {
    if (!this.#reachable) this.#options.log.info("the prediction log is sent");
    this.#reachable = true;
    this.#failures = 0;
    this.#told = undefined;
  }

  #fail(thrown: unknown): void {
    this.#reachable = false;
    this.#mayRetry = !(thrown instanceof SerinError) || thrown.retriable;
    this.#failures++;
    const error = messageOf(thrown);
    if (this.#told === error) return;
    this.#told = error;
    const hint = thrown instanceof SerinError && thrown.hint !== undefined
      ? { hint: thrown.hint }
      : {};
    this.#options.log.warn(
      "the prediction log is not sent, and is kept as long as its ring holds",
      { error, ...hint },
    );
  }
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((done) => {
    const finish = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", finish);
      done();
    };
    const timer = setTimeout(finish, ms);
    signal.addEventListener("abort", finish, { once: true });
    if (signal.aborted) finish();
  });
}
