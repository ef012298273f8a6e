/** The command line: a zod object per command is the only declaration of its options. */
export { type Command, type CommandContext, type CommandModule, defineCommand } from "./command.ts";
export type { Positional } from "./command.ts";
export { type Host, runCommandLine } from "./main_loop.ts";
export { type OptionSpec, optionSpecs } from "./option_spec.ts";
export { parseCommandLine, type Parsed } from "./parse.ts";
export { openProgress, type Progress } from "./progress.ts";
export { formatTable } from "./table.ts";
