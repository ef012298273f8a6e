import { z } from "zod";

/** One move of an alias, of `GET /api/serin/v1/models/NAME/history`. */
export const aliasChangeSchema = z.object({
  alias: z.string(),
  /** The version that it points at since; null when it was removed. */
  version: z.string().nullable(),
  /** The version before; null when the alias was new. */
  previous: z.string().nullable(),
  /** Milliseconds since the epoch. */
  time: z.number(),
  /**
   * "api" (somebody's request), "promotion", "rollback", "abort" or "rollout" (a rollout that was begun
   * by hand); "version_deletion", "model_deletion", "rename". More may come.
   */
  cause: z.string(),
  /** The rollout that moved it; null where none did. */
  rollout: z.string().nullable().default(null),
});

/** One move of an alias. */
export type AliasChange = z.output<typeof aliasChangeSchema>;

/** The whole answer. */
export const aliasChangesAnswer = z.object({ changes: z.array(aliasChangeSchema) });
