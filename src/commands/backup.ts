import { z } from "zod";
import { defineCommand } from "../cli/mod.ts";

/** `serin backup` */
export const backupCommand = defineCommand({
  name: "backup",
  summary: "Save a registry's data folder as one tar archive, while the registry runs",
  description:
    "The state of one moment: the database and every file that it names, each checked against its " +
    "digest, with a manifest before them. `serin restore` reads it. The registry goes on meanwhile; " +
    "the disk of its files must have half as much again free as the database has. Files that clients write " +
    "themselves (--default-artifact-root) are not in it. Keep the archive as secret as the database.",
  options: z.strictObject({
    data: z.string().min(1).default("serin-data").meta({
      description: "Data folder of the registry",
      placeholder: "DIR",
    }),
    artifactsDestination: z.string().min(1).optional().meta({
      description: "Folder of its files, where the registry has the option of this name",
      placeholder: "DIR",
    }),
    output: z.string().min(1).optional().meta({
      description: "The archive, replaced whole or not at all; default stdout",
      placeholder: "FILE",
    }),
    withTokens: z.boolean().default(false).meta({
      description: "Also the tokens that the registry made in its data folder",
    }),
  }),
  // `sys` tells how much of the disk is free.
  permissions: ["read", "write", "sys"],
  examples: [
    "backup --data /var/lib/serin --output serin-backup.tar",
    "backup --data serin-data --artifacts-destination /mnt/files --output serin-backup.tar",
  ],
  load: () => import("./backup_run.ts"),
});
