import {
  type AucComponents,
  aucComponents,
  aucInterval,
  clusteredMean,
  delongTest,
  type Estimate,
  meanInterval,
  type PairedDifference,
  pairedProportions,
  proportionInterval,
  type Units,
} from "../statistics/mod.ts";
import type { BINARY_METRICS, REGRESSION_METRICS } from "./gate_spec.ts";
import type { ScoredRows } from "./scored_rows.ts";

/** A metric that two models are compared by. */
export type MetricName = typeof BINARY_METRICS[number] | typeof REGRESSION_METRICS[number];

/** How one metric is estimated, and compared on the same rows. */
export interface GateMetric {
  /** 1 where higher is better, -1 where lower is. */
  readonly sign: 1 | -1;
  /** What the candidate may be worse by where gate.yaml does not say. */
  readonly margin: { readonly margin: number } | { readonly margin_share: number };
  /** Least and largest value that there is. */
  readonly range: readonly [number, number];
  /** One number a row whose mean is the metric; to first order where the metric is no mean. */
  parts(rows: ScoredRows, truth: Float64Array): Float64Array;
  /** What one row that was not seen may add to a difference, at most. */
  scale(truth: Float64Array): number;
  /** @param truth 0 or 1, or the number, a row */
  estimate(rows: ScoredRows, truth: Float64Array, alpha: number): Estimate;
  /** Candidate less champion. */
  compare(
    candidate: ScoredRows,
    champion: ScoredRows,
    truth: Float64Array,
    alpha: number,
  ): PairedDifference;
}

/** How surely, and of rows that are independent or belong together. */
export interface IntervalOptions {
  readonly alpha: number;
  readonly units: Units | undefined;
}

/** The metric of one model with its interval. */
export function estimateMetric(
  metric: MetricName,
  rows: ScoredRows,
  truth: Float64Array,
  { alpha, units }: IntervalOptions,
): Estimate {
  const { estimate, parts, range: [least, most] } = GATE_METRICS[metric];
  const plain = estimate(rows, truth, alpha);
  if (units === undefined) return plain;
  const { lower, upper } = clusteredMean(parts(rows, truth), units, { alpha });
  return { value: plain.value, lower: Math.max(least, lower), upper: Math.min(most, upper) };
}

/** Candidate less champion on the same rows. */
export function compareMetric(
  metric: MetricName,
  { candidate, champion, truth }: PairedRows,
  { alpha, units }: IntervalOptions,
): PairedDifference {
  const { compare, scale } = GATE_METRICS[metric];
  if (units === undefined) return compare(candidate, champion, truth, alpha);
  const differences = differenceParts(metric, { candidate, champion, truth });
  return clusteredMean(differences, units, { alpha, scale: scale(truth) });
}

/** What each row says of the difference. */
export function differenceParts(metric: MetricName, pair: PairedRows): Float64Array {
  const { parts } = GATE_METRICS[metric], other = parts(pair.champion, pair.truth);
  return parts(pair.candidate, pair.truth).map((x, row) => x - other[row]);
}

/** Both models' answers on the same rows. */
export interface PairedRows {
  readonly candidate: ScoredRows;
  readonly champion: ScoredRows;
  readonly truth: Float64Array;
}

type RowLoss = (score: number, truth: number) => number;

/** As scikit-learn and `logLoss` have it: a certain and wrong row costs 36 nats, not infinitely many. */
const PROBABILITY_MIN = 2.220446049250313e-16;

const logLossOf: RowLoss = (score, truth) => {
  const right = truth > 0.5 ? score : 1 - score;
  return -Math.log(Math.min(Math.max(right, PROBABILITY_MIN), 1));
};

/** A mean of one loss a row: Student's and Hall's intervals of it, and of its differences. */
function meanLoss(
  loss: RowLoss,
  { margin, scale, max }: Pick<GateMetric, "margin" | "scale"> & { max: number },
): GateMetric {
  const parts: GateMetric["parts"] = ({ scores }, truth) =>
    truth.map((y, row) => loss(scores[row], y));
  return {
    sign: -1,
    margin,
    range: [0, max],
    parts,
    scale,
    estimate: (rows, truth, alpha) => {
      const { value, lower, upper } = meanInterval(parts(rows, truth), { alpha });
      return { value, lower: Math.max(0, lower), upper: Math.min(max, upper) };
    },
    compare: (candidate, champion, truth, alpha) => {
      const other = parts(champion, truth);
      const differences = parts(candidate, truth).map((x, row) => x - other[row]);
      return meanInterval(differences, { alpha, scale: scale(truth) });
    },
  };
}

