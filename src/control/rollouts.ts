import { z } from "zod";

/** Where a rollout stands. The last five are ends. */
export const PHASES = [
  ...["warmup", "ramp", "hold"] as const,
  ...["promoted", "rolled_back", "inconclusive", "superseded", "aborted"] as const,
] as const;

/** Why a rollout holds, or held when it ended without a decision. */
export const HOLD_REASONS = ["not_shown", "isolate_deaths", "sample_ratio", "label_ratio"] as const;

/** What a rollout judges. */
export const METRICS = ["errors", "latency_p90", "latency_p95", "latency_p99", "labels"] as const;

/** A rollout in a list. Times are milliseconds since the epoch; evidence is linear. */
export const rolloutSummarySchema = z.object({
  id: z.string(),
  model: z.string(),
  /** The served alias; the canary's is `challenger`. */
  alias: z.string(),
  stable: z.string(),
  canary: z.string(),
  phase: z.enum(PHASES),
  /** Index of the plan's step. */
  step: z.int(),
  steps: z.int(),
  /** The canary's share of traffic now. */
  share: z.number(),
  startedAt: z.number(),
  endedAt: z.number().nullable(),
  canaryRequests: z.number(),
  evidence: z.number(),
  labelEvidence: z.number(),
  /** What either must reach to roll back. */
  evidenceNeeded: z.number(),
  /** One sentence for people. */
  verdict: z.string(),
});

/** A rollout in a list. */
export type RolloutSummary = z.output<typeof rolloutSummarySchema>;

const armSchema = z.object({
  events: z.number(),
  trials: z.number(),
  /** null without trials. */
  rate: z.number().nullable(),
});

const metricSchema = z.object({
  metric: z.enum(METRICS),
  canary: armSchema,
  stable: armSchema,
  /** null before the first event; an infinite bound is null. */
  ratio: z.object({
    estimate: z.number().nullable(),
    lower: z.number(),
    upper: z.number().nullable(),
  }).nullable(),
  /** That the canary is worse, by itself. */
  evidence: z.number(),
  /** That it is not worse by the margin; null where promotion does not ask. */
  notWorse: z.number().nullable(),
  differenceUpper: z.number().nullable(),
  /** null where promotion does not ask for this metric. */
  shown: z.boolean().nullable(),
  eventsUntilRollback: z.number().nullable(),
});

/** One metric of a rollout. */
export type MetricStatus = z.output<typeof metricSchema>;

/** All about one rollout. */
export const rolloutStatusSchema = rolloutSummarySchema.extend({
  /** What was planned; fields that a newer server adds are kept. */
  plan: z.looseObject({
    steps: z.array(z.object({ share: z.number(), seconds: z.number() })),
    warmupSeconds: z.number(),
    canaryRequestsMin: z.number(),
    alpha: z.number(),
    beta: z.number(),
    holdSeconds: z.number(),
    labels: z.enum(["if_any", "required", "ignored"]),
    margins: z.object({
      errorRatio: z.number(),
      errorDifference: z.number(),
      latencyRatio: z.number(),
      latencyDifference: z.number(),
      labelRatio: z.number(),
    }),
  }),
  notWorseNeeded: z.number(),
  /** That counted requests do not fit the shares; holds the rollout at 10,000. */
  sampleRatioFault: z.number(),
  labelRatioFault: z.number(),
  /** Why it holds, or held at its end; null where it does not. */
  holdReason: z.enum(HOLD_REASONS).nullable().default(null),
  /** Since when. */
  holdAt: z.number().nullable().default(null),
  metrics: z.array(metricSchema),
  /** What was counted in each step of the plan, those to come too. */
  stepCounts: z.array(z.object({ canaryRequests: z.number(), stableRequests: z.number() }))
    .default([]),
  /** The oldest moment first. */
  history: z.array(z.object({
    time: z.number(),
    step: z.int(),
    share: z.number(),
    evidence: z.number(),
    labelEvidence: z.number(),
  })),
});

/** All about one rollout. */
export type RolloutStatus = z.output<typeof rolloutStatusSchema>;

/** What begins a rollout by hand. */
export interface StartRollout {
  readonly model: string;
  /** The version to try. */
  readonly challenger: string;
  /** The served alias; default the one that replicas serve the model by. */
  readonly alias?: string;
  /** Default: the model's own plan. The server checks it. */
  readonly plan?: Readonly<Record<string, unknown>>;
}
