import { assertEquals } from "../testing/mod.ts";
import { mustFallBack } from "./partition_guard.ts";
import type { Arm, Assignment } from "./sync.ts";

const ASSIGNMENT: Assignment = {
  rollout: "r",
  stable: "1",
  canary: "2",
  step: 1,
  share: 0.1,
  salt: "",
  latencyTolerance: { relative: 0.2, absoluteMs: 1 },
};

/** Errors of (stable, canary) at the given step and share. */
function check(
  stable: number,
  canary: number,
  expected: boolean,
  change: Partial<Assignment> = {},
) {
  const count = (arm: Arm, errors: number) => ({ rollout: "r", step: 1, arm, totals: { errors } });
  const counts = [count("stable", stable), count("canary", canary)];
  assertEquals(mustFallBack(counts, { ...ASSIGNMENT, ...change }), expected);
}

Deno.test("a replica on its own goes back on strong evidence of errors, at the current share alone", () => {
  check(0, 0, false);
  check(0, 3, false);
  check(0, 6, true);
  check(90, 10, false);
  check(90, 40, true);
  check(0, 6, false, { step: 2 });
  check(0, 6, false, { rollout: "another" });
  check(0, 6, false, { share: 0 });
});
