import type { RolloutStatus } from "../control/mod.ts";
import { type Clock, messageOf, SerinError } from "../core/mod.ts";
import type { Sleep } from "../kubernetes/mod.ts";

const LOOK_MS = 500;

/** The exit code of each end of a rollout. */
const EXIT_CODES: Readonly<Record<string, number>> = {
  promoted: 0,
  rolled_back: 3,
  inconclusive: 1,
  superseded: 1,
  aborted: 1,
};

/** How {@linkcode waitForRollout} waits. */
export interface RolloutWaiting {
  readonly clock: Clock;
  readonly sleep: Sleep;
  /** Aborted by Ctrl-C. */
  readonly signal: AbortSignal;
  readonly progress: { update(text: string): void; say(text: string): void };
  readonly timeoutMs: number;
}

/** How a wait ended, and what was seen last. */
export interface RolloutWait {
  readonly end: "ended" | "timeout" | "interrupted";
  readonly rollout: RolloutStatus;
}

/**
 * Looks at a rollout until it has ended. A registry that is away meanwhile is waited for.
 *
 * @param getRollout reads the rollout
 * @throws {SerinError} `unavailable` when time is up and nothing was seen, or what a look throws that
 *   waiting does not heal
 */
export async function waitForRollout(
  getRollout: () => Promise<RolloutStatus>,
  { clock, sleep, signal, progress, timeoutMs }: RolloutWaiting,
): Promise<RolloutWait> {
  const deadline = clock.monotonic() + timeoutMs;
  let seen: RolloutStatus | undefined, told = "";
  for (;;) {
    let problem: unknown;
    try {
      seen = await getRollout();
      if (exitCodeOfRollout(seen) !== undefined) return { end: "ended", rollout: seen };
      const line = stepLine(seen);
      if (line !== told) progress.say(line);
      else progress.update(`${line}, ${seen.canaryRequests} canary requests`);
      told = line;
    } catch (thrown) {
      if (!(thrown instanceof SerinError) || !thrown.retriable) throw thrown;
      problem = thrown;
      progress.update(messageOf(thrown));
    }
    const left = deadline - clock.monotonic();
    if (seen === undefined && (left <= 0 || signal.aborted)) throw problem;
    if (signal.aborted) return { end: "interrupted", rollout: seen! };
    if (left <= 0) return { end: "timeout", rollout: seen! };
    await sleep(Math.min(LOOK_MS, left), signal);
  }
}

/** @returns 0 promoted, 3 rolled back, 1 any other end; undefined while it goes on */
export function exitCodeOfRollout({ phase }: Pick<RolloutStatus, "phase">): number | undefined {
  return EXIT_CODES[phase];
}

/** What a person should have read once: it changes with the step and the phase. */
function stepLine({ id, model, canary, phase, step, steps, share }: RolloutStatus): string {
  const what = `rollout ${id}, ${model} version ${canary}`;
  if (phase === "warmup") return `${what}: warming up`;
  const place = `step ${step + 1} of ${steps}, ${Number((100 * share).toPrecision(3))} %`;
  return `${what}: ${phase === "hold" ? `held at ${place}` : place}`;
}
