import { parseCommandLine } from "../cli/mod.ts";
import { modelRepository, modelWorkflow } from "../starter/mod.ts";
import { assertEquals, assertTrue } from "../testing/mod.ts";
import { COMMANDS } from "./mod.ts";

/** Reads a line of a shell as far as quotes go; variables stay as they are written. */
function wordsOf(line: string): string[] {
  const words = line.replaceAll("\\\n", " ").replace(/ &$/, "").match(/(?:[^\s"]|"[^"]*")+/g) ?? [];
  return words.map((word) => word.replaceAll('"', ""));
}

function check(line: string): void {
  const [program, ...argv] = wordsOf(line);
  assertEquals(program, "serin", line);
  // Of a version that may be left out.
  const given = argv.filter((word) => !word.startsWith("${"));
  const env = (name: string) => name === "SERIN_REGISTRY" ? "http://localhost:5000" : undefined;
  assertEquals(parseCommandLine(COMMANDS, given, env).kind, "run", line);
}

Deno.test("every step of the workflow is a command line that serin takes", () => {
  const jobs = Object.values(modelWorkflow("parcels").jobs);
  const lines = jobs.flatMap(({ steps }) => steps.flatMap(({ run }) => run ?? []));
  assertEquals(lines.length, 10);
  lines.forEach(check);
});

Deno.test("what the repository's README has one type is what serin takes", () => {
  const text = new TextDecoder().decode(modelRepository({ model: "parcels" }).get("README.md"));
  const [, block] = /```sh\n([\s\S]*?)```/.exec(text)!;
  const lines = block.replaceAll("\\\n", " ").split("\n").filter((line) => /^serin /.test(line));
  assertTrue(lines.length >= 10, `${lines.length} commands`);
  lines.forEach(check);
});
