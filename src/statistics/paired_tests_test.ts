/** Reference values: scipy 1.17.1 and statsmodels 0.15.0, computed once; papers where named. */
import { SeededRandom } from "../core/mod.ts";
import { assertClose, assertEquals, assertTrue } from "../testing/mod.ts";
import { clusteredMean } from "./clustered_mean.ts";
import { aucComponents, aucInterval, delongTest } from "./delong.ts";
import {
  incompleteBeta,
  normalCdf,
  normalQuantile,
  studentCdf,
  studentQuantile,
} from "./distributions.ts";
import { holmAdjust } from "./holm.ts";
import { meanInterval } from "./mean_interval.ts";
import { mcnemarMidP, pairedProportions } from "./paired_proportions.ts";
import { proportionInterval } from "./proportion_interval.ts";
import { auc } from "./quality.ts";
import { rowsNeeded } from "./rows_needed.ts";

function checkClose(pairs: readonly (readonly [number, number])[], relative = 1e-11): void {
  for (const [seen, expected] of pairs) {
    assertClose(seen, expected, Math.abs(expected) * relative, `expected ${expected}:`);
  }
}

Deno.test("distributions agree with scipy.stats", () => {
  checkClose([
    [normalCdf(-8), 6.22096057427174e-16],
    [normalCdf(-3), 0.0013498980316300933],
    [normalCdf(-1.2), 0.11506967022170822],
    [normalCdf(0.3), 0.6179114221889526],
    [normalCdf(2.5), 0.9937903346742238],
    [normalQuantile(1e-10), -6.361340902404056],
    [normalQuantile(0.001), -3.090232306167813],
    [normalQuantile(0.025), -1.9599639845400545],
    [normalQuantile(0.3), -0.5244005127080409],
    [normalQuantile(0.975), 1.959963984540054],
    [studentCdf(-2, 3), 0.06966298427942152],
    [studentCdf(1.5, 59), 0.9305265373101979],
    [studentCdf(-5, 4999), 2.9644935912106995e-07],
    [studentQuantile(0.975, 1), 12.706204736174694],
    [studentQuantile(0.975, 59), 2.000995378088267],
    [studentQuantile(0.005, 9), -3.2498355415921263],
    [studentQuantile(0.9875, 4999), 2.2420781562497267],
    [incompleteBeta(0.4, 2, 3), 0.5248],
    [incompleteBeta(0.99, 50, 0.5), 0.3173043978741973],
  ], 1e-10);
  assertEquals([normalCdf(0), normalCdf(40), normalCdf(-40)], [0.5, 1, 0]);
  assertEquals([normalQuantile(0), normalQuantile(1)], [-Infinity, Infinity]);
  assertTrue(Number.isNaN(normalCdf(NaN)) && Number.isNaN(studentCdf(NaN, 3)), "NaN stays");
});

Deno.test("McNemar's mid-p and Tango's interval agree with the published example", () => {
  // Airway hyper-responsiveness, Fagerland et al. 2013: mid-p 0.0391, interval -0.517 to -0.026.
  const { value, lower, upper, p } = pairedProportions(
    { rows: 21, onlyCandidate: 1, onlyChampion: 7 },
    0.05,
  );
  checkClose([[value, -6 / 21], [p, 0.0390625]]);
  checkClose([[lower, -0.5172322772712201], [upper, -0.02600303088544527]], 1e-7);
  checkClose([
    [mcnemarMidP({ rows: 100, onlyCandidate: 15, onlyChampion: 5 }), 0.026603698730468753],
    [mcnemarMidP({ rows: 5000, onlyCandidate: 300, onlyChampion: 250 }), 0.03307151591735791],
    [mcnemarMidP({ rows: 5, onlyCandidate: 0, onlyChampion: 3 }), 0.125],
  ], 1e-10);
  assertEquals(mcnemarMidP({ rows: 9, onlyCandidate: 4, onlyChampion: 4 }), 1);
  const wide = pairedProportions({ rows: 500, onlyCandidate: 30, onlyChampion: 18 }, 0.05);
  checkClose([[wide.lower, -0.003274117524361376], [wide.upper, 0.05251782712912789]], 1e-6);
});

Deno.test("no disagreement is no proof: the interval is z²/(n + z²) to either side", () => {
  const { lower, upper, p } = pairedProportions(
    { rows: 60, onlyCandidate: 0, onlyChampion: 0 },
    0.05,
  );
  const z = normalQuantile(0.975), expected = z * z / (60 + z * z);
  checkClose([[lower, -expected], [upper, expected]], 1e-9);
  assertEquals(p, 1);
});

Deno.test("Wilson's interval agrees with statsmodels", () => {
  const small = proportionInterval(9, 10, 0.05), large = proportionInterval(4100, 5000, 0.05);
  checkClose([
    [small.lower, 0.5958499732047614],
    [small.upper, 0.982123786904927],
    [large.lower, 0.8091066521461393],
    [large.upper, 0.8304020186090241],
  ], 1e-9);
});