const squared: RowLoss = (score, truth) => (score - truth) ** 2;
const squares = ({ scores }: ScoredRows, truth: Float64Array) =>
  truth.map((y, row) => squared(scores[row], y));

/** What a row adds to the root of a mean, to first order: (square + mean) / (2 root). */
const rootParts: GateMetric["parts"] = (rows, truth) => {
  const all = squares(rows, truth), root = rootOfMean(all);
  return all.map((square) => root === 0 ? 0 : (square + root * root) / (2 * root));
};

/** The root of a mean: intervals of the mean, its differences by the delta method. */
const rmseMetric: GateMetric = {
  sign: -1,
  margin: { margin_share: 0.02 },
  range: [0, Infinity],
  parts: rootParts,
  scale: deviationOf,
  estimate: (rows, truth, alpha) => {
    const mean = meanInterval(squares(rows, truth), { alpha });
    const root = (x: number) => Math.sqrt(Math.max(0, x));
    return { value: root(mean.value), lower: root(mean.lower), upper: root(mean.upper) };
  },
  compare: (candidate, champion, truth, alpha) => {
    const other = rootParts(champion, truth);
    const differences = rootParts(candidate, truth).map((x, row) => x - other[row]);
    return meanInterval(differences, { alpha, scale: deviationOf(truth) });
  },
};

function rootOfMean(values: Float64Array): number {
  return Math.sqrt(values.reduce((sum, x) => sum + x, 0) / values.length);
}

function deviationOf(values: Float64Array): number {
  const mean = values.reduce((sum, x) => sum + x, 0) / values.length;
  return rootOfMean(values.map((x) => x - mean));
}

/** An AUC as a mean over rows: each class's structural components weigh half. */
function aucParts({ auc, positives, negatives }: AucComponents, truth: Float64Array) {
  const n = truth.length;
  let p = 0, q = 0;
  return truth.map((y) => {
    const own = y > 0.5 ? positives : negatives, component = y > 0.5 ? own[p++] : own[q++];
    return auc + n / own.length * (component - auc);
  });
}

/** Every metric that can be compared. */
export const GATE_METRICS: Readonly<Record<MetricName, GateMetric>> = {
  auc: {
    sign: 1,
    margin: { margin: 0.005 },
    range: [0, 1],
    parts: ({ scores }, truth) => aucParts(aucComponents(scores, truth), truth),
    scale: () => 1,
    estimate: ({ scores }, truth, alpha) => aucInterval(aucComponents(scores, truth), alpha),
    compare: (candidate, champion, truth, alpha) =>
      delongTest(
        aucComponents(candidate.scores, truth),
        aucComponents(champion.scores, truth),
        alpha,
      ),
  },
  accuracy: {
    sign: 1,
    margin: { margin: 0.01 },
    range: [0, 1],
    parts: ({ hits }) => Float64Array.from(hits),
    scale: () => 1,
    estimate: ({ hits }, _, alpha) => proportionInterval(sumOf(hits), hits.length, alpha),
    compare: (candidate, champion, _, alpha) => {
      let onlyCandidate = 0, onlyChampion = 0;
      candidate.hits.forEach((hit, row) => {
        if (hit > champion.hits[row]) onlyCandidate++;
        if (hit < champion.hits[row]) onlyChampion++;
      });
      const rows = candidate.hits.length;
      return pairedProportions({ rows, onlyCandidate, onlyChampion }, alpha);
    },
  },
  log_loss: meanLoss(logLossOf, { margin: { margin: 0.005 }, scale: () => 1, max: Infinity }),
  brier: meanLoss(squared, { margin: { margin: 0.0025 }, scale: () => 1, max: 1 }),
  rmse: rmseMetric,
  mae: meanLoss((score, truth) => Math.abs(score - truth), {
    margin: { margin_share: 0.02 },
    scale: deviationOf,
    max: Infinity,
  }),
};

function sumOf(values: Uint8Array): number {
  return values.reduce((sum, x) => sum + x, 0);
}

/** Those rows only. */
export function selectRows(
  { scores, hits }: ScoredRows,
  rows: Uint32Array,
): ScoredRows {
  return {
    scores: Float64Array.from(rows, (row) => scores[row]),
    hits: Uint8Array.from(rows, (row) => hits[row]),
  };
}
