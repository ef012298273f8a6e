import { z } from "zod";
import { defineCommand } from "../cli/mod.ts";

const time = (description: string) =>
  z.string().min(1).optional().meta({ description, placeholder: "TIME" });

/** `serin predictions export` */
export const predictionsExportCommand = defineCommand({
  name: "predictions export",
  summary: "Write a prediction log as a CSV file that serin train takes",
  description:
    "One line a predicted row, in the order of time: the model's columns, and the label that came " +
    "later. It reads beside the process that writes the log. Labels are joined across all logs that " +
    "are given: those of one replica may have come to another.",
  options: z.strictObject({
    log: z.array(z.string().min(1)).min(1).meta({
      description:
        "Folder of --prediction-log, of serve or retrain serve; may be repeated, one a replica",
      placeholder: "DIR",
    }),
    output: z.string().min(1).meta({
      description: "The CSV file; it is replaced whole or not at all",
      placeholder: "FILE",
    }),
    model: z.string().min(1).optional().meta({
      description: "Registered model; default the only one that the log has",
      placeholder: "NAME",
    }),
    since: time("Rows answered from then on, e.g. 2026-11-24T10:00:00Z, or 6h or 7d ago"),
    until: time("Rows answered before then"),
    labelled: z.boolean().default(false).meta({ description: "Only rows whose label is known" }),
    target: z.string().min(1).default("target").meta({
      description: "What the column with the labels is called",
      placeholder: "COLUMN",
    }),
    json: z.boolean().default(false).meta({ description: "Print one JSON document" }),
  }),
  permissions: ["read", "write"],
  examples: [
    "predictions export --log serin-data/predictions --output fresh.csv --labelled --since 7d",
  ],
  load: () => import("./predictions_export_run.ts"),
});
