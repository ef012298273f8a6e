/**
 * serin's entry point: reads the command line and loads only the command that it names.
 *
 * @module
 */
import { runCommandLine } from "./src/cli/mod.ts";
import { COMMANDS } from "./src/commands/mod.ts";

if (import.meta.main) {
  const code = await runCommandLine(COMMANDS, {
    argv: Deno.args,
    env: (name) => Deno.env.get(name),
    print: (line) => console.log(line),
    printError: (line) => console.error(line),
    interactive: Deno.stderr.isTerminal() && !Deno.noColor,
  });
  Deno.exit(code);
}
