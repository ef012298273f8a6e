import { z } from "zod";
import { defineCommand } from "../cli/mod.ts";

/** `serin restore` */
export const restoreCommand = defineCommand({
  name: "restore",
  summary: "Make a registry's data folder from what serin backup saved, or check it",
  description:
    "Every byte is checked: manifest, digests, the database's integrity, and that this serin knows " +
    "its schema. The folder must be empty, and is filled whole or not at all; a registry does not " +
    "open it before.",
  options: z.strictObject({
    input: z.string().min(1).meta({
      description: "The archive, - for stdin",
      placeholder: "FILE",
    }),
    data: z.string().min(1).optional().meta({
      description: "Data folder, empty or not there yet",
      placeholder: "DIR",
    }),
    artifactsDestination: z.string().min(1).optional().meta({
      description: "Empty folder for the files (default DATA/artifacts)",
      placeholder: "DIR",
    }),
    check: z.boolean().default(false).meta({
      description: "Only check the archive, to its end; nothing is restored",
    }),
  }),
  permissions: ["read", "write", "env"],
  examples: [
    "restore --input serin-backup.tar --data serin-data",
    "restore --input serin-backup.tar --check",
  ],
  load: () => import("./restore_run.ts"),
});
