import { assertClose, assertEquals, assertTrue } from "../testing/mod.ts";
import { SeededRandom } from "../core/mod.ts";
import { proportionLower, proportionUpper, rateDifferenceUpper } from "./beta_binomial.ts";
import { combineEvidence, guiltyMetrics } from "./combined_evidence.ts";
import { logGamma, logWeightedSum } from "./log_sum.ts";
import { eventsToPromote, eventsToRollBack, logNonInferiority } from "./non_inferiority.ts";
import { ratioInterval } from "./ratio_interval.ts";
import { logSampleRatioFault } from "./sample_ratio.ts";

Deno.test("log sums and log gamma agree with known values", () => {
  assertClose(logWeightedSum([1000, 1000], [0.5, 0.5]), 1000, 1e-12);
  assertEquals(logWeightedSum([], []), -Infinity);
  assertClose(logGamma(10), Math.log(362880), 1e-10);
  assertClose(logGamma(0.5), Math.log(Math.sqrt(Math.PI)), 1e-12);
  assertClose(logGamma(50001), 490995.2430, 0.01);
});

Deno.test("the published numbers of events for non-inferiority at a share of one half", () => {
  assertEquals(eventsToPromote({ share: 0.5, margin: 2, beta: 0.05 }), 51);
  assertEquals(eventsToPromote({ share: 0.5, margin: 1.5, beta: 0.05 }), 147);
  assertEquals(eventsToPromote({ share: 0.5, margin: 2, beta: 0.05, logValue: 9 }), 0);
  assertEquals(eventsToRollBack({ share: 0.05, ratio: 0.9, alpha: 0.01 }), Infinity);
  assertTrue(eventsToRollBack({ share: 0.05, ratio: 1e9, alpha: 0.005 }) < 5, "a dead canary");
});

Deno.test("non-inferiority falls when the canary has more than its part", () => {
  assertTrue(logNonInferiority([{ share: 0.5, canary: 60, stable: 30 }], 2) < 0, "twice as many");
  assertTrue(logNonInferiority([{ share: 0.5, canary: 30, stable: 30 }], 2) > 3, "as many");
});

Deno.test("closed testing names only what stands by itself", () => {
  assertEquals(guiltyMetrics([0, 0, 0].map(Math.exp).map(Math.log), { alpha: 0.01 }), []);
  assertEquals(guiltyMetrics([Math.log(1000), Math.log(2000), 0], { alpha: 0.01 }), [1, 0]);
  // 250 alone is enough, but with a second one at 0 the mean is 125, with a third 83.
  assertEquals(guiltyMetrics([Math.log(250), -50, -50], { alpha: 0.01 }), []);
  assertClose(combineEvidence([Math.log(4), Math.log(8)], [0.5, 0.5]), Math.log(6), 1e-12);
});

Deno.test("beta-binomial bounds bracket the rate and shrink", () => {
  assertEquals(proportionUpper(0, 0, 0.05), 1);
  assertEquals(proportionLower(0, 0, 0.05), 0);
  assertTrue(proportionUpper(5, 1000, 0.05) > 0.005, "above the rate");
  assertTrue(proportionUpper(50, 10000, 0.05) < proportionUpper(5, 1000, 0.05), "shrinks");
  const difference = { canaryEvents: 3, canaryTrials: 5000, stableEvents: 3, stableTrials: 5000 };
  assertTrue(rateDifferenceUpper(difference, 0.05) < 0.01, "rare events in both arms");
});

Deno.test("the ratio interval covers the truth at every look (seed 3)", () => {
  const random = new SeededRandom(3), truth = 2, share = 0.3;
  const q = share * truth / (1 - share + share * truth);
  let missed = 0;
  for (let run = 0; run < 100; run++) {
    let canary = 0, stable = 0, left = false;
    for (let event = 1; event <= 200; event++) {
      if (random.unit() < q) canary++;
      else stable++;
      if (event % 10 !== 0) continue;
      const { lower, upper } = ratioInterval([{ share, canary, stable }], 0.1)!;
      left ||= lower > truth || upper < truth;
    }
    if (left) missed++;
  }
  assertTrue(missed <= 15, `${missed} of 100 runs left the 90 % interval`);
});

Deno.test("ratio interval: one-sided counts have an open end, none has no interval", () => {
  assertEquals(ratioInterval([{ share: 0.1, canary: 0, stable: 0 }], 0.05), undefined);
  const dead = ratioInterval([{ share: 0.05, canary: 5, stable: 0 }], 0.05)!;
  assertTrue(
    dead.estimate === Infinity && dead.upper === Infinity && dead.lower > 3,
    "only canary",
  );
  const clean = ratioInterval([{ share: 0.5, canary: 0, stable: 20 }], 0.05)!;
  assertTrue(clean.estimate === 0 && clean.lower === 0 && clean.upper < 0.6, "only stable");
});

Deno.test("sample ratio: fair coins raise no alarm at 1e4, a lost tenth of one arm does", () => {
  const random = new SeededRandom(11);
  for (let run = 0; run < 50; run++) {
    let canary = 0;
    for (let i = 0; i < 2000; i++) if (random.unit() < 0.1) canary++;
    const log = logSampleRatioFault([{ share: 0.1, canary, stable: 2000 - canary }]);
    assertTrue(log < Math.log(1e4), `run ${run}: ${canary} of 2000`);
  }
  const lost = logSampleRatioFault([{ share: 0.5, canary: 9000, stable: 10_000 }]);
  assertTrue(lost > Math.log(1e4), "a tenth of the canary's outcomes is missing");
});
