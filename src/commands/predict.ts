import { z } from "zod";
import { defineCommand } from "../cli/mod.ts";
import { modelRegistry, registryToken, registryTokenFile } from "./registry_options.ts";

/** `serin predict` */
export const predictCommand = defineCommand({
  name: "predict",
  summary: "Predict a CSV file's rows with a model, without a server",
  description: "Reads the model's columns out of a CSV file and writes one line of predictions a " +
    "row, in the same order, as `serin serve` would answer them.",
  options: z.strictObject({
    model: z.string().min(1).meta({
      description: "models:/name@alias, models:/name/3, runs:/ID/path, a folder or an .onnx file",
      placeholder: "URI",
    }),
    input: z.string().min(1).meta({
      description: "CSV file with a header; columns that the model does not take are left out",
      placeholder: "FILE",
    }),
    output: z.string().min(1).meta({
      description: "CSV file to write; it appears whole or not at all",
      placeholder: "FILE",
    }),
    registry: modelRegistry,
    registryTokenFile,
    registryToken,
    json: z.boolean().default(false).meta({ description: "Print one JSON document" }),
  }),
  permissions: ["read", "write", "net"],
  examples: ["predict --model model --input data/elec2.csv --output predictions.csv"],
  load: () => import("./predict_run.ts"),
});
