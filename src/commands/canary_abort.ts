import { z } from "zod";
import { defineCommand } from "../cli/mod.ts";
import { registryToken, registryTokenFile } from "./registry_options.ts";

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
    registry: z.string().min(1).default("http://localhost:5000").meta({
      description: "serin registry that decides the rollout",
      placeholder: "URL",
      env: "SERIN_REGISTRY",
    }),
    registryTokenFile,
    registryToken,
    model: z.string().min(1).optional().meta({
      description: "The newest rollout of this registered model",
      placeholder: "NAME",
    }),
    canary: z.string().min(1).optional().meta({
      description: "The newest rollout of this version",
      placeholder: "models:/NAME/VERSION",
    }),
    json: z.boolean().default(false).meta({
      description: "Print one JSON document: the rollout as the registry has it",
    }),
  }),
  permissions: ["read", "net", "env"],
  examples: ["canary abort --model electricity", "canary abort --canary models:/electricity/3"],
  load: () => import("./canary_abort_run.ts"),
});
