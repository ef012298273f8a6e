import { z } from "zod";
import { defineCommand } from "../cli/mod.ts";
import { deployAccessOptions, json } from "./deploy_options.ts";

/** `serin deploy status` */
export const deployStatusCommand = defineCommand({
  name: "deploy status",
  summary: "Show how an installation on Kubernetes is; exit code 1 if not well",
  options: z.strictObject({ json, ...deployAccessOptions }),
  // env: the YAML reader looks for a debugging variable.
  permissions: ["read", "net", "env"],
  examples: ["deploy status", "deploy status --namespace serin --json"],
  load: () => import("./deploy_status_run.ts"),
});
