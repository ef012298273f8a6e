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
