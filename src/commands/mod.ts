import type { Command } from "../cli/mod.ts";
import { versionCommand } from "./version.ts";

/** Every command of serin, in the order of the help. */
export const COMMANDS: readonly Command[] = [
  versionCommand,
] as unknown as readonly Command[];
