import { z } from "zod";
import { defineCommand } from "../cli/mod.ts";
import { retrainOptions } from "./retrain_options.ts";

/** `serin retrain history` */
export const retrainHistoryCommand = defineCommand({
  name: "retrain history",
  summary: "Show what was decided about alerts, and how retrainings ended",
  options: z.strictObject({
    ...retrainOptions,
    model: z.string().min(1).optional().meta({
      description: "Only this registered model's",
      placeholder: "NAME",
    }),
    limit: z.int().min(1).max(1000).default(20).meta({
      description: "Most decisions, the newest",
      placeholder: "N",
    }),
    json: z.boolean().default(false).meta({ description: "Print one JSON document" }),
  }),
  permissions: ["read", "net", "env"],
  examples: ["retrain history --model electricity --limit 5"],
  load: () => import("./retrain_history_run.ts"),
});
