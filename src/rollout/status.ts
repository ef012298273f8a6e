import type { Reader } from "../database/mod.ts";
import type { RatioInterval } from "../statistics/mod.ts";
import { type Metric, type MetricEvidence, ratioOf, type StepTotals } from "./evidence.ts";
import { type LabelQuality, labelQuality } from "./label_book.ts";
import { IMMEDIATE_METRICS, type RolloutPlan } from "./plan.ts";
import { type HoldReason, type Phase, shareOf } from "./rollout_state.ts";
import { decisionCounts, readHistory, readTotals, type StoredRollout } from "./rollout_store.ts";
import type { Decision } from "./state.ts";
import { eventsUntilRollback } from "./verdict.ts";

/** A rollout in a list. Times are milliseconds since the epoch; evidence is linear. */
export interface RolloutSummary {
  readonly id: string;
  readonly model: string;
  readonly alias: string;
  readonly stable: string;
  readonly canary: string;
  readonly phase: Phase;
  readonly step: number;
  readonly steps: number;
  readonly share: number;
  readonly startedAt: number;
  readonly endedAt: number | null;
  readonly canaryRequests: number;
  readonly evidence: number;
  readonly labelEvidence: number;
  readonly evidenceNeeded: number;
  readonly verdict: string;
}

/** One arm's events of a metric. */
export interface ArmStatus {
  readonly events: number;
  readonly trials: number;
  /** null without trials. */
  readonly rate: number | null;
}

/** One metric of a rollout. A bound that is infinite is null. */
export interface MetricStatus {
  readonly metric: Metric;
  readonly canary: ArmStatus;
  readonly stable: ArmStatus;
  /** null before the first event. */
  readonly ratio: { estimate: number | null; lower: number; upper: number | null } | null;
  /** That the canary is worse, by itself. */
  readonly evidence: number;
  /**
   * That it is not worse by the margin: reaches `notWorseNeeded` when shown; null where not asked.
   */
  readonly notWorse: number | null;
  readonly differenceUpper: number | null;
  /** null where promotion does not ask for this metric. */
  readonly shown: boolean | null;
  /**
   * About how many more bad events would roll back, if the ratio stays; null at a ratio up to 1.
   */
  readonly eventsUntilRollback: number | null;
}

/** All about one rollout. */
export interface RolloutStatus extends RolloutSummary {
  readonly plan: RolloutPlan;
  readonly notWorseNeeded: number;
  /** That counted requests do not fit the shares; holds the rollout at 10,000. */
  readonly sampleRatioFault: number;
  /** The same of requests that were labelled. */
  readonly labelRatioFault: number;
  /** Why it holds, or held when it ended without a decision; null where it does not. */
  readonly holdReason: HoldReason | null;
  /** Since when. */
  readonly holdAt: number | null;
  /** What was counted in each step of the plan. */
  readonly stepCounts: readonly { canaryRequests: number; stableRequests: number }[];
  readonly metrics: readonly MetricStatus[];
  readonly history: readonly {
    time: number;
    step: number;
    share: number;
    evidence: number;
    labelEvidence: number;
  }[];
}

/** What telemetry makes gauges and counters of. */
export interface RolloutMetrics {
  readonly running: readonly {
    readonly rollout: string;
    readonly model: string;
    readonly alias: string;
    readonly stable: string;
    readonly canary: string;
    readonly phase: Phase;
    readonly step: number;
    readonly share: number;
    readonly canaryRequests: number;
    /** Linear; capped where a double ends. */
    readonly evidence: Readonly<Record<"immediate" | Metric, number>>;
    readonly evidenceNeeded: number;
  }[];
  /** Ended rollouts by model and how they ended. */
  readonly decisions: readonly { model: string; phase: Phase; count: number }[];
  /** Rows labelled and rows wrong, by model and version, since the first. */
  readonly labels: readonly LabelQuality[];
}

