import { parseAllDocuments } from "yaml";
import { assertEquals, assertTrue } from "../testing/mod.ts";
import { formatYaml } from "./yaml_format.ts";

Deno.test("strings that some YAML reads as something else are quoted", () => {
  const strings = ["8080", "on", "no", "Y", "1e3", "0x1f", "0o17", "017", "1_000", "12:30:45"];
  strings.push("2024-01-01", "null", "~", "true", "", " x", "a: b", "- a", "#c", ".5", "1.", "@a");
  strings.push("%", "*x", "&x", "!t", "=", "<<", "0b11", "+1", ".inf", "tab\tin", "a #b", "{", "'");
  const text = formatYaml([strings]);
  for (const version of ["1.1", "1.2"] as const) {
    assertEquals(parseAllDocuments(text, { version }).map((d) => d.toJS()), [strings], version);
  }
  for (const [i, line] of text.trimEnd().split("\n").slice(0, 20).entries()) {
    assertTrue(/^- "/.test(line), `${strings[i]} is quoted: ${line}`);
  }
});

Deno.test("long lines are not folded, several lines are a block", () => {
  const long = "word ".repeat(60).trim();
  const text = formatYaml([{ long, block: "a: 1\nb: 2\n" }]);
  assertEquals(text, `long: ${long}\nblock: |\n  a: 1\n  b: 2\n`);
});

Deno.test("one object in two places is written twice, documents are apart, undefined is left out", () => {
  const shared = { a: 1 };
  const text = formatYaml([{ v: shared, w: shared, z: undefined }, []], ["Made by a test"]);
  assertEquals(text, "# Made by a test\nv:\n  a: 1\nw:\n  a: 1\n---\n[]\n");
});
