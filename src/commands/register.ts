import { z } from "zod";
import { defineCommand } from "../cli/mod.ts";
import { registryToken, registryTokenFile } from "./registry_options.ts";

/** `serin register` */
export const registerCommand = defineCommand({
  name: "register",
  summary: "Make a trained model a version of a registered model, with its gate's verdict",
  description:
    "Takes the folder that `serin train --registry` wrote; its files are on the registry already, " +
    "with the run that made them. With --verdict the version is born with the gate's tags, and a " +
    "model that was refused is none (exit code 3). A run that is a version already stays that one.",
  options: z.strictObject({
    model: z.string().min(1).meta({
      description: "Model folder of a run that was recorded on this registry",
      placeholder: "DIR",
    }),
    name: z.string().min(1).meta({
      description: "Registered model; made where it is missing",
      placeholder: "NAME",
    }),
    verdict: z.string().min(1).optional().meta({
      description: "File of `serin gate --verdict` about this model",
      placeholder: "FILE",
    }),
    tag: z.array(z.string().regex(/^[^=]+=/, "must be KEY=VALUE")).default([]).meta({
      description: "A further tag of the version",
      placeholder: "KEY=VALUE",
    }),
    registry: z.string().min(1).default("http://localhost:5000").meta({
      description: "serin registry, or any MLflow server, that has the run",
      placeholder: "URL",
      env: "SERIN_REGISTRY",
    }),
    registryTokenFile,
    registryToken,
    outputs: z.string().min(1).optional().meta({
      description:
        "Append version=… and model_uri=… to this file, as GitHub's $GITHUB_OUTPUT wants",
      placeholder: "FILE",
    }),
    json: z.boolean().default(false).meta({ description: "Print one JSON document" }),
  }),
  // env: the YAML parser looks for a debugging variable.
  permissions: ["read", "write", "net", "env"],
  examples: [
    "register --model model --name electricity --verdict verdict.json",
    "register --model model --name electricity --tag mlflow.source.git.commit=4f2a --json",
  ],
  load: () => import("./register_run.ts"),
});
