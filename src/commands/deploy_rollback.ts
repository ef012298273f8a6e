import { z } from "zod";
import { defineCommand } from "../cli/mod.ts";
import { deployAccessOptions, json } from "./deploy_options.ts";

/** `serin deploy rollback` */
export const deployRollbackCommand = defineCommand({
  name: "deploy rollback",
  summary: "Go back to the version that was champion before, or to an earlier release",
  description:
    "Of a model: ends a rollout of it that is under way, makes the version champion that " +
    "was it before, and waits until every live replica serves it. With --release: applies the " +
    "objects of an earlier release again, as a new release.",
  positionals: [{
    name: "N",
    summary: "With --release: its number (default: the healthy one before)",
    optional: true,
  }],
  options: z.strictObject({
    model: z.string().min(1).optional().meta({
      description: "Registered model (default: the only one)",
      placeholder: "NAME",
    }),
    to: z.string().regex(/^[1-9]\d*$/, "must be a version's number").optional().meta({
      description: "Version of the model (default: the one that was champion before)",
      placeholder: "VERSION",
    }),
    release: z.boolean().default(false).meta({
      description: "Go back to an earlier release instead of an earlier version of a model",
    }),
    forceConflicts: z.boolean().default(false).meta({
      description: "With --release: take over fields that others manage",
    }),
    timeoutSeconds: z.number().min(1).max(86_400).optional().meta({
      description: "How long it may take (default: 10, with --release 120)",
    }),
    json,
    ...deployAccessOptions,
  }),
  // env: the YAML reader looks for a debugging variable.
  permissions: ["read", "net", "env"],
  examples: [
    "deploy rollback",
    "deploy rollback --model electricity --to 3",
    "deploy rollback --release",
    "deploy rollback --release 4",
  ],
  load: () => import("./deploy_rollback_run.ts"),
});
