import { z } from "zod";
import { defineCommand } from "../cli/mod.ts";
import { registryToken, registryTokenFile } from "./registry_options.ts";

/** `serin canary plan` */
export const canaryPlanCommand = defineCommand({
  name: "canary plan",
  summary: "Set how a model's versions are rolled out, from a checked file",
  description:
    "Reads rollout.yaml, reports every problem in it with its line, and makes it the registered " +
    "model's tag serin.rollout_plan. It counts from the next rollout on. Without --model the file " +
    "is only checked.",
  options: z.strictObject({
    file: z.string().min(1).meta({
      description: "rollout.yaml: steps, margins, how sure to be; every value has a default",
      placeholder: "FILE",
    }),
    model: z.string().min(1).optional().meta({
      description: "Registered model that gets the plan",
      placeholder: "NAME",
    }),
    registry: z.string().min(1).default("http://localhost:5000").meta({
      description: "serin registry that has the model",
      placeholder: "URL",
      env: "SERIN_REGISTRY",
    }),
    registryTokenFile,
    registryToken,
    json: z.boolean().default(false).meta({
      description: "Print one JSON document: the plan with its defaults",
    }),
  }),
  // env: the YAML parser looks for a debugging variable.
  permissions: ["read", "net", "env"],
  examples: [
    "canary plan --file rollout.yaml",
    "canary plan --model electricity --file rollout.yaml",
  ],
  load: () => import("./canary_plan_run.ts"),
});
