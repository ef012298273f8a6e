import { z } from "zod";
import { defineCommand } from "../cli/mod.ts";
import { rolloutJson, rolloutOptions } from "./registry_options.ts";

/** `serin canary wait` */
export const canaryWaitCommand = defineCommand({
  name: "canary wait",
  summary: "Wait until a rollout has ended, and say by exit code how",
  description:
    "Follows a rollout on stderr. Exit code 0: promoted (or the version is the champion already); " +
    "3: rolled back; 1: inconclusive, aborted, replaced by another, or not ended in time. A rollout " +
    "goes on whether or not anybody waits for it. Without ROLLOUT it is the newest one.",
  positionals: [{ name: "ROLLOUT", summary: "Its id; default the newest", optional: true }],
  options: z.strictObject({
    ...rolloutOptions,
    canary: z.string().min(1).optional().meta({
      description: "The newest rollout of this version",
      placeholder: "models:/NAME/VERSION",
    }),
    timeoutSeconds: z.number().min(0).max(2_592_000).default(7200).meta({
      description: "How long to wait at most",
    }),
    json: rolloutJson,
  }),
  permissions: ["read", "net", "env"],
  examples: [
    "canary wait --model electricity --timeout-seconds 1800",
    "canary wait --canary models:/electricity/3 --json",
  ],
  load: () => import("./canary_wait_run.ts"),
});
