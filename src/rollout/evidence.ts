import {
  combineEvidence,
  guiltyMetrics,
  logAssignmentEvidence,
  logNonInferiority,
  logSampleRatioFault,
  rateDifferenceUpper,
  type RatioInterval,
  ratioInterval,
  type StepEvents,
  strongestStart,
} from "../statistics/mod.ts";
import { IMMEDIATE_METRICS, type RolloutPlan, startWeightsOf } from "./plan.ts";
import { type Arm, ARMS, COUNTED, type Counted } from "./sync.ts";

/** What is summed up for each (step, arm): what replicas count, and what labels add. */
export const TOTALS = [...COUNTED, "labelled", "wrong"] as const;

/** A name of {@linkcode TOTALS}. */
export type Total = typeof TOTALS[number];

/** Totals of one step, by arm. */
export type StepTotals = Record<Arm, Record<Total, number>>;

/** The metrics that a rollout judges. */
export const METRICS = [...IMMEDIATE_METRICS, "labels"] as const;

/** A name of {@linkcode METRICS}. */
export type Metric = typeof METRICS[number];

/** Which total is a metric's bad event, and which one says how many could have had it. */
const EVENT_OF: Record<Metric, { event: Total; trial: Total }> = {
  errors: { event: "errors", trial: "requests" },
  latency_p90: { event: "latency_p90", trial: "latency_measured" },
  latency_p95: { event: "latency_p95", trial: "latency_measured" },
  latency_p99: { event: "latency_p99", trial: "latency_measured" },
  labels: { event: "wrong", trial: "labelled" },
};

/** What is known about one metric. Logarithms are natural. */
export interface MetricEvidence {
  readonly metric: Metric;
  readonly canary: { readonly events: number; readonly trials: number };
  readonly stable: { readonly events: number; readonly trials: number };
  /** That the canary is worse. */
  readonly logWorse: number;
  /** That it is not worse by the margin's ratio; undefined where promotion does not ask. */
  readonly logNotWorse: number | undefined;
  /** The most by which its rate may be higher; undefined where no difference is tolerated. */
  readonly differenceUpper: number | undefined;
  /** Whether promotion may rely on it; undefined where promotion does not ask. */
  readonly shown: boolean | undefined;
}

/** All the evidence of a rollout at one moment; a function of plan and totals alone. */
export interface Evidence {
  readonly metrics: readonly MetricEvidence[];
  /** The immediate metrics together. */
  readonly logImmediate: number;
  readonly logLabels: number;
  /**
   * What either must reach: 2 / alpha (half of alpha for each: labels are known too late to mix).
   */
  readonly needed: number;
  /** That counted requests do not have the shares they were drawn with; alarm at 10,000. */
  readonly logSampleRatioFault: number;
  /**
   * The same of assignments that were labelled: a version whose answers get fewer labels, or cannot be
   * labelled, is not comparable by labels.
   */
  readonly logLabelRatioFault: number;
  readonly canaryRequests: number;
  readonly stableRequests: number;
}

/** The sample ratio's own alarm; not from the budget of false rollbacks, for it only holds. */
export const SAMPLE_RATIO_NEEDED = 1e4;

/** @returns totals of nothing, one entry a step */
export function emptyTotals(steps: number): StepTotals[] {
  const zero = () => Object.fromEntries(TOTALS.map((total) => [total, 0])) as Record<Total, number>;
  return Array.from({ length: steps }, () => ({ stable: zero(), canary: zero() }));
}

/** Judges totals by a plan. Start j takes the events of assignments drawn at step j or later. */
export function evaluate(plan: RolloutPlan, totals: readonly StepTotals[]): Evidence {
  const metrics = METRICS.map((metric) => evaluateMetric(plan, totals, metric));
  const immediate = metrics.slice(0, IMMEDIATE_METRICS.length);
  return {
    metrics,
    logImmediate: combineEvidence(
      immediate.map(({ logWorse }) => logWorse),
      IMMEDIATE_METRICS.map((metric) => plan.weights[metric]),
    ),
    logLabels: metrics[metrics.length - 1].logWorse,
    needed: 2 / plan.alpha,
    logSampleRatioFault: ratioFault(plan, totals, "requests"),
    logLabelRatioFault: plan.labels === "ignored" ? 0 : ratioFault(plan, totals, "labelled"),
    canaryRequests: sumOf(totals, "canary", "requests"),
    stableRequests: sumOf(totals, "stable", "requests"),
  };
}

