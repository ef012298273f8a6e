import { z } from "zod";

/** One replica of `serin serve`, of `GET /api/serin/v1/replicas`. */
export const servingReplicaSchema = z.object({
  replica: z.string(),
  /** Another each time that it starts. */
  incarnation: z.string(),
  /** When its last sync came, milliseconds since the epoch. */
  seenAt: z.number(),
  /** Whether that is recent enough for it to count. */
  live: z.boolean(),
  models: z.array(z.object({
    model: z.string(),
    alias: z.string(),
    held: z.array(z.object({
      version: z.string(),
      /** Loaded and warm in every data isolate. */
      warm: z.boolean(),
      /** Why it cannot be held. */
      error: z.string().optional(),
      /** The error lies in the version itself: trying again will not help. */
      lasting: z.boolean().optional(),
    })),
  })),
});

/** One replica and what it holds. */
export type ServingReplica = z.output<typeof servingReplicaSchema>;

/** The whole answer. */
export const replicasAnswer = z.object({ replicas: z.array(servingReplicaSchema) });
