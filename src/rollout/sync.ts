import { z } from "zod";

/**
 * The sync: the one channel between serving replicas and the registry (docs/architecture.md, "Sync").
 * A replica sends what it holds and its cumulative counts; the answer says what to hold, the shares
 * and the token keys. Totals only ever grow within one incarnation of a replica, so a lost answer, a
 * retry or an outage counts nothing twice.
 */

/** What is counted for each (rollout, step, arm). All are numbers of assignments, never of rows. */
export const COUNTED = [
  /** Assignments that were answered or failed (the caller's own faults, 4xx, are left out). */
  "requests",
  /** 5xx, time-out, a non-finite or missing output, cut off by an isolate's death. */
  "errors",
  /** Assignments answered while latency levels were fixed. */
  "latency_measured",
  /** Of those: slower than (1 + relative) × level + absolute, for the stable version's p90, p95, p99. */
  "latency_p90",
  "latency_p95",
  "latency_p99",
  /** Data isolates that died or hung with an unfinished request of this arm. */
  "isolate_deaths",
] as const;

/** A name of {@linkcode COUNTED}. */
export type Counted = typeof COUNTED[number];

/** The two versions of a rollout. */
export const ARMS = ["stable", "canary"] as const;

/** Which of the two versions answered. */
export type Arm = typeof ARMS[number];

const name = z.string().min(1).max(255);

/** `POST /api/serin/v1/sync`, the body. */
export const syncRequestSchema = z.strictObject({
  /** The replica's stable name (a pod's name). */
  replica: z.string().min(1).max(128),
  /** New at each start of the process: totals begin again with it. */
  incarnation: z.string().min(1).max(64),
  /** Grows by one with each sync of an incarnation; an older one is not counted. */
  sequence: z.int().min(0),
  /** The registered models that it serves by alias. */
  models: z.array(z.strictObject({
    model: name,
    /** The alias that it was started with, champion as a rule. */
    alias: name,
    /** The versions that it has on disk. */
    held: z.array(z.strictObject({
      version: z.string().max(32),
      /** Every data isolate has loaded it and run it. */
      warm: z.boolean(),
      /** Why it cannot be served, if it cannot. */
      error: z.string().max(2000).optional(),
      /** The error lies in the version itself: trying again will not help. */
      lasting: z.boolean().optional(),
    })).max(16),
  })).max(256),
  /** Cumulative totals of this incarnation. */
  counts: z.array(z.strictObject({
    rollout: z.string().max(64),
    step: z.int().min(0).max(63),
    arm: z.enum(ARMS),
    totals: z.partialRecord(z.enum(COUNTED), z.int().min(0)),
  })).max(1024),
  /** The last sync of this incarnation: from now on the replica is not live. */
  leaving: z.boolean().optional(),
});

/** A parsed sync request. */
export type SyncRequest = z.infer<typeof syncRequestSchema>;

/** The traffic split of one model, as replicas apply it. */
export const assignmentSchema = z.object({
  rollout: z.string(),
  /** Version numbers of the two arms. */
  stable: z.string(),
  canary: z.string(),
  step: z.int(),
  /** Of traffic, 0 to 1, that the canary gets now. */
  share: z.number().min(0).max(1),
  /** For keyed routing: canary iff hash(rollout, key) < share. */
  salt: z.string(),
  /** Latency events: slower than (1 + relative) × level + absoluteMs. */
  latencyTolerance: z.object({ relative: z.number(), absoluteMs: z.number() }),
});

/** A parsed {@linkcode assignmentSchema}. */
export type Assignment = z.infer<typeof assignmentSchema>;

/** The answer of a sync. */
export const syncAnswerSchema = z.object({
  /** The request's sequence: its counts are on disk. */
  acknowledged: z.int(),
  models: z.array(z.object({
    model: z.string(),
    alias: z.string(),
    /** What the alias points at; null where the alias or the model is not there. */
    stable: z.string().nullable(),
    /** Versions to hold and keep warm, the stable one included. */
    hold: z.array(z.string()),
    assignment: assignmentSchema.nullable(),
  })),
  /** Keys that seal prediction tokens, base64; the first seals, all open. */
  tokenKeys: z.array(z.object({ id: z.string(), key: z.string() })).min(1),
  /** When to sync next, milliseconds. */
  intervalMs: z.number(),
});

/** A parsed sync answer. */
export type SyncAnswer = z.infer<typeof syncAnswerSchema>;

/** `POST /v1/labels`, the body. */
export const labelsRequestSchema = z.strictObject({
  labels: z.array(z.strictObject({
    /** The answer's X-Serin-Prediction. */
    prediction: z.string().min(1).max(1024),
    /** Which row of that request; default 0. */
    row: z.int().min(0).default(0),
    /** What was true. */
    label: z.union([
      z.string().max(1000).refine((text) => !text.includes("\0"), "must have no NUL"),
      z.number(),
      z.boolean(),
    ]),
    /** When the truth was known, RFC 3339; default now. */
    time: z.iso.datetime({ offset: true }).optional(),
  })),
});

/** A parsed labels request. */
export type LabelsRequest = z.infer<typeof labelsRequestSchema>;

/** Why a label was refused. */
export const LABEL_REFUSALS = [
  "invalid_token",
  "unknown_key",
  "expired",
  "row_out_of_range",
  "no_prediction",
  "no_class",
  "already_labelled",
] as const;

/** What can come of a label, and of a request of them that is refused whole. */
export const LABEL_OUTCOMES = [
  "accepted",
  ...LABEL_REFUSALS,
  ...["invalid_input", "too_large", "unavailable"],
] as const;

/** The answer to labels: each refused one with its place and reason. */
export interface LabelsAnswer {
  accepted: number;
  refused: { index: number; code: typeof LABEL_REFUSALS[number]; message: string }[];
}

/** What a serving replica needs of a registry: over HTTP, or in the same process. */
export interface SyncPeer {
  /** @throws SerinError `unavailable` when out of reach */
  sync(request: SyncRequest): Promise<SyncAnswer>;
  /**
   * @param body the JSON that the request was read from, where there is one: to be sent on as it came
   * @throws SerinError `unavailable` when out of reach
   */
  labels(request: LabelsRequest, body?: Uint8Array<ArrayBuffer>): Promise<LabelsAnswer>;
}
