import {
  evaluate,
  type Evidence,
  SAMPLE_RATIO_NEEDED,
  type StepTotals,
  sumOf,
} from "./evidence.ts";
import type { RolloutPlan } from "./plan.ts";
import {
  type HoldReason,
  isEnded,
  type Look,
  type Observation,
  type RolloutState,
} from "./rollout_state.ts";
import * as verdict from "./verdict.ts";

/** What follows from a look. */
export interface Decision {
  readonly state: RolloutState;
  /** One sentence that a person understands. */
  readonly verdict: string;
  readonly evidence: Evidence;
}

/**
 * One look at a rollout. Pure: the same state and observation give the same decision. Evidence is
 * judged before time, so a rollback wins over everything that time alone would bring.
 */
export function nextStep(
  plan: RolloutPlan,
  state: RolloutState,
  observation: Observation,
): Decision {
  const evidence = evaluate(plan, observation.totals);
  const look: Look = { plan, state, observation, evidence };
  if (isEnded(state.phase)) return { state, verdict: verdict.ended(state.phase), evidence };
  if ((observation.replicas.unservable ?? []).length > 0) {
    const rolledBack: RolloutState = { ...state, phase: "rolled_back" };
    return { state: rolledBack, verdict: verdict.unservable(look), evidence };
  }
  if (state.phase === "warmup") return { ...warmUp(look), evidence };
  const needed = Math.log(evidence.needed);
  if (evidence.logImmediate >= needed || evidence.logLabels >= needed) {
    const rolledBack: RolloutState = { ...state, phase: "rolled_back" };
    return { state: rolledBack, verdict: verdict.rolledBack(look), evidence };
  }
  if (observation.replicas.settled === false) {
    // What replicas counted while nobody listened has not arrived: time alone must not end it.
    const said = state.phase === "hold" ? verdict.holding(look) : verdict.ramping(look);
    return { state, verdict: said, evidence };
  }
  if (isolatesDie(observation.totals)) return { ...hold(look, "isolate_deaths"), evidence };
  if (evidence.logSampleRatioFault >= Math.log(SAMPLE_RATIO_NEEDED)) {
    return { ...hold(look, "sample_ratio"), evidence };
  }
  if (evidence.logLabelRatioFault >= Math.log(SAMPLE_RATIO_NEEDED)) {
    return { ...hold(look, "label_ratio"), evidence };
  }
  if (!stepDone(look)) {
    // A hold at the ramp's end goes on (and runs out) while replicas come and go.
    const holding = state.holdReason === "not_shown";
    return { ...(holding ? hold(look, "not_shown") : keepStep(look)), evidence };
  }
  if (state.step < plan.steps.length - 1) return { ...raiseShare(look), evidence };
  const missing = evidence.metrics.filter(({ shown }) => shown === false);
  if (missing.length > 0) return { ...hold(look, "not_shown"), evidence };
  return {
    state: { ...state, phase: "promoted" },
    verdict: verdict.promoted(look),
    evidence,
  };
}

type Outcome = Pick<Decision, "state" | "verdict">;

function warmUp(look: Look): Outcome {
  const { plan, state, observation: { now, replicas } } = look;
  const waited = now - state.startedAt - plan.warmupSeconds * 1000, done = waited >= 0;
  if (replicas.errors.length > 0 && waited >= plan.holdSeconds * 1000) {
    return { state: { ...state, phase: "inconclusive" }, verdict: verdict.inconclusive(look) };
  }
  if (!done || !allWarm(look) || replicas.errors.length > 0) {
    return { state, verdict: verdict.warmingUp(look) };
  }
  const ramping: RolloutState = { ...state, phase: "ramp", rampedAt: now, stepAt: now };
  return { state: ramping, verdict: verdict.ramping({ ...look, state: ramping }) };
}

function allWarm({ observation: { replicas } }: Look): boolean {
  return replicas.settled !== false && replicas.live > 0 && replicas.warm === replicas.live;
}

function stepDone(look: Look): boolean {
  const { plan, state, observation: { now, totals } } = look;
  return now - state.stepAt >= plan.steps[state.step].seconds * 1000 && allWarm(look) &&
    totals[state.step].canary.requests >= plan.canaryRequestsMin;
}

/** Waits for the step's time, requests or replicas; without them for too long, a person decides. */
function keepStep(look: Look): Outcome {
  const { plan, state, observation: { now } } = look;
  const waited = now - state.stepAt - plan.steps[state.step].seconds * 1000;
  const ramping: RolloutState = {
    ...state,
    phase: "ramp",
    holdAt: undefined,
    holdReason: undefined,
  };
  if (waited >= plan.holdSeconds * 1000) {
    return {
      state: { ...ramping, phase: "inconclusive" },
      verdict: verdict.inconclusive({ ...look, state: ramping }),
    };
  }
  return { state: ramping, verdict: verdict.ramping({ ...look, state: ramping }) };
}

function raiseShare(look: Look): Outcome {
  const { state, observation: { now } } = look;
  const raised: RolloutState = {
    ...state,
    phase: "ramp",
    step: state.step + 1,
    stepAt: now,
    holdAt: undefined,
    holdReason: undefined,
  };
  return { state: raised, verdict: verdict.ramping({ ...look, state: raised }) };
}

function hold(look: Look, reason: HoldReason): Outcome {
  const { plan, state, observation: { now } } = look;
  const holdAt = state.holdReason === reason ? state.holdAt! : now;
  const holding: RolloutState = { ...state, phase: "hold", holdAt, holdReason: reason };
  if (now - holdAt >= plan.holdSeconds * 1000) {
    return {
      state: { ...holding, phase: "inconclusive" },
      verdict: verdict.inconclusive({ ...look, state: holding }),
    };
  }
  return { state: holding, verdict: verdict.holding({ ...look, state: holding }) };
}

/**
 * More deaths a request than the stable version has. What they cut off counts as errors besides.
 */
function isolatesDie(totals: readonly StepTotals[]): boolean {
  const deaths = sumOf(totals, "canary", "isolate_deaths");
  if (deaths === 0) return false;
  const stableDeaths = sumOf(totals, "stable", "isolate_deaths");
  const canary = Math.max(1, sumOf(totals, "canary", "requests"));
  const stable = Math.max(1, sumOf(totals, "stable", "requests"));
  return deaths / canary > stableDeaths / stable;
}
