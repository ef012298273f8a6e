import { z } from "zod";
import { defineCommand } from "../cli/mod.ts";
import { deployAccessOptions, deployReleaseOptions, json } from "./deploy_options.ts";

/** `serin deploy model` */
export const deployModelCommand = defineCommand({
  name: "deploy model",
  summary: "Deploy a version of a model where serin runs already",
  description:
    "Moves the alias that replicas follow, and nothing else: what serves the model, on Kubernetes or " +
    "not, stays as it is. The version becomes champion (every live replica is waited for) or, with " +
    "--canary, challenger (its rollout is waited for until it begins). Needs the registry alone.",
  options: z.strictObject({
    model: z.string().min(1).meta({
      description: "The version",
      placeholder: "models:/NAME/VERSION",
    }),
    canary: z.boolean().default(false).meta({
      description: "Try the version as a canary: a rollout gives it traffic by and by",
    }),
    allowFirst: z.boolean().default(false).meta({
      description: "With --canary: a model without a champion gets the version as its first",
    }),
    force: deployReleaseOptions.force,
    timeoutSeconds: z.number().min(1).max(86_400).default(120).meta({
      description: "How long it may take until replicas have followed",
    }),
    json,
    ...deployAccessOptions,
  }),
  permissions: ["read", "net", "env"],
  examples: [
    "deploy model --model models:/electricity/2 --canary --registry http://localhost:5000",
    "deploy model --model models:/electricity/1 --canary --allow-first",
  ],
  load: () => import("./deploy_model_run.ts"),
});
