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

/** What a page says to type: lines of shell blocks, and lines after `$ ` in transcripts. */
function typedLines(page: string): string[] {
  return [...page.matchAll(/^( *)```(\w*)\n([\s\S]*?)^\1```/gm)].flatMap(([, , kind, block]) => {
    const lines = block.replaceAll(/\\\n\s*/g, "").split("\n").map((line) => line.trim());
    const typed = lines.filter((line) => line.startsWith("$ ")).map((line) => line.slice(2));
    return kind === "sh" || kind === "" && typed.length === 0 ? lines : typed;
  });
}

Deno.test("every command line of serin in README and docs is one", () => {
  const root = new URL("../../", import.meta.url);
  const pages = ["README.md", "CONTRIBUTING.md", "manifests/README.md"];
  for (const { name } of Deno.readDirSync(new URL("docs", root))) {
    if (name.endsWith(".md")) pages.push(`docs/${name}`);
  }
  let checked = 0;
  for (const page of pages) {
    for (const line of typedLines(Deno.readTextFileSync(new URL(page, root)))) {
      const found = /^(?:\.\/)?serin (.+?)(?: *[|>&#].*| \\)?$/.exec(line);
      if (found === null || /[…"]/.test(found[1])) continue;
      const parsed = parseCommandLine(COMMANDS, found[1].split(/ +/), () => undefined);
      assertTrue(["run", "help"].includes(parsed.kind), `${page}: ${line}`);
      checked++;
    }
  }
  assertTrue(checked >= 25, `${checked} command lines`);
});
