import { z } from "zod";
import { defineCommand } from "../cli/mod.ts";
import { dataOptions } from "./data_options.ts";
import { registryToken, registryTokenFile } from "./registry_options.ts";

/** `serin train` */
export const trainCommand = defineCommand({
  name: "train",
  summary: "Train a model from a CSV file and write it as an MLflow folder",
  description:
    "Gradient-boosted trees with calibrated probabilities, in one ONNX graph that takes " +
    "the raw columns. The same data and train.yaml give the same model.onnx, byte for byte. The " +
    "model is written only when onnxruntime answers as the trainer does.",
  options: z.strictObject({
    data: z.string().min(1).meta({
      description: "CSV file with a header line, or its http(s) address",
      placeholder: "FILE|URL",
      env: "SERIN_TRAIN_DATA",
    }),
    ...dataOptions,
    target: z.string().min(1).optional().meta({
      description: "The column to predict; default the one of train.yaml",
      placeholder: "COLUMN",
      env: "SERIN_TRAIN_TARGET",
    }),
    spec: z.string().min(1).optional().meta({
      description: "train.yaml: objective, split, trees, calibration; every value has a default",
      placeholder: "FILE",
    }),
    rows: z.string().regex(/^\d+-\d+$/, "must be two row numbers, e.g. 0-8736").optional().meta({
      description: "Use these data rows only: from A (counted from 0) to before B",
      placeholder: "A-B",
    }),
    out: z.string().min(1).meta({
      description: "Folder that the model is written to; it appears whole or not at all",
      placeholder: "DIR",
    }),
    overwrite: z.boolean().default(false).meta({
      description: "Replace the folder where it is there already",
    }),
    registry: z.string().min(1).optional().meta({
      description: "MLflow-compatible server that the run is recorded on",
      placeholder: "URL",
      env: "SERIN_REGISTRY",
    }),
    registryTokenFile,
    registryToken,
    registryWaitSeconds: z.number().min(0).max(3600).default(30).meta({
      description: "How long to wait for a server that accepts no connections yet",
      placeholder: "S",
    }),
    experiment: z.string().min(1).optional().meta({
      description: "Experiment of the run; default the one of train.yaml",
      placeholder: "NAME",
    }),
    register: z.string().min(1).optional().meta({
      description: "Make the model a version of this registered model (needs --registry)",
      placeholder: "NAME",
    }),
    tag: z.array(z.string().regex(/^[^=]+=/, "must be KEY=VALUE")).default([]).meta({
      description: "A further tag of the run, and of the version",
      placeholder: "KEY=VALUE",
    }),
    json: z.boolean().default(false).meta({ description: "Print one JSON document" }),
  }),
  // env: the YAML parser looks for a debugging variable.
  permissions: ["read", "write", "net", "env"],
  examples: [
    "train --data data/elec2.csv --target target --out model",
    "train --data data/elec2.csv --spec train.yaml --rows 0-8736 --out model --json",
    "train --data https://host/rows.csv --data-token-file token --target target --out model",
  ],
  load: () => import("./train_run.ts"),
});
