import { z } from "zod";
import { defineCommand } from "../cli/mod.ts";
import { retrainOptions } from "./retrain_options.ts";

/** `serin retrain explain` */
export const retrainExplainCommand = defineCommand({
  name: "retrain explain",
  summary: "Say why alerts did or did not begin a retraining, and what came of it",
  positionals: [{ name: "ID", summary: "A decision's id, as serin retrain history shows it" }],
  options: z.strictObject({
    ...retrainOptions,
    json: z.boolean().default(false).meta({ description: "Print one JSON document" }),
  }),
  permissions: ["read", "net", "env"],
  examples: ["retrain explain t0a1b2c3d4e5f"],
  load: () => import("./retrain_explain_run.ts"),
});
