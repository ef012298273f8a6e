import { type Clock, messageOf, SerinError } from "../../core/mod.ts";

const RETRY_MS = 500;

/** Says on the way what happens; `Progress` of room `cli` is one. */
export interface Reporter {
  /** What holds right now; may be replaced by the next. */
  update(text: string): void;
  /** What a person should have read. */
  say(text: string): void;
}

/** How something is waited for. */
export interface Waiting {
  readonly clock: Clock;
  /** @param milliseconds at most; ends early when the signal is aborted */
  readonly sleep: (milliseconds: number, signal: AbortSignal) => Promise<void>;
  /** Aborted by Ctrl-C. */
  readonly signal: AbortSignal;
  readonly report: Reporter;
  /** Called at every turn, e.g. to renew a lease; what it throws ends the wait. */
  readonly onTurn?: () => Promise<void>;
}

/** How a wait ended. */
export type WaitEnd = "done" | "failed" | "timeout" | "interrupted";

/**
 * Looks again and again until something is decided, time is up or the signal is aborted.
 *
 * @param deadline by the clock's monotonic time, milliseconds
 * @param look `done` or `failed` end the wait
 */
export async function waitFor(
  waiting: Waiting,
  deadline: number,
  everyMs: number,
  look: () => Promise<"done" | "failed" | "waiting">,
): Promise<WaitEnd> {
  const { clock, sleep, signal } = waiting;
  for (;;) {
    if (signal.aborted) return "interrupted";
    const seen = await look();
    if (seen !== "waiting") return seen;
    const left = deadline - clock.monotonic();
    if (left <= 0) return "timeout";
    await sleep(Math.min(everyMs, left), signal);
    if (!signal.aborted) await waiting.onTurn?.();
  }
}

/**
 * Does something that may fail for a moment, as requests to a registry that is being restarted do.
 *
 * @param deadline by the clock's monotonic time, milliseconds
 * @throws what it throws that waiting does not heal, or the last failure when time is up
 */
export async function whileUnavailable<T>(
  waiting: Waiting,
  deadline: number,
  attempt: () => Promise<T>,
): Promise<T> {
  for (;;) {
    try {
      return await attempt();
    } catch (thrown) {
      const { clock, signal, sleep, report } = waiting;
      const mayHeal = thrown instanceof SerinError && thrown.retriable;
      if (!mayHeal || signal.aborted || clock.monotonic() >= deadline) throw thrown;
      report.update(messageOf(thrown));
      await sleep(RETRY_MS, signal);
    }
  }
}
