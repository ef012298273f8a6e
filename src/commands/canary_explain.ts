import { z } from "zod";
import { defineCommand } from "../cli/mod.ts";
import { rolloutJson, rolloutOptions } from "./registry_options.ts";

/** `serin canary explain` */
export const canaryExplainCommand = defineCommand({
  name: "canary explain",
  summary: "Tell why a rollout went as it did, with the numbers",
  description:
    "What was compared, each metric with its ratio and how sure that is, the evidence against " +
    "the new version beside what was needed, what held the rollout, its steps, and the verdict. " +
    "Without a rollout it is the newest one.",
  positionals: [{ name: "ROLLOUT", summary: "Its id; default the newest", optional: true }],
  options: z.strictObject({
    ...rolloutOptions,
    json: rolloutJson,
  }),
  permissions: ["read", "net"],
  examples: ["canary explain", "canary explain --model electricity --json"],
  load: () => import("./canary_explain_run.ts"),
});
