import { SeededRandom } from "../core/mod.ts";
import type { Dataset } from "../dataset/mod.ts";
import { type Estimate, normalQuantile } from "../statistics/mod.ts";
import type { CheckOutcome, GateCheck } from "./check.ts";
import type { GateModel } from "./gate_model.ts";
import type { GateSpec } from "./gate_spec.ts";
import { ratioText } from "./number_text.ts";

/** Milliseconds of single rows; the same position in both is the same row, measured in turn. */
export interface LatencySample {
  readonly candidate: Float64Array;
  readonly champion: Float64Array | undefined;
}

/** Runs before the first that counts: enough for the engine's code to have tiered up. */
const WARM_ROUNDS = 50;
/** Seed of the resampling, so that the same times give the same interval. */
const RESAMPLE_SEED = 20_260_101;
const RESAMPLES = 1000;
/** Rounds that are resampled together: a neighbour's work slows several in a row. */
const BLOCK_ROUNDS = 10;

/**
 * Times single rows, both models in turn on the same row, whose order is turned each round: what
 * else the machine does then falls on both alike.
 */
export async function measureLatency(
  candidate: GateModel,
  champion: GateModel | undefined,
  data: Dataset,
  rounds: number,
): Promise<LatencySample> {
  const rowOf = (round: number) => Math.floor(round * data.rows / rounds) % data.rows;
  for (let round = 0; round < WARM_ROUNDS; round++) {
    await candidate.answerRow(data, rowOf(round));
    await champion?.answerRow(data, rowOf(round));
  }
  const times = { candidate: new Float64Array(rounds), champion: new Float64Array(rounds) };
  for (let round = 0; round < rounds; round++) {
    const row = rowOf(round);
    const pair = [["candidate", candidate], ["champion", champion]] as const;
    for (const [role, model] of round % 2 === 0 ? pair : pair.toReversed()) {
      if (model !== undefined) times[role][round] = await model.answerRow(data, row);
    }
  }
  return { ...times, champion: champion === undefined ? undefined : times.champion };
}

/** @returns the checks that gate.yaml asks for: the ratio to the champion, and milliseconds */
export function latencyChecks(
  { candidate, champion }: LatencySample,
  spec: GateSpec["latency"],
  alpha: number,
): GateCheck[] {
  const checks: GateCheck[] = [], ours = medianInterval(candidate, alpha);
  const value = { value: ours.value };
  if (champion !== undefined && spec.ratio_max !== null) {
    const ratio = medianRatio(candidate, champion, alpha);
    const theirs = medianInterval(champion, alpha);
    checks.push({
      id: "latency.ratio",
      outcome: within(ratio, spec.ratio_max),
      candidate: value,
      champion: { value: theirs.value },
      difference: ratio,
      limit: `≤ × ${spec.ratio_max}`,
      sentence: `median time of a row ${ratioText(ratio)}: ` +
        told(within(ratio, spec.ratio_max), `× ${spec.ratio_max}`),
    });
  }
  if (spec.median_ms_max !== undefined) {
    const outcome = within(ours, spec.median_ms_max);
    const interval = `${msText(ours.lower)} to ${msText(ours.upper)}`;
    checks.push({
      id: "latency.median_ms",
      outcome,
      candidate: ours,
      limit: `≤ ${spec.median_ms_max} ms`,
      sentence: `median time of a row ${msText(ours.value)} ms (${interval}): ` +
        told(outcome, `${spec.median_ms_max} ms`),
    });
  }
  return checks;
}

function within({ lower, upper }: Estimate, max: number): CheckOutcome {
  return upper <= max ? "passed" : lower > max ? "refused" : "undecided";
}

function told(outcome: CheckOutcome, limit: string): string {
  return outcome === "passed"
    ? `within ${limit}`
    : outcome === "refused"
    ? `above ${limit}`
    : `it may be within ${limit} or above: measure again with more latency.rounds`;
}

/** @returns milliseconds with three significant digits */
export function msText(ms: number): string {
  return Number(ms.toPrecision(3)).toString();
}

/** Median with the interval of order statistics (binomial, by the normal approximation). */
function medianInterval(values: Float64Array, alpha: number): Estimate {
  const sorted = values.toSorted(), n = sorted.length;
  const half = normalQuantile(1 - alpha / 2) * Math.sqrt(n) / 2;
  const at = (rank: number) => sorted[Math.max(0, Math.min(n - 1, rank))];
  return {
    value: medianOf(sorted),
    lower: at(Math.floor(n / 2 - half) - 1),
    upper: at(Math.ceil(n / 2 + half)),
  };
}

/** Ratio of medians; blocks of rounds are drawn again with replacement (percentile bootstrap). */
function medianRatio(candidate: Float64Array, champion: Float64Array, alpha: number): Estimate {
  const random = new SeededRandom(RESAMPLE_SEED), n = candidate.length;
  const blocks = Math.ceil(n / BLOCK_ROUNDS);
  const drawn = [new Float64Array(blocks * BLOCK_ROUNDS), new Float64Array(blocks * BLOCK_ROUNDS)];
  const ratios = Float64Array.from({ length: RESAMPLES }, () => {
    for (let block = 0; block < blocks; block++) {
      const start = random.uint32() % n;
      for (let i = 0; i < BLOCK_ROUNDS; i++) {
        drawn[0][block * BLOCK_ROUNDS + i] = candidate[(start + i) % n];
        drawn[1][block * BLOCK_ROUNDS + i] = champion[(start + i) % n];
      }
    }
    return medianOf(drawn[0].toSorted()) / medianOf(drawn[1].toSorted());
  }).sort();
  const at = (share: number) => ratios[Math.round(share * (RESAMPLES - 1))];
  return {
    value: medianOf(candidate.toSorted()) / medianOf(champion.toSorted()),
    lower: at(alpha / 2),
    upper: at(1 - alpha / 2),
  };
}

function medianOf(sorted: Float64Array): number {
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}
