import { z } from "zod";
import { defineCommand } from "../cli/mod.ts";
import { retrainOptions } from "./retrain_options.ts";

/** `serin retrain approve` */
export const retrainApproveCommand = defineCommand({
  name: "retrain approve",
  summary: "Let a retraining begin that waits for a person",
  positionals: [{ name: "ID", summary: "Its id, as serin retrain history shows it" }],
  options: z.strictObject(retrainOptions),
  permissions: ["read", "net", "env"],
  examples: ["retrain approve t0a1b2c3d4e5f"],
  load: () => import("./retrain_approve_run.ts"),
});
