import { LostLeadership } from "./leader_gate.ts";

/**
 * Runs everything, one after the other: what fails does not keep the rest from being done. Only a lost
 * leadership ends it at once.
 *
 * @throws the first failure, in the end
 */
export async function eachOf(steps: readonly (() => Promise<void>)[]): Promise<void> {
  const failures: unknown[] = [];
  for (const step of steps) {
    try {
      await step();
    } catch (thrown) {
      if (thrown instanceof LostLeadership) throw thrown;
      failures.push(thrown);
    }
  }
  if (failures.length > 0) throw failures[0];
}
