import { z } from "zod";
import { defineCommand } from "../cli/mod.ts";

/** `serin version` */
export const versionCommand = defineCommand({
  name: "version",
  summary: "Print the version of serin and of what it stands on",
  options: z.strictObject({
    json: z.boolean().default(false).meta({ description: "Print one JSON document" }),
  }),
  permissions: [],
  examples: ["version", "version --json"],
  load: () => import("./version_run.ts"),
});