/** A rollout in a list. */
export function summarise(rollout: StoredRollout, decision: Decision): RolloutSummary {
  const { id, model, alias, stable, canary, plan, state, endedAt, verdict } = rollout;
  const { evidence } = decision;
  return {
    id,
    model,
    alias,
    stable,
    canary,
    phase: state.phase,
    step: state.step,
    steps: plan.steps.length,
    share: rollout.active ? shareOf(plan, state) : 0,
    startedAt: state.startedAt,
    endedAt: endedAt ?? null,
    canaryRequests: evidence.canaryRequests,
    evidence: linear(evidence.logImmediate),
    labelEvidence: linear(evidence.logLabels),
    evidenceNeeded: evidence.needed,
    verdict: verdict ?? decision.verdict,
  };
}

/** All about one rollout, at one moment. */
export function describe(
  reader: Reader,
  rollout: StoredRollout,
  decision: Decision,
): RolloutStatus {
  const { plan, state, id } = rollout, totals = readTotals(reader, rollout);
  return {
    ...summarise(rollout, decision),
    plan,
    notWorseNeeded: 1 / plan.beta,
    sampleRatioFault: linear(decision.evidence.logSampleRatioFault),
    labelRatioFault: linear(decision.evidence.logLabelRatioFault),
    holdReason: state.holdReason ?? null,
    holdAt: state.holdAt ?? null,
    stepCounts: totals.map(({ canary, stable }) => ({
      canaryRequests: canary.requests,
      stableRequests: stable.requests,
    })),
    metrics: decision.evidence.metrics.map((metric) =>
      metricStatus(plan, state.step, totals, metric)
    ),
    history: readHistory(reader, id).map(({ at, step, share, logImmediate, logLabels }) => ({
      time: at,
      step,
      share,
      evidence: linear(logImmediate),
      labelEvidence: linear(logLabels),
    })),
  };
}

/** What gauges and counters are made of. */
export function engineMetrics(
  reader: Reader,
  running: readonly { rollout: StoredRollout; decision: Decision }[],
): RolloutMetrics {
  return {
    running: running.map(({ rollout, decision: { evidence } }) => {
      const { id, model, alias, stable, canary, plan, state } = rollout;
      const each = evidence.metrics.map(({ metric, logWorse }) => [metric, linear(logWorse)]);
      return {
        rollout: id,
        model,
        alias,
        stable,
        canary,
        phase: state.phase,
        step: state.step,
        share: shareOf(plan, state),
        canaryRequests: evidence.canaryRequests,
        evidence: { immediate: linear(evidence.logImmediate), ...Object.fromEntries(each) },
        evidenceNeeded: evidence.needed,
      };
    }),
    decisions: decisionCounts(reader),
    labels: labelQuality(reader),
  };
}

function metricStatus(
  plan: RolloutPlan,
  step: number,
  totals: readonly StepTotals[],
  evidence: MetricEvidence,
): MetricStatus {
  const { metric, canary, stable, logWorse, logNotWorse, differenceUpper, shown } = evidence;
  const ratio = ratioOf(plan, totals, metric);
  // An immediate metric weighs only its part in the mean that has to reach the threshold.
  const weight = IMMEDIATE_METRICS.find((immediate) => immediate === metric);
  const logWeighed = logWorse + (weight === undefined ? 0 : Math.log(plan.weights[weight]));
  return {
    metric,
    canary: armStatus(canary),
    stable: armStatus(stable),
    ratio: ratio === undefined ? null : finiteRatio(ratio),
    evidence: linear(logWorse),
    notWorse: logNotWorse === undefined ? null : linear(logNotWorse),
    differenceUpper: differenceUpper ?? null,
    shown: shown ?? null,
    eventsUntilRollback: ratio === undefined
      ? null
      : eventsUntilRollback(plan, step, ratio.estimate, logWeighed) ?? null,
  };
}

function armStatus({ events, trials }: { events: number; trials: number }): ArmStatus {
  return { events, trials, rate: trials === 0 ? null : events / trials };
}

/** JSON has no Infinity. */
function finiteRatio({ estimate, lower, upper }: RatioInterval): MetricStatus["ratio"] {
  const finite = (x: number) => Number.isFinite(x) ? x : null;
  return { estimate: finite(estimate), lower, upper: finite(upper) };
}

function linear(log: number): number {
  return Math.min(Math.exp(log), Number.MAX_VALUE);
}
