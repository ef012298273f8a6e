import { labelsOf, NAMES } from "./names.ts";
import type { CustomResourceDefinition, StructuralSchema } from "./object_shape.ts";
import { ROLLOUT_PLAN_SCHEMA } from "./rollout_plan_schema.ts";

const text = (description: string, maxLength = 1024): StructuralSchema => ({
  type: "string",
  description,
  maxLength,
});
const time = (description: string): StructuralSchema => ({
  type: "string",
  format: "date-time",
  description,
});
const count = (description: string): StructuralSchema => ({
  type: "integer",
  format: "int64",
  minimum: 0,
  description,
});

const ARM: StructuralSchema = {
  type: "object",
  description: "What was counted of one version",
  properties: { events: count("Bad ones"), trials: count("All that were counted") },
};

const SPEC: StructuralSchema = {
  type: "object",
  description: "Which version is compared with which; written by the controller alone",
  required: ["model", "alias", "stable", "canary", "rollout"],
  properties: {
    model: text("Registered model"),
    alias: text("Alias that promotion moves, e.g. champion"),
    stable: text("Version that serves"),
    canary: text("Version that is tried"),
    rollout: text("Id of the rollout in the registry"),
    plan: ROLLOUT_PLAN_SCHEMA,
  },
};

const CONDITION: StructuralSchema = {
  type: "object",
  required: ["type", "status", "lastTransitionTime", "reason", "message"],
  properties: {
    type: { ...text("Progressing, Promoted, RolledBack or RegistryReachable", 316), minLength: 1 },
    status: { type: "string", enum: ["True", "False", "Unknown"] },
    observedGeneration: count("Generation of the object that it was said of"),
    lastTransitionTime: time("When the status last changed"),
    reason: { ...text("One word for programs"), minLength: 1 },
    message: text("A sentence for people", 32_768),
  },
};

const STATUS: StructuralSchema = {
  type: "object",
  description: "What the registry says",
  properties: {
    phase: text(
      "warmup, ramp, hold, promoted, rolled_back, inconclusive, superseded or aborted",
    ),
    step: { type: "integer", format: "int32", description: "Current step" },
    steps: { type: "integer", format: "int32", description: "Steps of the plan" },
    share: text('Part of traffic that the canary gets, e.g. "25 %"'),
    canaryRequests: count("Requests that the canary has answered"),
    evidence: text("That the canary is worse, from errors and latency"),
    labelEvidence: text("That the canary is worse, from late labels"),
    evidenceNeeded: text("Evidence at which it is rolled back"),
    verdict: text("One sentence with the numbers", 32_768),
    startedAt: time("When it began"),
    endedAt: time("When it ended"),
    observedAt: time("When the registry was last asked"),
    metrics: {
      type: "array",
      description: "Each metric by itself",
      maxItems: 64,
      "x-kubernetes-list-type": "map",
      "x-kubernetes-list-map-keys": ["metric"],
      items: {
        type: "object",
        required: ["metric"],
        properties: {
          metric: text("errors, latency_p90, …"),
          canary: ARM,
          stable: ARM,
          ratio: text('Canary to stable with its interval, e.g. "1.8 (1.1 to 3.0)"'),
        },
      },
    },
    conditions: {
      type: "array",
      maxItems: 16,
      "x-kubernetes-list-type": "map",
      "x-kubernetes-list-map-keys": ["type"],
      items: CONDITION,
    },
  },
};

/** `kubectl get rollouts`: the registry's rollouts as objects, read-only for people. */
export function rolloutCrd(): CustomResourceDefinition {
  return {
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: { name: NAMES.rolloutCrd, labels: labelsOf() },
    spec: {
      group: "serin.dev",
      scope: "Namespaced",
      names: {
        kind: "Rollout",
        listKind: "RolloutList",
        plural: "rollouts",
        singular: "rollout",
        shortNames: ["sro"],
        categories: ["serin"],
      },
      versions: [{
        name: "v1alpha1",
        served: true,
        storage: true,
        subresources: { status: {} },
        additionalPrinterColumns: [
          { name: "Model", type: "string", jsonPath: ".spec.model" },
          { name: "Stable", type: "string", jsonPath: ".spec.stable" },
          { name: "Canary", type: "string", jsonPath: ".spec.canary" },
          { name: "Phase", type: "string", jsonPath: ".status.phase" },
          { name: "Step", type: "integer", jsonPath: ".status.step" },
          { name: "Share", type: "string", jsonPath: ".status.share" },
          { name: "Requests", type: "integer", jsonPath: ".status.canaryRequests" },
          { name: "Age", type: "date", jsonPath: ".metadata.creationTimestamp" },
          { name: "Verdict", type: "string", jsonPath: ".status.verdict", priority: 1 },
        ],
        schema: {
          openAPIV3Schema: {
            type: "object",
            description: "A rollout of the registry: a mirror, changes to it change nothing",
            required: ["spec"],
            properties: {
              apiVersion: { type: "string" },
              kind: { type: "string" },
              metadata: { type: "object" },
              spec: SPEC,
              status: STATUS,
            },
          },
        },
      }],
    },
  };
}
