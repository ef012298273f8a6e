import { z } from "zod";
import { defineCommand } from "../cli/mod.ts";
import { deployAccessOptions, deployReleaseOptions, json } from "./deploy_options.ts";

/** `serin deploy apply` */
export const deployApplyCommand = defineCommand({
  name: "deploy apply",
  summary: "Install or update serin on Kubernetes, and deploy a model's version",
  description:
    "Checks every object by dry run, then applies them server-side, records the release, " +
    "waits until everything is healthy and removes what is no longer wanted. Makes the Secret " +
    "serin-tokens where it is missing. With --model, the version then becomes champion (every live " +
    "replica is waited for) or, with --canary, challenger.",
  options: z.strictObject({
    ...deployReleaseOptions,
    timeoutSeconds: z.number().min(1).max(86_400).default(120).meta({
      description: "How long it may take until everything is healthy",
    }),
    json,
    ...deployAccessOptions,
  }),
  // env: the YAML reader looks for a debugging variable.
  permissions: ["read", "net", "env"],
  examples: [
    "deploy apply --overlay dev --set image=registry.example/serin:1.0.0",
    "deploy apply --overlay dev --model models:/electricity/2 --canary",
  ],
  load: () => import("./deploy_apply_run.ts"),
});
