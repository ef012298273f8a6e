/**
 * serin's own lint rules, run by `deno lint` (deno.json, `lint.plugins`):
 *
 * - `serin/rooms`: the import table of scripts/import_table.ts; no JSON or Wasm imports in shipped
 *   code (they switch the compiled binary's code cache off); dynamic imports are literal.
 */
import { importProblem } from "./import_rule.ts";

const root = decodeURIComponent(new URL("../", import.meta.url).pathname);

/** Path relative to the repository; a file outside it stays as it is. */
function relative(filename: string): string {
  const path = filename.replaceAll("\\", "/");
  return path.startsWith(root) ? path.slice(root.length) : path;
}

function isShipped(file: string): boolean {
  return file === "main.ts" ||
    (file.startsWith("src/") && !file.startsWith("src/testing/") && !file.endsWith("_test.ts"));
}

const plugin: Deno.lint.Plugin = {
  name: "serin",
  rules: {
    rooms: {
      create(context) {
        const file = relative(context.filename);
        const check = (node: Deno.lint.Node, source: Deno.lint.Node | null) => {
          if (source === null || source.type !== "Literal") return;
          if (typeof source.value !== "string") return;
          const message = importProblem(file, source.value) ?? dataImport(file, source.value);
          if (message !== undefined) context.report({ node, message, hint: HINT });
        };
        return {
          ImportDeclaration: (node) => check(node, node.source),
          ExportNamedDeclaration: (node) => check(node, node.source),
          ExportAllDeclaration: (node) => check(node, node.source),
          ImportExpression(node) {
            check(node, node.source);
            if (node.source.type !== "Literal" && isShipped(file)) {
              const message = "a dynamic import must be literal: deno compile embeds only those";
              context.report({ node, message });
            }
          },
        };
      },
    },
  },
};
export default plugin;

const HINT = "docs/architecture.md has the table, scripts/import_table.ts holds it as data";

function dataImport(file: string, specifier: string): string | undefined {
  if (!isShipped(file) || !/\.(json|wasm)$/.test(specifier)) return undefined;
  return "JSON and Wasm imports switch the compiled binary's code cache off: read an included file";
}
