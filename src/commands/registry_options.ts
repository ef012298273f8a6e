import { z } from "zod";

/** Where `models:/` and `runs:/` of a command line come from. */
export const modelRegistry = z.string().min(1).optional().meta({
  description: "serin registry, or any MLflow server, that models:/ and runs:/ come from",
  placeholder: "URL",
  env: "SERIN_REGISTRY",
});

/** `--registry-token-file`, of every command that has `--registry`. */
export const registryTokenFile = z.string().min(1).optional().meta({
  description: "File that holds the registry's token",
  placeholder: "FILE",
});

/** What gives the registry's token where no file does; of every command that has `--registry`. */
export const registryToken = z.string().optional().meta({
  description: "The registry's token, where --registry-token-file names no file",
  env: ["SERIN_REGISTRY_TOKEN", "MLFLOW_TRACKING_TOKEN"],
  secret: true,
});

/** What the commands that follow or end a rollout have in common. */
export const rolloutOptions = {
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
} as const;

/** `--json` of the commands that print a rollout. */
export const rolloutJson = z.boolean().default(false).meta({
  description: "Print one JSON document: the rollout as the registry has it",
});
