import { z } from "zod";
import { double, int64, keyValue, text } from "./scalars.ts";

/** What the client reads of MLflow's answers. Unknown fields are ignored. */

export const experimentAnswer = z.object({
  experiment_id: text,
  name: text,
  artifact_location: text.default(""),
  lifecycle_stage: text.default("active"),
});

export const runAnswer = z.object({
  info: z.object({
    run_id: text,
    run_name: text.default(""),
    experiment_id: text,
    status: text.default("RUNNING"),
    artifact_uri: text.default(""),
  }),
  data: z.object({
    metrics: z.array(z.object({
      key: text,
      value: double.default(0),
      timestamp: int64.default(0),
      step: int64.default(0),
    })).default([]),
    params: z.array(keyValue).default([]),
    tags: z.array(keyValue).default([]),
  }).default({ metrics: [], params: [], tags: [] }),
});

export const versionAnswer = z.object({
  name: text,
  version: text,
  creation_timestamp: int64.default(0),
  source: text.default(""),
  run_id: text.default(""),
  current_stage: text.default("None"),
  description: text.optional(),
  status: text.default("READY"),
  tags: z.array(keyValue).default([]),
  aliases: z.array(text).default([]),
});

export const modelAnswer = z.object({
  name: text,
  description: text.default(""),
  tags: z.array(keyValue).default([]),
  aliases: z.array(z.object({ alias: text, version: text })).default([]),
  latest_versions: z.array(versionAnswer).default([]),
});

export const filesAnswer = z.object({
  files: z.array(z.object({
    path: text,
    is_dir: z.boolean().default(false),
    file_size: int64.optional(),
  })).default([]),
});
