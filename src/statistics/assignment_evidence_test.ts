import { assertClose, assertTrue } from "../testing/mod.ts";
import { SeededRandom } from "../core/mod.ts";
import {
  AssignmentEvidence,
  defaultStartWeights,
  logAssignmentEvidence,
  RATIO_GRID,
  RATIO_PRIOR,
} from "./assignment_evidence.ts";

Deno.test("one canary event at one step is the prior's mean factor", () => {
  const w = 0.05;
  const expected = RATIO_GRID.reduce(
    (sum, rho, k) => sum + RATIO_PRIOR[k] * rho / (1 - w + w * rho),
    0,
  );
  assertClose(
    Math.exp(logAssignmentEvidence([{ share: w, canary: 1, stable: 0 }], [1])),
    expected,
    1e-12,
  );
});

Deno.test("starts that were not reached hold their part at 1", () => {
  const starts = defaultStartWeights(4);
  const alone = Math.exp(logAssignmentEvidence([{ share: 0.05, canary: 3, stable: 1 }], [1]));
  const mixed = Math.exp(logAssignmentEvidence([{ share: 0.05, canary: 3, stable: 1 }], starts));
  assertClose(mixed, 0.55 * alone + 0.45, 1e-9);
});

Deno.test("totals give what single events in any order give", () => {
  const one = new AssignmentEvidence(defaultStartWeights(2));
  for (const [step, canary] of [[1, 1], [0, 0], [0, 1], [1, 0], [1, 1]] as const) {
    one.add(step, { share: step === 0 ? 0.05 : 0.1, canary, stable: 1 - canary });
  }
  const totals = logAssignmentEvidence([
    { share: 0.05, canary: 1, stable: 1 },
    { share: 0.1, canary: 2, stable: 1 },
  ]);
  assertClose(one.logValue(), totals, 1e-12);
});

Deno.test("A/A streams stay below 1/alpha, looked at after every event (seed 7)", () => {
  const random = new SeededRandom(7), shares = [0.05, 0.1, 0.25, 0.5];
  let crossed = 0;
  for (let run = 0; run < 1000; run++) {
    const evidence = new AssignmentEvidence(defaultStartWeights(4));
    let most = 0;
    for (let event = 0; event < 120; event++) {
      const step = Math.floor(event / 30), canary = random.unit() < shares[step] ? 1 : 0;
      evidence.add(step, { share: shares[step], canary, stable: 1 - canary });
      most = Math.max(most, evidence.logValue());
    }
    if (most >= Math.log(20)) crossed++;
  }
  // alpha = 5 %: 50 expected at most; a bound of 65 is two standard deviations above.
  assertTrue(crossed <= 65, `${crossed} of 1000 A/A runs crossed 20`);
});

Deno.test("a tolerated ratio is tolerated: the null ratio moves the threshold", () => {
  const steps = [{ share: 0.5, canary: 110, stable: 100 }];
  assertTrue(
    logAssignmentEvidence(steps, [1], 1.1) < 0,
    "a ratio of 1.1 is no evidence against 1.1",
  );
});
