import { type Log, messageOf } from "../core/mod.ts";

/** How often rollouts are looked at when no sync does it. */
const TICK_MS = 1000;

/**
 * Lets an engine look at its rollouts now and each second: time passes, and aliases move, also while
 * no replica syncs.
 *
 * @returns the timer, to be cleared at the end
 */
export function keepTicking(
  engine: { tick(): Promise<void> },
  log: Log,
): ReturnType<typeof setInterval> {
  const tick = () =>
    engine.tick().catch((thrown) =>
      log.warn("rollouts could not be looked at", { error: messageOf(thrown) })
    );
  void tick();
  return setInterval(tick, TICK_MS);
}