Deno.test("DeLong's test agrees with its definition over all pairs", () => {
  const labels = [0, 1, 1, 0, 1, 0, 0, 1, 1, 0, 1, 0, 1, 0, 0, 1, 0, 1, 1, 0];
  const a = [3, 7, 6, 4, 9, 2, 5, 5, 8, 1, 6, 6, 7, 3, 2, 4, 5, 9, 8, 4];
  const b = [4, 6, 5, 5, 8, 3, 6, 7, 4, 2, 5, 3, 9, 4, 1, 6, 6, 7, 5, 2];
  const [first, second] = [aucComponents(a, labels), aucComponents(b, labels)];
  // numpy, from the paper's formulas over all 10 × 10 pairs.
  checkClose([[first.auc, 0.93], [second.auc, 0.865]]);
  const { value, p, deviation } = delongTest(first, second, 0.05);
  checkClose([
    [value, 0.065],
    [deviation / Math.sqrt(20), 0.09070709882791853],
    [p, 0.47362575535479157],
  ], 1e-9);
  checkClose([[first.auc, auc(a, labels)]]);
  const { lower, upper } = aucInterval(first, 0.05);
  // logit(0.93) ± z · 0.0523874454850057 / (0.93 · 0.07), mapped back (scipy).
  assertClose(lower, 0.7329148297, 1e-9);
  assertClose(upper, 0.9846914490, 1e-9);
  assertTrue(lower < first.auc && upper > first.auc, `${lower} to ${upper}`);
});

Deno.test("an AUC of 1, and rankings that do not differ, still have an interval", () => {
  const perfect = aucComponents([1, 2, 3, 4], [0, 0, 1, 1]);
  assertTrue(aucInterval(perfect, 0.05).lower < 0.1, "two rows a class prove nothing");
  const { lower, upper, p } = delongTest(perfect, perfect, 0.05);
  assertEquals([lower, upper, p], [-1, 1, 1]);
});

Deno.test("Holm's correction agrees with statsmodels", () => {
  const adjusted = holmAdjust([0.01, 0.04, 0.03, 0.005, 0.5]);
  adjusted.forEach((p, i) => assertClose(p, [0.04, 0.09, 0.09, 0.025, 0.5][i], 1e-12));
  assertEquals(holmAdjust([]), []);
});

Deno.test("the mean's interval is never narrower than Student's, and wider on the long side", () => {
  const values = [0.1, 0.3, 0.2, 0.2, 0.9, -0.1, 0.05];
  const { value, lower, upper, p } = meanInterval(values, { alpha: 0.05, scale: 0 });
  // scipy.stats.ttest_1samp: p 0.0990, interval -0.0600 to 0.5315; skewness 1.36.
  assertClose(value, 1.65 / 7, 1e-12);
  assertClose(lower, -0.060036728931622346, 1e-9);
  assertTrue(upper > 0.6 && upper < 2, `upper ${upper}`);
  assertClose(p, 0.09903222149835492, 1e-9);
  const mirrored = meanInterval(values.map((x) => -x), { alpha: 0.05, scale: 0 });
  assertClose(mirrored.lower, -upper, 1e-9);
  const single = meanInterval([1], { alpha: 0.05 });
  assertEquals([single.lower, single.upper, single.p], [-Infinity, Infinity, 1]);
});

Deno.test("equal losses on all rows leave what the rule of three leaves", () => {
  const { lower, upper, p } = meanInterval(new Float64Array(60), { alpha: 0.05 });
  assertClose(upper, Math.log(40) / 60, 1e-12);
  assertClose(lower, -Math.log(40) / 60, 1e-12);
  assertEquals(p, 1);
});

Deno.test("the 95 % interval of skewed losses misses in about 5 % (seed 17)", () => {
  const random = new SeededRandom(17), runs = 2000, rows = 200;
  let missed = 0;
  for (let run = 0; run < runs; run++) {
    const values = Float64Array.from({ length: rows }, () => -Math.log(1 - random.unit()));
    const { lower, upper } = meanInterval(values, { alpha: 0.05 });
    if (lower > 1 || upper < 1) missed++;
  }
  assertTrue(missed <= 0.06 * runs, `${missed} of ${runs} intervals missed the mean`);
});

Deno.test("rows needed: the formula, and none for a distance of 0", () => {
  const question = { deviation: Math.sqrt(0.1), distance: 0.02, alpha: 0.05, power: 0.8 };
  assertEquals(rowsNeeded(question), 1963);
  assertEquals(rowsNeeded({ ...question, distance: 0 }), Infinity);
  assertEquals(rowsNeeded({ ...question, deviation: 0 }), 0);
});

Deno.test("the clustered mean agrees with statsmodels' cluster-robust errors", () => {
  const values = [0.3, 0.1, -0.2, 0.5, 0.4, 0, -0.1, 0.2, 0.6, 0.3, 0.25, -0.3];
  const units = { of: [0, 0, 1, 1, 1, 2, 2, 3, 3, 3, 4, 4], count: 5 };
  const { value, lower, p, deviation } = clusteredMean(values, units, { alpha: 0.05, scale: 0 });
  assertClose(value, 0.1708333333333334, 1e-12);
  assertClose(deviation / Math.sqrt(12), 0.07972323545136221, 1e-12);
  // Student's end is the wider one here; statsmodels: -0.05051385, p 0.09877337.
  assertClose(lower, -0.05051385, 1e-8);
  assertTrue(p >= 0.09877337 - 1e-8, `p ${p}`);
});
