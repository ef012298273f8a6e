/** The runbook: every alert has its page, and what a page says to type is a command line of serin. */
import { parseCommandLine } from "../cli/mod.ts";
import { alertGroups, RULE_TIMES } from "../deploy/monitoring/mod.ts";
import { manifestSettings } from "../deploy/mod.ts";
import { assertEquals, assertIncludes, assertTrue } from "../testing/mod.ts";
import { COMMANDS } from "./mod.ts";

const DOCS = new URL("../../docs/", import.meta.url);
const HEADINGS = ["Meaning", "Impact", "Diagnosis", "Mitigation", "Rollback"];
const settings = manifestSettings().monitoring;
const alerts = alertGroups({ settings, times: RULE_TIMES }).flatMap(({ alerts }) => alerts);
const names = alerts.map(({ name }) => name);

const pages = new Map<string, string>();
for (const { name } of Deno.readDirSync(new URL("runbook", DOCS))) {
  pages.set(name.replace(/\.md$/, ""), Deno.readTextFileSync(new URL(`runbook/${name}`, DOCS)));
}

/** Lines of the shell blocks; one that ends in a backslash goes on. */
function commandLines(page: string): string[] {
  return [...page.matchAll(/```sh\n([\s\S]*?)```/g)].flatMap(([, block]) =>
    block.replaceAll(/\\\n\s*/g, "").trim().split("\n")
  );
}

Deno.test("every alert has a page with these headings", () => {
  for (const { name, severity } of alerts) {
    const page = pages.get(name);
    assertTrue(page !== undefined, `docs/runbook/${name}.md is there`);
    const headings = [...page!.matchAll(/^## (.+)$/gm)].map(([, heading]) => heading);
    assertEquals([name, ...headings], [name, ...HEADINGS]);
    assertIncludes(page!, `# ${name}\n\nSeverity: ${severity}.`);
  }
});

Deno.test("pages of alerts are those of alerts that there are", () => {
  const found = [...pages.keys()].filter((name) => name.startsWith("Serin"));
  assertEquals(found.filter((name) => !names.some((known) => known === name)), []);
});

Deno.test("what pages say to type are command lines of serin", () => {
  let checked = 0;
  for (const [name, page] of pages) {
    for (const line of commandLines(page)) {
      if (!line.startsWith("serin ")) continue;
      // Up to what its output is piped into.
      const words = line.split(" | ")[0].split(" ").slice(1);
      const parsed = parseCommandLine(COMMANDS, words, () => undefined);
      assertEquals(parsed.kind, "run", `${name}: ${line}`);
      // Keys and values of settings, too.
      manifestSettings({ set: words.filter((_, i) => words[i - 1] === "--set") });
      checked++;
    }
  }
  assertTrue(checked >= 40, `${checked} command lines`);
});

Deno.test("links between pages lead somewhere", () => {
  const files = [...pages].map(([name, text]): [string, string] => [`runbook/${name}.md`, text]);
  files.push(["alerts.md", Deno.readTextFileSync(new URL("alerts.md", DOCS))]);
  for (const [file, text] of files) {
    for (const [, link] of text.matchAll(/\]\(([^)#]+\.(?:md|png))\)/g)) {
      const target = new URL(link, new URL(file, DOCS));
      assertTrue(isThere(target), `${file} → ${link}`);
    }
  }
});

Deno.test("docs/alerts.md lists every alert", () => {
  const text = Deno.readTextFileSync(new URL("alerts.md", DOCS));
  const listed = [...text.matchAll(/^\| \[(Serin\w+)\]\(runbook\/\1\.md\) +\| (page|ticket)/gm)];
  assertEquals(
    listed.map(([, name, severity]) => `${name} ${severity}`),
    alerts.map(({ name, severity }) => `${name} ${severity}`),
  );
});

function isThere(file: URL): boolean {
  try {
    return Deno.statSync(file).isFile;
  } catch {
    return false;
  }
}
