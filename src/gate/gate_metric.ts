import {
  aucComponents,
  aucInterval,
  delongTest,
  type Estimate,
  meanInterval,
  type PairedDifference,
  pairedProportions,
  proportionInterval,
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
  { margin, scale }: Pick<GateMetric, "margin"> & { scale: (truth: Float64Array) => number },
): GateMetric {
  const losses = ({ scores }: ScoredRows, truth: Float64Array) =>
    truth.map((y, row) => loss(scores[row], y));
  return {
    sign: -1,
    margin,
    estimate: (rows, truth, alpha) => {
      const { value, lower, upper } = meanInterval(losses(rows, truth), { alpha });
      return { value, lower: Math.max(0, lower), upper };
    },
    compare: (candidate, champion, truth, alpha) => {
      const other = losses(champion, truth);
      const differences = losses(candidate, truth).map((x, row) => x - other[row]);
      return meanInterval(differences, { alpha, scale: scale(truth) });
    },
  };
}

const squared: RowLoss = (score, truth) => (score - truth) ** 2;

/** The root of a mean: intervals of the mean, its differences by the delta method. */
const rmseMetric: GateMetric = {
  sign: -1,
  margin: { margin_share: 0.02 },
  estimate: ({ scores }, truth, alpha) => {
    const mean = meanInterval(truth.map((y, row) => squared(scores[row], y)), { alpha });
    const root = (x: number) => Math.sqrt(Math.max(0, x));
    return { value: root(mean.value), lower: root(mean.lower), upper: root(mean.upper) };
  },
  compare: (candidate, champion, truth, alpha) => {
    const squares = [candidate, champion].map(({ scores }) =>
      truth.map((y, row) => squared(scores[row], y))
    );
    const [a, b] = squares.map(rootOfMean);
    // What a row adds to the root, to first order: (square + mean) / (2 root).
    const part = (square: number, root: number) =>
      root === 0 ? 0 : (square + root * root) / (2 * root);
    const differences = squares[0].map((square, row) => part(square, a) - part(squares[1][row], b));
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

/** Every metric that can be compared. */
export const GATE_METRICS: Readonly<Record<MetricName, GateMetric>> = {
  auc: {
    sign: 1,
    margin: { margin: 0.005 },
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
  log_loss: meanLoss(logLossOf, { margin: { margin: 0.005 }, scale: () => 1 }),
  brier: meanLoss(squared, { margin: { margin: 0.0025 }, scale: () => 1 }),
  rmse: rmseMetric,
  mae: meanLoss((score, truth) => Math.abs(score - truth), {
    margin: { margin_share: 0.02 },
    scale: deviationOf,
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
