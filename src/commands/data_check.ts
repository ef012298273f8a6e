import { z } from "zod";
import { defineCommand } from "../cli/mod.ts";
import { DATA_LIMITS } from "../datacheck/mod.ts";
import { dataOptions } from "./data_options.ts";
import { modelRegistry, registryToken, registryTokenFile } from "./registry_options.ts";

const share = (description: string, fallback: number) =>
  z.number().min(0).max(1).default(fallback).meta({ description, placeholder: "SHARE" });
const rows = (description: string, fallback: number) =>
  z.int().min(1).default(fallback).meta({ description, placeholder: "N" });

/** `serin data check` */
export const dataCheckCommand = defineCommand({
  name: "data check",
  summary: "Check a CSV file before it is trained on",
  description:
    "Looks for enough rows, rows that repeat, a target that is there, whole and not always the same, " +
    "features that are numbers and mostly there, and, with --reference, for the columns, the share " +
    "of missing values and the ranges that the last model was trained on. Exit code 0: fit; 3: not; " +
    "1: it could not be checked.",
  options: z.strictObject({
    data: z.string().min(1).meta({
      description: "CSV file with a header line, or its http(s) address",
      placeholder: "FILE|URL",
    }),
    ...dataOptions,
    spec: z.string().min(1).optional().meta({
      description: "train.yaml: target, objective, ignored columns",
      placeholder: "FILE",
    }),
    target: z.string().min(1).optional().meta({
      description: "The column to predict; default the one of train.yaml",
      placeholder: "COLUMN",
    }),
    reference: z.string().min(1).optional().meta({
      description: "The last model: models:/name@champion, models:/name/3 or a model folder",
      placeholder: "URI",
    }),
    allowFirst: z.boolean().default(false).meta({
      description: "Do without the reference where the registry has no such version yet",
    }),
    registry: modelRegistry,
    registryTokenFile,
    registryToken,
    rowsMin: rows("Rows that are needed", DATA_LIMITS.rowsMin),
    classRowsMin: rows("Rows of the rarer class that are needed", DATA_LIMITS.classRowsMin),
    missingMax: share("Share of a column that may be missing", DATA_LIMITS.missingMax),
    missingRiseMax: share(
      "By how much that may be above the reference's",
      DATA_LIMITS.missingRiseMax,
    ),
    outOfRangeMax: share(
      "Share of a column's values that may be outside the reference's range",
      DATA_LIMITS.outOfRangeMax,
    ),
    duplicatesMax: share("Share of rows that may repeat", DATA_LIMITS.duplicatesMax),
    json: z.boolean().default(false).meta({ description: "Print one JSON document" }),
    junit: z.string().min(1).optional().meta({
      description: "Write JUnit XML, one test case a check",
      placeholder: "FILE",
    }),
  }),
  // env: the YAML parser looks for a debugging variable.
  permissions: ["read", "write", "net", "env"],
  examples: [
    "data check --data data/elec2.csv --target target",
    "data check --data data/train.csv --spec train.yaml --reference models:/prices@champion " +
    "--allow-first --registry http://localhost:5000 --junit data.xml",
  ],
  load: () => import("./data_check_run.ts"),
});
