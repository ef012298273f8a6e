import { z } from "zod";
import { defineCommand } from "../cli/mod.ts";
import { dataOptions } from "./data_options.ts";
import { modelRegistry, registryToken, registryTokenFile } from "./registry_options.ts";

/** `serin gate` */
export const gateCommand = defineCommand({
  name: "gate",
  summary: "Judge a candidate: limits, and a paired test against the champion",
  description:
    "Both models answer the same rows. Exit code 0: passed; 3: refused; 1: the rows do " +
    "not tell (the test set is too small), or something failed. A candidate of a registry gets the " +
    "result as tags (serin.gate, serin.gate_report).",
  options: z.strictObject({
    candidate: z.string().min(1).meta({
      description: "models:/name/3, models:/name@alias, runs:/ID/path, a folder or an .onnx file",
      placeholder: "URI",
    }),
    champion: z.string().min(1).optional().meta({
      description: "What it must not be worse than; without it the limits of the spec count alone",
      placeholder: "URI",
    }),
    allowFirst: z.boolean().default(false).meta({
      description: "Where the registry has no such champion yet, the limits alone count",
    }),
    data: z.string().min(1).meta({
      description:
        "CSV file with the target, or its http(s) address: rows that neither model has " +
        "learned from",
      placeholder: "FILE|URL",
    }),
    ...dataOptions,
    rows: z.string().regex(/^\d+-\d+$/, "must be two row numbers, e.g. 30000-45312").optional()
      .meta({
        description: "Use these data rows only: from A (counted from 0) to before B",
        placeholder: "A-B",
      }),
    spec: z.string().min(1).optional().meta({
      description: "gate.yaml: limits, margins, slices, budgets; every value has a default",
      placeholder: "FILE",
    }),
    target: z.string().min(1).optional().meta({
      description:
        "The column with the truth; default the one of gate.yaml, else the one that the " +
        "candidate was trained for",
      placeholder: "COLUMN",
    }),
    registry: modelRegistry,
    registryTokenFile,
    registryToken,
    json: z.boolean().default(false).meta({ description: "Print one JSON document" }),
    junit: z.string().min(1).optional().meta({
      description: "Write JUnit XML, one test case a check",
      placeholder: "FILE",
    }),
    markdown: z.string().min(1).optional().meta({
      description: "Write Markdown for a pull request's comment",
      placeholder: "FILE",
    }),
    verdict: z.string().min(1).optional().meta({
      description: "Write what `serin register --verdict` records with the version",
      placeholder: "FILE",
    }),
    forceReason: z.string().trim().min(3).max(500).optional().meta({
      description: "Let it through whatever comes out; the reason is recorded with the result",
      placeholder: "TEXT",
    }),
  }),
  // env: the YAML parser looks for a debugging variable.
  permissions: ["read", "write", "net", "env"],
  examples: [
    "gate --candidate model --champion old --data data/elec2.csv --rows 30000-45312",
    "gate --candidate models:/prices/3 --champion models:/prices@champion --data holdout.csv " +
    "--spec gate.yaml --registry http://localhost:5000 --junit gate.xml --markdown gate.md",
  ],
  load: () => import("./gate_run.ts"),
});
