/** What {@linkcode toYaml} writes. */
export type Plain =
  | string
  | number
  | boolean
  | null
  | undefined
  | readonly Plain[]
  | { readonly [key: string]: Plain };

/** Words that need no quotes in YAML 1.1 or 1.2 (PyYAML reads 1.1: `on`, `yes`, `y` are booleans). */
const BARE = /^(?!(?:true|false|null|yes|no|on|off|y|n)$)[A-Za-z_][\w./-]*$/i;

/** Writes block YAML; strings that could be read as something else are quoted as in JSON. */
export function toYaml(value: { readonly [key: string]: Plain }): string {
  return blockOf(value, "");
}

function blockOf(value: { readonly [key: string]: Plain }, indent: string): string {
  let text = "";
  for (const [key, part] of Object.entries(value)) {
    if (part === undefined) continue;
    text += `${indent}${scalarOf(key)}:${valueOf(part, indent)}`;
  }
  return text;
}

function valueOf(value: Plain, indent: string): string {
  if (Array.isArray(value)) {
    if (value.length === 0) return " []\n";
    return "\n" + value.map((part: Plain) => {
      // A mapping in a list begins on the dash's line.
      const text = valueOf(part, `${indent}  `);
      return text.startsWith("\n")
        ? `${indent}- ${text.slice(indent.length + 3)}`
        : `${indent}-${text}`;
    }).join("");
  }
  if (typeof value === "object" && value !== null) {
    const block = blockOf(value as { readonly [key: string]: Plain }, `${indent}  `);
    return block === "" ? " {}\n" : `\n${block}`;
  }
  return ` ${scalarOf(value as string | number | boolean | null)}\n`;
}

function scalarOf(value: string | number | boolean | null): string {
  if (typeof value === "string") return BARE.test(value) ? value : JSON.stringify(value);
  return String(value);
}
