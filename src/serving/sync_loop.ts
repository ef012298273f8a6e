import { type Clock, type Log, messageOf, SerinError } from "../core/mod.ts";
import type { SyncAnswer, SyncPeer, SyncRequest } from "../rollout/sync.ts";

/** The least time between two syncs, however many bad events there are. */
const SYNC_MS_MIN = 50;
/** How long to wait while the registry is out of reach. */
const RETRY_MS = 1000;

/** What the loop needs of the serving process. */
export interface SyncLoopOptions {
  readonly peer: SyncPeer;
  readonly replica: string;
  readonly clock: Clock;
  readonly log: Log;
  /** What the replica holds and has counted, now. */
  readonly report: () => Pick<SyncRequest, "models" | "counts">;
  /** Takes an answer; must not throw. */
  readonly apply: (answer: SyncAnswer) => void;
  /** A sync got no answer; must not throw. */
  readonly onUnanswered: () => void;
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
  /** Assumed until shown otherwise, so that the first failure is told, once. */
  #reachable = true;
  #stopped = false;

  constructor(options: SyncLoopOptions) {
    this.#options = options;
  }

  /** Whether the last sync was answered. */
  get reachable(): boolean {
    return this.#reachable;
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

  /** A bad event: the registry should hear of it soon. */
  soon(): void {
    if (this.#stopped) return;
    if (this.#inFlight !== undefined) {
      this.#again = true;
      return;
    }
    const wait = Math.max(0, this.#lastAt + SYNC_MS_MIN - this.#options.clock.monotonic());
    this.#schedule(wait);
  }

  /** Sends the last counts and ends. */
  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    await this.#inFlight;
    if (this.#reachable) await this.#once().catch(() => {});
  }

  #schedule(wait: number): void {
    clearTimeout(this.#timer);
    if (!this.#stopped) this.#timer = setTimeout(() => void this.#sync(), wait);
  }

  async #sync(): Promise<void> {
    if (this.#inFlight !== undefined) return;
    clearTimeout(this.#timer);
    let wait = RETRY_MS;
    this.#inFlight = this.#once().then((intervalMs) => {
      wait = intervalMs;
      this.#setReachable(true);
    }, (thrown) => {
      this.#setReachable(false, thrown);
      this.#options.onUnanswered();
    });
    await this.#inFlight;
    this.#inFlight = undefined;
    if (this.#again) wait = Math.min(wait, SYNC_MS_MIN);
    this.#again = false;
    this.#schedule(wait);
  }

  async #once(): Promise<number> {
    const { peer, replica, clock, report, apply } = this.#options;
    this.#lastAt = clock.monotonic();
    const sequence = this.#sequence++;
    const answer = await peer.sync({
      replica,
      incarnation: this.#incarnation,
      sequence,
      ...report(),
    });
    this.#reachedAt = clock.monotonic();
    apply(answer);
    return answer.intervalMs;
  }

  #setReachable(reachable: boolean, thrown?: unknown): void {
    if (reachable !== this.#reachable) {
      const { log } = this.#options;
      if (reachable) log.info("the registry answers again");
      else {
        const hint = thrown instanceof SerinError ? thrown.hint : undefined;
        log.warn("the registry is out of reach; shares stay as they are", {
          error: messageOf(thrown),
          hint,
        });
      }
    }
    this.#reachable = reachable;
  }
}
