import { z } from "zod";
import { defineCommand } from "../cli/mod.ts";
import { rolloutJson, rolloutOptions } from "./registry_options.ts";

/** `serin canary abort` */
export const canaryAbortCommand = defineCommand({
  name: "canary abort",
  summary: "End a rollout that is under way: all traffic goes to the champion",
  description:
    "The version stays registered and the champion stays what it is. Without ROLLOUT it is the one " +
    "under way of --model, or of the version --canary. One that has ended already is told, exit " +
    "code 1.",
  positionals: [{ name: "ROLLOUT", summary: "Its id", optional: true }],
  options: z.strictObject({
    ...rolloutOptions,
    canary: z.string().min(1).optional().meta({
      description: "The newest rollout of this version",
      placeholder: "models:/NAME/VERSION",
    }),
    json: rolloutJson,
  }),
  permissions: ["read", "net", "env"],
  examples: ["canary abort --model electricity", "canary abort --canary models:/electricity/3"],
  load: () => import("./canary_abort_run.ts"),
});
