import { z } from "zod";
import { defineCommand } from "../cli/mod.ts";

/** `serin canary replay` */
export const canaryReplayCommand = defineCommand({
  name: "canary replay",
  summary: "Replay recorded or generated traffic through the rollout rules",
  description: "Prints one JSON line a run: what was decided, when, and after how many canary " +
    "requests. The same file, scenario and run give the same line on every machine.",
  options: z.strictObject({
    scenarios: z.string().min(1).optional().meta({
      description: "Scenario file (serin-canary-scenarios/1)",
      placeholder: "FILE",
    }),
    scenario: z.string().min(1).optional().meta({
      description: "One scenario of the file; default all of them",
      placeholder: "NAME",
    }),
    runs: z.string().optional().meta({
      description: "First and last run, e.g. 0-9",
      placeholder: "A-B",
    }),
    mode: z.enum(["request", "block"]).default("request").meta({
      description: "Compare requests, or blocks of seconds against a control group",
    }),
    csv: z.string().min(1).optional().meta({
      description: "Replay a recorded stream (t,a,err_s,err_c,lat_s_us,lat_c_us[,…]) instead",
      placeholder: "FILE",
    }),
  }),
  permissions: ["read"],
  examples: [
    "canary replay --scenarios scenarios.json --scenario err_10pct_20rps --runs 0-9",
    "canary replay --csv stream.csv",
  ],
  load: () => import("./canary_replay_run.ts"),
});
