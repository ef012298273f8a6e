import { z } from "zod";
import { defineCommand } from "../cli/mod.ts";

/** `serin demo` */
export const demoCommand = defineCommand({
  name: "demo",
  summary: "See it all work on real data: train, register, serve, promote, roll back",
  description:
    "Trains a model on the early weeks of electricity market data, registers and serves " +
    "it, replays the following weeks as live requests with late labels, rolls out a fresher version " +
    "by shares until it is promoted, and one with a broken feature pipeline until it is rolled " +
    "back. Everything runs here: no server, no account, no download.",
  options: z.strictObject({
    keep: z.boolean().default(false).meta({
      description: "Leave everything running at the end, until Ctrl-C",
    }),
    json: z.boolean().default(false).meta({
      description: "Print the outcome as one JSON document",
    }),
    rate: z.int().min(50).max(100_000).default(800).meta({
      description: "Live requests a second, at most",
    }),
    workers: z.int().min(1).max(64).default(1).meta({
      description: "Data isolates of the inference server",
    }),
  }),
  permissions: ["read", "write", "net"],
  examples: ["demo", "demo --keep"],
  load: () => import("./demo_run.ts"),
});
