import { z } from "zod";
import { defineCommand } from "../cli/mod.ts";
import { deployAccessOptions, deployReleaseOptions, json } from "./deploy_options.ts";

/** `serin deploy plan` */
export const deployPlanCommand = defineCommand({
  name: "deploy plan",
  summary: "Show what `deploy apply` would change in the cluster",
  description:
    "Renders the manifests and has the API server try them (server-side apply, dry run): " +
    "each object is created, changed (field by field), unchanged, removed, or refused with the " +
    "reason. Writes nothing. Exit code 1 where `deploy apply` would refuse.",
  options: z.strictObject({ ...deployReleaseOptions, json, ...deployAccessOptions }),
  // env: the YAML reader looks for a debugging variable.
  permissions: ["read", "net", "env"],
  examples: [
    "deploy plan --overlay dev --set image=registry.example/serin:1.0.0",
    "deploy plan --model models:/electricity/2 --canary --json",
  ],
  load: () => import("./deploy_plan_run.ts"),
});
