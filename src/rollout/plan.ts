import { z } from "zod";
import { defaultStartWeights } from "../statistics/mod.ts";

/** The metrics that are known when a request ends; they share one budget of false alarms. */
export const IMMEDIATE_METRICS = ["errors", "latency_p90", "latency_p95", "latency_p99"] as const;

/** A name of {@linkcode IMMEDIATE_METRICS}. */
export type ImmediateMetric = typeof IMMEDIATE_METRICS[number];

const weight = z.number().min(0).max(1);
const ratio = z.number().gt(1).max(100);
const SECONDS_MAX = 30 * 24 * 3600;

const stepSchema = z.strictObject({
  share: z.number().gt(0).max(0.95).meta({ description: "Of traffic that the canary gets" }),
  seconds: z.number().min(0).max(SECONDS_MAX).meta({ description: "Shortest time at this share" }),
});

/** How one version is rolled out; every field has a default. */
export const rolloutPlanSchema = z.strictObject({
  steps: z.array(stepSchema).min(1).max(63).default([
    { share: 0.05, seconds: 300 },
    { share: 0.1, seconds: 300 },
    { share: 0.25, seconds: 300 },
    { share: 0.5, seconds: 300 },
  ]),
  warmupSeconds: z.number().min(0).max(SECONDS_MAX).default(60).meta({
    description: "Time before the first step, in which the stable version's latency is learnt",
  }),
  canaryRequestsMin: z.int().min(0).default(10).meta({
    description: "Canary requests that each step needs before the next one",
  }),
  alpha: z.number().gt(0).lt(0.5).default(0.01).meta({
    description: "Chance of rolling back a version that is not worse, over the whole rollout",
  }),
  beta: z.number().gt(0).lt(0.5).default(0.05).meta({
    description: "Chance of promoting a version that is worse by more than the margins",
  }),
  weights: z.strictObject({
    errors: weight,
    latency_p90: weight,
    latency_p95: weight,
    latency_p99: weight,
  }).default({ errors: 0.4, latency_p90: 0.2, latency_p95: 0.2, latency_p99: 0.2 }),
  startWeights: z.array(weight).optional().meta({
    description: "How much each step's start counts; default more than half on the first",
  }),
  margins: z.strictObject({
    errorRatio: ratio.default(2),
    errorDifference: z.number().gt(0).lt(1).default(0.01),
    latencyRatio: ratio.default(1.5),
    latencyDifference: z.number().gt(0).lt(1).default(0.01),
    labelRatio: ratio.default(1.2),
  }).prefault({}).meta({ description: "By how much a promoted version may be worse, at most" }),
  latencyTolerance: z.strictObject({
    relative: z.number().min(0).max(100).default(0.2),
    absoluteMs: z.number().min(0).max(60_000).default(1),
  }).prefault({}).meta({
    description: "A request is slow above (1 + relative) × the stable version's level + absoluteMs",
  }),
  holdSeconds: z.number().min(0).max(SECONDS_MAX).default(1800).meta({
    description: "How long to wait for what is missing before a person is asked",
  }),
  labels: z.enum(["if_any", "required", "ignored"]).default("if_any").meta({
    description: "Whether promotion needs evidence from labels",
  }),
}).superRefine((plan, context) => {
  const problem = (path: (string | number)[], message: string) =>
    context.addIssue({ code: "custom", path, message });
  plan.steps.forEach(({ share }, i) => {
    if (i > 0 && share <= plan.steps[i - 1].share) {
      problem(["steps", i, "share"], `must be above the step before: ${share}`);
    }
  });
  if (!isOne(Object.values(plan.weights))) problem(["weights"], "must add up to 1");
  const { startWeights } = plan;
  if (startWeights === undefined) return;
  if (startWeights.length !== plan.steps.length) {
    problem(["startWeights"], `needs one for each of the ${plan.steps.length} steps`);
  }
  if (!isOne(startWeights)) problem(["startWeights"], "must add up to 1");
});

/** A checked plan. */
export type RolloutPlan = z.output<typeof rolloutPlanSchema>;

/** A plan as a person writes it: what is left out has its default. */
export type RolloutPlanInput = z.input<typeof rolloutPlanSchema>;

/** The plan of a rollout that nobody planned. */
export const DEFAULT_PLAN: RolloutPlan = rolloutPlanSchema.parse({});

/** @returns the weight of each step's start */
export function startWeightsOf(plan: RolloutPlan): readonly number[] {
  return plan.startWeights ?? defaultStartWeights(plan.steps.length);
}

function isOne(weights: readonly number[]): boolean {
  return Math.abs(weights.reduce((sum, w) => sum + w, 0) - 1) < 1e-9;
}
