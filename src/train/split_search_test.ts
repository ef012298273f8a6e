import { SeededRandom } from "../core/mod.ts";
import { assertClose, assertEquals, assertTrue } from "../testing/mod.ts";
import { binFeatures } from "./binned_features.ts";
import { packGradients } from "./packed_gradient.ts";
import { findSplit, type SplitLimits } from "./split_search.ts";

interface Case {
  features: Float32Array[];
  gradient: Float64Array;
  hessian: Float64Array;
}

/** What findSplit finds over all rows, with derivatives in their own unit. */
function search({ features, gradient, hessian }: Case, limits: SplitLimits) {
  const rows = gradient.length, binned = binFeatures(features, rows, 255);
  const packed = new Float64Array(rows), scale = packGradients(gradient, hessian, packed)!;
  const histogram = new Float64Array(binned.offsets[features.length]);
  let total = 0;
  for (let row = 0; row < rows; row++) {
    total += packed[row];
    features.forEach((_, f) => {
      histogram[binned.byRow[row * features.length + f]] += packed[row];
    });
  }
  const split = findSplit(histogram, total, binned, {
    hessianMin: limits.hessianMin / scale.hessian,
    lambda: limits.lambda / scale.hessian,
  });
  return { split, binned, toGain: scale.gradient ** 2 / scale.hessian };
}

/** The gain of one division, by plain sums; -1 where it is not allowed. */
function gainOf(
  { gradient, hessian }: Case,
  limits: SplitLimits,
  isLeft: (row: number) => boolean,
) {
  let gl = 0, hl = 0, gr = 0, hr = 0;
  for (let row = 0; row < gradient.length; row++) {
    if (isLeft(row)) [gl, hl] = [gl + gradient[row], hl + hessian[row]];
    else [gr, hr] = [gr + gradient[row], hr + hessian[row]];
  }
  if (hl < limits.hessianMin || hr < limits.hessianMin) return -1;
  const score = (g: number, h: number) => g * g / (h + limits.lambda);
  return score(gl, hl) + score(gr, hr) - score(gl + gr, hl + hr);
}

function randomCase(random: SeededRandom, missingShare: number): Case {
  const rows = 120, normal = () => random.unit() + random.unit() + random.unit() - 1.5;
  const features = [0, 1, 2].map((f) =>
    Float32Array.from({ length: rows }, () => {
      if (random.unit() < missingShare) return NaN;
      return f === 0 ? Math.floor(random.unit() * 4) : normal();
    })
  );
  const gradient = Float64Array.from({ length: rows }, normal);
  const hessian = Float64Array.from({ length: rows }, () => 0.05 + random.unit());
  return { features, gradient, hessian };
}

Deno.test("the split is as good as the best of all thresholds, missing on either side", () => {
  const seed = Date.now() >>> 0, random = new SeededRandom(seed);
  for (let round = 0; round < 60; round++) {
    const example = randomCase(random, round % 3 === 0 ? 0 : 0.2);
    const limits = { hessianMin: 5, lambda: round % 2 };
    let best = 0;
    for (const values of example.features) {
      for (const threshold of [...new Set(values), Infinity].filter((x) => x === x)) {
        for (const missingLeft of [false, true]) {
          best = Math.max(
            best,
            gainOf(
              example,
              limits,
              (row) => values[row] <= threshold || (missingLeft && Number.isNaN(values[row])),
            ),
          );
        }
      }
    }
    const { split, binned, toGain } = search(example, limits);
    assertTrue(split !== undefined, `seed ${seed}`);
    const values = example.features[split.feature];
    const threshold = binned.bounds[split.feature][split.bin];
    const gain = gainOf(
      example,
      limits,
      (row) => values[row] <= threshold || (split.missingLeft && Number.isNaN(values[row])),
    );
    assertTrue(gain >= best * (1 - 1e-4), `seed ${seed}: gain ${gain}, best ${best}`);
    assertClose(split.gain * toGain, gain, 1e-3 * best, `seed ${seed}`);
  }
});

Deno.test("nothing to gain, or nothing allowed: no split", () => {
  const features = [Float32Array.of(1, 2, 3, 4)];
  const hessian = Float64Array.of(1, 1, 1, 1);
  const same = { features, gradient: Float64Array.of(1, 1, 1, 1), hessian };
  assertEquals(search(same, { hessianMin: 0, lambda: 0 }).split, undefined);
  const apart = { features, gradient: Float64Array.of(1, 1, -1, -1), hessian };
  assertEquals(search(apart, { hessianMin: 3, lambda: 0 }).split, undefined);
  assertEquals(search(apart, { hessianMin: 2, lambda: 0 }).split!.bin, 1);
});
