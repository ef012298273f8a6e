import { parseCommandLine } from "../cli/mod.ts";
import { assertEquals, assertTrue } from "../testing/mod.ts";
import { COMMANDS } from "./mod.ts";

Deno.test("every example in a command's help is a command line of that command", () => {
  for (const { name, examples = [] } of COMMANDS) {
    assertTrue(examples.length > 0, `${name} has an example`);
    for (const example of examples) {
      const parsed = parseCommandLine(COMMANDS, example.split(" "));
      assertEquals(parsed.kind === "run" ? parsed.command.name : parsed.kind, name, example);
    }
  }
});
