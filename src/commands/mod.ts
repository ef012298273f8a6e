import type { Command } from "../cli/mod.ts";
import { canaryExplainCommand } from "./canary_explain.ts";
import { canaryReplayCommand } from "./canary_replay.ts";
import { demoCommand } from "./demo.ts";
import { manifestsRenderCommand } from "./manifests_render.ts";
import { predictCommand } from "./predict.ts";
import { registryCommand } from "./registry.ts";
import { serveCommand } from "./serve.ts";
import { trainCommand } from "./train.ts";
import { versionCommand } from "./version.ts";

/** Every command of serin, in the order of the help. */
export const COMMANDS = [
  demoCommand,
  trainCommand,
  registryCommand,
  serveCommand,
  predictCommand,
  canaryExplainCommand,
  canaryReplayCommand,
  manifestsRenderCommand,
  versionCommand,
] as unknown as readonly Command[];