function ratioFault(
  plan: RolloutPlan,
  totals: readonly StepTotals[],
  total: "requests" | "labelled",
): number {
  return logSampleRatioFault(plan.steps.map(({ share }, i) => ({
    share,
    canary: totals[i].canary[total],
    stable: totals[i].stable[total],
  })));
}

function evaluateMetric(
  plan: RolloutPlan,
  totals: readonly StepTotals[],
  metric: Metric,
): MetricEvidence {
  const steps = eventsOf(plan, totals, metric), { event, trial } = EVENT_OF[metric];
  const [stable, canary] = ARMS.map((arm) => {
    const events = sumOf(totals, arm, event);
    // Counts of two moments may cross for an instant: never more events than trials.
    return { events, trials: Math.max(events, sumOf(totals, arm, trial)) };
  });
  const margin = marginOf(plan, metric, stable.trials + canary.trials > 0);
  const logNotWorse = margin && logNonInferiority(steps, margin.ratio);
  const differenceUpper = margin?.difference === undefined ? undefined : rateDifferenceUpper({
    canaryEvents: canary.events,
    canaryTrials: canary.trials,
    stableEvents: stable.events,
    stableTrials: stable.trials,
  }, plan.beta);
  const shown = margin && (
    logNotWorse! >= Math.log(1 / plan.beta) ||
    (differenceUpper !== undefined && differenceUpper <= margin.difference!)
  );
  const logWorse = logAssignmentEvidence(steps, startWeightsOf(plan));
  return { metric, canary, stable, logWorse, logNotWorse, differenceUpper, shown };
}

/** What promotion asks of a metric; one latency level is enough, three make good canaries wait. */
export function marginOf(
  plan: RolloutPlan,
  metric: Metric,
  any: boolean,
): { ratio: number; difference?: number } | undefined {
  const { margins, labels } = plan;
  if (metric === "errors") {
    return { ratio: margins.errorRatio, difference: margins.errorDifference };
  }
  if (metric === "latency_p95") {
    return { ratio: margins.latencyRatio, difference: margins.latencyDifference };
  }
  if (metric === "labels" && (labels === "required" || (labels === "if_any" && any))) {
    return { ratio: margins.labelRatio };
  }
  return undefined;
}

/** @returns a metric's bad events by step */
export function eventsOf(
  plan: RolloutPlan,
  totals: readonly StepTotals[],
  metric: Metric,
): StepEvents[] {
  const { event } = EVENT_OF[metric];
  return plan.steps.map(({ share }, i) => ({
    share,
    canary: totals[i].canary[event],
    stable: totals[i].stable[event],
  }));
}

/**
 * A regression that begins late shows in the steps since then, not in all of them together.
 *
 * @returns the ratio over the steps that carry the evidence, and the first of those; the interval is
 * valid at every look for whichever start it is (each start has its part of the 5 %)
 */
export function ratioSinceOf(
  plan: RolloutPlan,
  totals: readonly StepTotals[],
  metric: Metric,
): { since: number; ratio: RatioInterval | undefined } {
  const events = eventsOf(plan, totals, metric), weights = startWeightsOf(plan);
  const since = strongestStart(events, weights);
  return { since, ratio: ratioInterval(events.slice(since), 0.05 * weights[since]) };
}

/** @returns the canary's ratio to the stable version with its always-valid interval, for display */
export function ratioOf(
  plan: RolloutPlan,
  totals: readonly StepTotals[],
  metric: Metric,
): RatioInterval | undefined {
  return ratioInterval(eventsOf(plan, totals, metric), 0.05);
}

/** @returns the immediate metrics that are shown worse each by itself; else the strongest one */
export function blamedMetrics(plan: RolloutPlan, evidence: Evidence): MetricEvidence[] {
  const weights = IMMEDIATE_METRICS.map((metric) => plan.weights[metric]);
  const weighed = evidence.metrics.slice(0, weights.length)
    .map((metric, i) => ({ metric, weight: weights[i] }))
    .filter(({ weight }) => weight > 0);
  const guilty = guiltyMetrics(weighed.map(({ metric }) => metric.logWorse), {
    alpha: plan.alpha / 2,
    weights: weighed.map(({ weight }) => weight),
  });
  if (guilty.length > 0) return guilty.map((i) => weighed[i].metric);
  const strength = weighed.map(({ metric, weight }) => Math.log(weight) + metric.logWorse);
  return [weighed[strength.indexOf(Math.max(...strength))].metric];
}

/** @returns a total over all steps */
export function sumOf(totals: readonly StepTotals[], arm: Arm, total: Counted | Total): number {
  return totals.reduce((sum, step) => sum + step[arm][total], 0);
}
