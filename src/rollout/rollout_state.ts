import type { Evidence, StepTotals } from "./evidence.ts";
import type { RolloutPlan } from "./plan.ts";

/** Phases that end a rollout. */
export const ENDED = ["promoted", "rolled_back", "inconclusive", "superseded", "aborted"] as const;

/** Where a rollout stands. */
export type Phase = "warmup" | "ramp" | "hold" | typeof ENDED[number];

/**
 * Why a rollout holds: at the end of the ramp something is not shown yet, isolates die, or what was
 * counted (requests, labelled ones) has not the shares it was drawn with, so that the evidence is not
 * trustworthy.
 */
export type HoldReason = "not_shown" | "isolate_deaths" | "sample_ratio" | "label_ratio";

/** What a rollout remembers between two looks; times are milliseconds since the epoch. */
export interface RolloutState {
  readonly phase: Phase;
  /** Index of the plan's step. */
  readonly step: number;
  readonly startedAt: number;
  /** When the canary got its first share; undefined before. */
  readonly rampedAt: number | undefined;
  readonly stepAt: number;
  readonly holdAt: number | undefined;
  readonly holdReason: HoldReason | undefined;
  /** Decided by hand after it was inconclusive. */
  readonly wasInconclusive?: boolean;
}

/** What is seen at one look. */
export interface Observation {
  readonly now: number;
  readonly totals: readonly StepTotals[];
  /** Live replicas that serve the model. */
  readonly replicas: {
    readonly live: number;
    /** False just after a start, before every replica had time to be heard again; default true. */
    readonly settled?: boolean;
    /** Those on which every data isolate has the canary loaded and warm. */
    readonly warm: number;
    /** Why some cannot load it. */
    readonly errors: readonly string[];
    /** Of those, the ones that lie in the canary itself; default none. */
    readonly unservable?: readonly string[];
  };
}

/** Everything that a verdict may speak of. */
export interface Look {
  readonly plan: RolloutPlan;
  readonly state: RolloutState;
  readonly observation: Observation;
  readonly evidence: Evidence;
}

/** @returns a rollout before its first look */
export function newRolloutState(now: number): RolloutState {
  return {
    phase: "warmup",
    step: 0,
    startedAt: now,
    rampedAt: undefined,
    stepAt: now,
    holdAt: undefined,
    holdReason: undefined,
  };
}

/** @returns whether nothing can change any more */
export function isEnded(phase: Phase): boolean {
  return (ENDED as readonly Phase[]).includes(phase);
}

/** @returns the canary's share now; 0 outside of ramp and hold */
export function shareOf(plan: RolloutPlan, state: RolloutState): number {
  return state.phase === "ramp" || state.phase === "hold" ? plan.steps[state.step].share : 0;
}
