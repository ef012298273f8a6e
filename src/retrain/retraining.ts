import type { Alert } from "./alert_webhook.ts";
import type { Brake, Decision } from "./brakes.ts";

/** The steps of a retraining, in their order. */
export const STEPS = ["collect", "train", "gate", "promote"] as const;

/** A name of {@linkcode STEPS}. */
export type StepName = typeof STEPS[number];

/** How a retraining ended: only `succeeded` moved the alias. */
export type RunEnd = "succeeded" | "refused" | "undecided" | "failed" | "expired";

/** Where a retraining is. `pending`: a person must approve it. */
export type RunState = "pending" | "queued" | StepName | RunEnd;

/** What came of alerts about one model; also of those that no spec names. */
export type DecisionName = Decision | "resolved" | "ignored" | "unknown_model" | "no_model";

/** A step that was begun. */
export interface StepRecord {
  readonly step: StepName;
  /** How often it was begun: more than once after a crash. */
  readonly attempts: number;
  readonly startedMs: number;
  readonly endedMs: number | undefined;
  /** What it was begun with and what came of it. */
  readonly facts: Readonly<Record<string, unknown>>;
}

/** A retraining. */
export interface RunRecord {
  /** The same as that of its decision. */
  readonly id: string;
  readonly model: string;
  readonly state: RunState;
  /** Why it ended as it did; "" before. */
  readonly reason: string;
  /** Labels that the registry had counted when it began. */
  readonly labels: number;
  readonly begunMs: number;
  readonly endedMs: number | undefined;
  readonly steps: readonly StepRecord[];
}

/** An alert as a decision keeps it. */
export type DecidedAlert = Pick<Alert, "name" | "fingerprint" | "startsAt" | "summary">;

/** A decision, and the retraining that began of it. */
export interface DecisionRecord {
  readonly id: string;
  /** "" for alerts about no model. */
  readonly model: string;
  readonly decision: DecisionName;
  /** One sentence. */
  readonly reason: string;
  readonly alerts: readonly DecidedAlert[];
  readonly brakes: readonly Brake[];
  readonly firstMs: number;
  /** The same alerts with the same decision are one record: when they last came, and how often. */
  readonly lastMs: number;
  readonly times: number;
  readonly run: RunRecord | undefined;
}
