import {
  backoffMs,
  type Clock,
  type Log,
  messageOf,
  type Random,
  SerinError,
  withDeadline,
} from "../core/mod.ts";
import type { SyncAnswer, SyncPeer, SyncRequest } from "../rollout/sync.ts";

/** The least time between two syncs, however many bad events there are. */
const SYNC_MS_MIN = 50;
/** Waits while the registry is out of reach: short of a replica's liveness time-out at the registry. */
const RETRY = { firstMs: 500, capMs: 3000 } as const;
/** How often an outage that lasts is told of again. */
const REMIND_MS = 60_000;

/** What the loop needs of the serving process. */
export interface SyncLoopOptions {
  readonly peer: SyncPeer;
  readonly replica: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** What the replica holds and has counted, now. */
  readonly report: () => Pick<SyncRequest, "models" | "counts">;
  /** Takes an answer; must not throw. */
  readonly apply: (answer: SyncAnswer) => void;
  /** A sync got no answer; must not throw. */
  readonly onUnanswered: () => void;
}

/** Since when the registry does not answer, and why. */
interface Outage {
  readonly since: number;
  readonly why: string;
  readonly toldAt: number;
}

/**
 * Tells the registry what this replica holds and counts, and takes shares and token keys from it:
 * one sync in flight, every 0.5 to 1 s, soon after a bad event. Out of reach, the replica keeps its
 * last shares and goes on counting; totals are cumulative, so nothing is lost or counted twice.
 */
export class SyncLoop {
  readonly #options: SyncLoopOptions;
  readonly #incarnation = crypto.randomUUID();
  #sequence = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #inFlight: Promise<void> | undefined;
  #again = false;
  #lastAt = -Infinity;
  #reachedAt: number | undefined;
  #outage: Outage | undefined;
  #failures = 0;
  #stopped = false;
  /** The counts of the last sync that was answered. */
  #acknowledged = "[]";

  constructor(options: SyncLoopOptions) {
    this.#options = options;
  }

  /** Whether the last sync was answered; assumed before the first. */
  get reachable(): boolean {
    return this.#outage === undefined;
  }

  /** Why the last sync was not answered; undefined where it was. */
  get problem(): string | undefined {
    return this.#outage?.why;
  }

  /** Seconds since the registry last answered; undefined before the first time. */
  get ageSeconds(): number | undefined {
    if (this.#reachedAt === undefined) return undefined;
    return (this.#options.clock.monotonic() - this.#reachedAt) / 1000;
  }

  /** Syncs now and goes on; resolves when the first sync was answered or failed. */
  start(): Promise<void> {
    return this.#sync();
  }

  /** A bad event: the registry should hear of it soon; of one out of reach, when it is back. */
  soon(): void {
    if (this.#stopped) return;
    if (this.#inFlight !== undefined) {
      this.#again = true;
      return;
    }
    // A canary that fails would have every replica knock 20 times a second at a registry that is ill.
    if (!this.reachable) return;
    const wait = Math.max(0, this.#lastAt + SYNC_MS_MIN - this.#options.clock.monotonic());
    this.#schedule(wait);
  }

  /**
   * Ends: sends the last counts, and that this replica leaves. Tried again while there are counts that
   * the registry may not have, for at most `msMax`.
   */
  async stop(msMax: number): Promise<void> {
    const deadline = performance.now() + msMax;
    this.#stopped = true;
    clearTimeout(this.#timer);
    // One that the registry never answered has counted for no rollout, and is not waited for.
    if (this.#reachedAt === undefined) return;
    await withDeadline(this.#inFlight ?? Promise.resolve(), msMax, late).catch(() => {});
    const hasCounts = JSON.stringify(this.#options.report().counts) !== this.#acknowledged;
    if (!this.reachable && !hasCounts) return;
    for (let failures = 1;; failures++) {
      const problem = await this.#takeLeave(Math.max(0, deadline - performance.now()));
      if (problem === undefined) return;
      const waitMs = backoffMs(failures, this.#options.random, RETRY);
      if (!hasCounts || performance.now() + waitMs >= deadline) {
        this.#options.log.warn("the registry did not hear that this replica ends", {
          error: messageOf(problem),
          hint: hasCounts ? "what it counted since its last sync is lost" : undefined,
        });
        return;
      }
      await new Promise((done) => setTimeout(done, waitMs));
    }
  }

  /** @returns why it was not heard */
  async #takeLeave(msMax: number): Promise<unknown> {
    const send = (leaving: boolean) => withDeadline(this.#send(leaving), msMax, late);
    try {
      await send(true);
    } catch (thrown) {
      if (!(thrown instanceof SerinError) || thrown.retriable) return thrown;
      // A registry from before replicas took their leave refuses the word; the counts it takes.
      return await send(false).then(() => undefined, (again) => again);
    }
  }

  #schedule(wait: number): void {
    clearTimeout(this.#timer);
    if (!this.#stopped) this.#timer = setTimeout(() => void this.#sync(), wait);
  }

  async #sync(): Promise<void> {
    if (this.#inFlight !== undefined) return;
    clearTimeout(this.#timer);
    let wait = 0;
    this.#inFlight = this.#send(false).then((answer) => {
      this.#reach();
      if (!this.#stopped) this.#options.apply(answer);
      wait = answer.intervalMs;
      this.#failures = 0;
    }).catch((thrown) => {
      this.#miss(thrown);
      wait = backoffMs(++this.#failures, this.#options.random, RETRY);
      this.#options.onUnanswered();
    });
    await this.#inFlight;
    this.#inFlight = undefined;
    if (this.#again && this.reachable) wait = Math.min(wait, SYNC_MS_MIN);
    this.#again = false;
    this.#schedule(wait);
  }

  async #send(leaving: boolean): Promise<SyncAnswer> {
    const { peer, replica, clock, report } = this.#options;
    this.#lastAt = clock.monotonic();
    const told = report();
    const answer = await peer.sync({
      replica,
      incarnation: this.#incarnation,
      sequence: this.#sequence++,
      ...told,
      ...(leaving ? { leaving: true as const } : {}),
    });
    this.#acknowledged = JSON.stringify(told.counts);
    return answer;
  }

  #reach(): void {
    const { log, clock } = this.#options;
    this.#reachedAt = clock.monotonic();
    if (this.#outage === undefined) return;
    log.info("the registry answers again", { afterSeconds: this.#secondsOf(this.#outage) });
    this.#outage = undefined;
  }

  #miss(thrown: unknown): void {
    const { log, clock } = this.#options;
    const now = clock.monotonic(), before = this.#outage, why = messageOf(thrown);
    const isNews = before === undefined || now - before.toldAt >= REMIND_MS;
    this.#outage = { since: before?.since ?? now, why, toldAt: isNews ? now : before.toldAt };
    if (!isNews) return;
    const what = this.#reachedAt === undefined
      ? "the registry is out of reach and has not answered yet"
      : "the registry is out of reach; shares stay as they are";
    log.warn(before === undefined ? what : `still, ${what}`, {
      error: why,
      hint: thrown instanceof SerinError ? thrown.hint : undefined,
      ...(before === undefined ? {} : { forSeconds: this.#secondsOf(before) }),
    });
  }

  #secondsOf({ since }: Outage): number {
    return Math.round((this.#options.clock.monotonic() - since) / 1000);
  }
}

function late(): SerinError {
  return new SerinError("timeout", "The registry did not answer in time");
}
