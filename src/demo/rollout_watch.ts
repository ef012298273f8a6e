import type { ControlClient, RolloutStatus } from "../control/mod.ts";
import { SerinError } from "../core/mod.ts";

const LOOK_MS = 100;

/**
 * Waits until a rollout has ended. It is the registry that decides; this only looks.
 *
 * @param id the rollout's
 * @param onChange called with each status
 * @param timeoutMs how long at most, milliseconds
 * @throws {SerinError} `timeout`
 */
export async function waitForRolloutEnd(
  control: Pick<ControlClient, "getRollout">,
  id: string,
  { onChange, timeoutMs }: { onChange: (rollout: RolloutStatus) => void; timeoutMs: number },
): Promise<RolloutStatus> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const rollout = await control.getRollout(id);
    onChange(rollout);
    if (rollout.endedAt !== null) return rollout;
    if (performance.now() > deadline) {
      throw new SerinError("timeout", `No decision within ${timeoutMs} ms: ${rollout.verdict}`);
    }
    await new Promise((done) => setTimeout(done, LOOK_MS));
  }
}
