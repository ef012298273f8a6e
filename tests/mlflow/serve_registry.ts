/** Runs `serin registry` from its sources: `deno run -A serve_registry.ts --data DIR --port 0`. */
import { runCommandLine } from "../../src/cli/mod.ts";
import { registryCommand } from "../../src/commands/registry.ts";

Deno.exit(
  await runCommandLine([registryCommand] as never, {
    argv: ["registry", ...Deno.args],
    env: (name) => Deno.env.get(name),
    print: (line) => console.log(line),
    printError: (line) => console.error(line),
    interactive: false,
  }),
);
