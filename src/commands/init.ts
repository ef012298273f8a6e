import { z } from "zod";
import { defineCommand } from "../cli/mod.ts";

/** `serin init` */
export const initCommand = defineCommand({
  name: "init",
  summary: "Write a model repository: data, specs and the workflow that rolls out",
  description:
    "A folder to push to GitHub: a sample table (put yours in its place), train.yaml, gate.yaml, " +
    "rollout.yaml, and a workflow of the jobs data check, train, gate, register, deploy, smoke, " +
    "rollout and, by hand, rollback, whose every step is one command of serin. The folder must be " +
    "new or empty; it appears whole or not at all. The same name gives the same files.",
  positionals: [{ name: "DIR", summary: "Folder to make" }],
  options: z.strictObject({
    model: z.string().min(1).optional().meta({
      description: "The registered model's name; default the folder's",
      placeholder: "NAME",
    }),
    json: z.boolean().default(false).meta({ description: "Print one JSON document" }),
  }),
  // env: the YAML writer looks for a debugging variable.
  permissions: ["read", "write", "env"],
  examples: ["init parcels", "init ml/models/arrivals --model arrivals"],
  load: () => import("./init_run.ts"),
});
