import type { StructuralSchema } from "./object_shape.ts";

/** A description without a type, and with its bounds. */
type Bounds = Pick<StructuralSchema, "minimum" | "maxItems">;

const number = (description: string): StructuralSchema => ({ type: "number", description });
const seconds = (description: string): StructuralSchema => ({
  type: "number",
  description,
  minimum: 0,
});
const group = (
  description: string,
  properties: Readonly<Record<string, StructuralSchema>>,
): StructuralSchema => ({ type: "object", description, properties });
const list = (
  description: string,
  items: StructuralSchema,
  bounds: Bounds = {},
): StructuralSchema => ({
  type: "array",
  description,
  "x-kubernetes-list-type": "atomic",
  ...bounds,
  items,
});

/**
 * The plan of a rollout as the registry keeps it (`rolloutPlanSchema` of the room rollout, which a test
 * compares).
 */
export const ROLLOUT_PLAN_SCHEMA: StructuralSchema = group(
  "How the canary is rolled out, as the registry was told",
  {
    steps: list("Growing shares of traffic", {
      type: "object",
      required: ["share", "seconds"],
      properties: {
        share: number("Part of traffic that the canary gets, 0 to 1"),
        seconds: seconds("Shortest time at this share"),
      },
    }, { maxItems: 63 }),
    warmupSeconds: seconds("Time before the first step"),
    canaryRequestsMin: {
      type: "integer",
      format: "int64",
      minimum: 0,
      description: "Canary requests that each step needs before the next one",
    },
    alpha: number("Chance of rolling back a version that is not worse"),
    beta: number("Chance of promoting a version that is worse by more than the margins"),
    weights: group("How the immediate metrics share one budget of false alarms", {
      errors: number("Of errors"),
      latency_p90: number("Of requests slower than the stable version's p90"),
      latency_p95: number("Of requests slower than its p95"),
      latency_p99: number("Of requests slower than its p99"),
    }),
    startWeights: list("How much each step's start counts", number("Of one step"), {
      maxItems: 63,
    }),
    margins: group("By how much a promoted version may be worse, at most", {
      errorRatio: number("Ratio of error rates"),
      errorDifference: number("Difference of error rates"),
      latencyRatio: number("Ratio of the rates of slow requests"),
      latencyDifference: number("Difference of the rates of slow requests"),
      labelRatio: number("Ratio of the rates of wrong answers"),
    }),
    latencyTolerance: group("When a request counts as slow", {
      relative: number("Above the stable version's level, as a part of it"),
      absoluteMs: number("And milliseconds on top"),
    }),
    holdSeconds: seconds("How long to wait for what is missing before a person is asked"),
    labels: {
      type: "string",
      enum: ["if_any", "required", "ignored"],
      description: "Whether promotion needs evidence from labels",
    },
  },
);
