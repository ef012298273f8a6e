/**
 * serin's own lint rules, run by `deno lint` (deno.json, `lint.plugins`):
 *
 * - `serin/rooms`: the import table of scripts/import_table.ts; no JSON or Wasm imports in shipped
 *   code (they switch the compiled binary's code cache off); dynamic imports are literal.
 * - `serin/function-lines`: at most 70 lines a function, except numeric kernels with a comment
 *   `// kernel: WHY` right above them or at their beginning.
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
    "function-lines": {
      create(context) {
        const check = (node: Deno.lint.Node) => {
          const lines = context.sourceCode.getText(node).split("\n");
          if (lines.length <= FUNCTION_LINES_MAX) return;
          if (lines.slice(0, 4).some(isKernelMark) || isMarkedAbove(context, node)) return;
          const message = `a function of ${lines.length} lines, at most ${FUNCTION_LINES_MAX}`;
          context.report({ node, message, hint: "split it, or say `// kernel: WHY` above it" });
        };
        return {
          FunctionDeclaration: check,
          FunctionExpression: check,
          ArrowFunctionExpression: check,
        };
      },
    },
  },
};
export default plugin;

const FUNCTION_LINES_MAX = 70;

function isKernelMark(line: string): boolean {
  return /^\s*(\/\/|\*|\/\*\*) kernel: \S/.test(line);
}

/** In the comment that ends on the line before the function (its `export`, `const` or name). */
function isMarkedAbove(context: Deno.lint.RuleContext, node: Deno.lint.Node): boolean {
  const source = context.sourceCode;
  const at = source.getText().indexOf(source.getText(node));
  const before = source.getText().slice(0, at).split("\n").slice(0, -1);
  for (let line = before.length - 1; line >= 0; line--) {
    if (!/^\s*(\/\/|\*|\/\*)/.test(before[line])) return false;
    if (isKernelMark(before[line])) return true;
  }
  return false;
}

const HINT = "docs/architecture.md has the table, scripts/import_table.ts holds it as data";

function dataImport(file: string, specifier: string): string | undefined {
  if (!isShipped(file) || !/\.(json|wasm)$/.test(specifier)) return undefined;
  return "JSON and Wasm imports switch the compiled binary's code cache off: read an included file";
}
