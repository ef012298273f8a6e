import { z } from "zod";
import { defineCommand } from "../cli/mod.ts";
import { deployAccessOptions, json } from "./deploy_options.ts";

/** `serin deploy history` */
export const deployHistoryCommand = defineCommand({
  name: "deploy history",
  summary: "List releases and moves of champions, the newest first",
  options: z.strictObject({ json, ...deployAccessOptions }),
  // env: the YAML reader looks for a debugging variable.
  permissions: ["read", "net", "env"],
  examples: ["deploy history"],
  load: () => import("./deploy_history_run.ts"),
});
