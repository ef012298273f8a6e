import { Document } from "yaml";

/**
 * Writes values as one YAML stream, a document each. A string that YAML 1.1 or 1.2 would read as
 * something else (`8080`, `on`, `1e3`, `12:30`) is quoted, lines are never folded, and nothing is
 * written as an alias: other programs' parsers read back what went in.
 *
 * @param documents plain data, as JSON has it
 * @param header comment lines above the first document, without `#`
 *
 * @example Text that looks like a number stays text
 * ```ts
 * import { formatYaml } from "./mod.ts";
 * console.assert(formatYaml([{ port: "8080" }, { on: true }]) === 'port: "8080"\n---\n"on": true\n');
 * ```
 */
export function formatYaml(documents: readonly unknown[], header: readonly string[] = []): string {
  const texts = documents.map((value) =>
    new Document(value, { compat: "yaml-1.1", aliasDuplicateObjects: false })
      .toString({ lineWidth: 0, indentSeq: false })
  );
  const comment = header.map((line) => `# ${line}\n`).join("");
  return comment + texts.join("---\n");
}
