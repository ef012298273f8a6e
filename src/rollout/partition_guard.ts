import { logAssignmentEvidence } from "../statistics/mod.ts";
import type { Assignment, SyncRequest } from "./sync.ts";

/**
 * What a replica's own counts must reach before it takes the canary's share away by itself, while the
 * registry is out of reach: 10 / alpha at the default alpha of 1 %. Ten times what the registry would
 * ask of all replicas together, so that the error of a rollout is as good as unchanged.
 */
const NEEDED = 1000;

/**
 * Whether a replica that cannot reach the registry goes back to the stable version: on the errors that
 * it has counted itself at the current share, and never the other way.
 *
 * @param counts the replica's totals
 */
export function mustFallBack(counts: SyncRequest["counts"], assignment: Assignment): boolean {
  const { rollout, step, share } = assignment;
  if (share <= 0 || share >= 1) return false;
  const errors = (arm: "stable" | "canary") =>
    counts.find((count) => count.rollout === rollout && count.step === step && count.arm === arm)
      ?.totals.errors ?? 0;
  const events = { share, canary: errors("canary"), stable: errors("stable") };
  return logAssignmentEvidence([events], [1]) >= Math.log(NEEDED);
}
