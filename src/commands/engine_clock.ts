import { type Log, messageOf } from "../core/mod.ts";

/** How often rollouts are looked at when no sync does it. */
const TICK_MS = 1000;

/**
 * Lets an engine look at its rollouts now and each second: time passes, and aliases move, also while
 * no replica syncs.
 *
 * @returns ends it; what it has begun is then no longer told of
 */
export function keepTicking(
  engine: { tick(): Promise<void> },
  log: Log,
): () => void {
  let ended = false;
  const tick = () =>
    engine.tick().catch((thrown) => {
      if (!ended) log.warn("rollouts could not be looked at", { error: messageOf(thrown) });
    });
  void tick();
  const timer = setInterval(tick, TICK_MS);
  return () => {
    ended = true;
    clearInterval(timer);
  };
}
