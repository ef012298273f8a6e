import { parseYamlConfig } from "../config/mod.ts";
import { GATE_SYNONYMS, gateSpecSchema } from "../gate/mod.ts";
import { assertEquals, assertSerinError, assertTrue } from "../testing/mod.ts";

const parse = (text: string) =>
  parseYamlConfig(text, gateSpecSchema, { source: "gate.yaml", synonyms: GATE_SYNONYMS });

const page = await Deno.readTextFile(new URL("../../docs/gate.md", import.meta.url));
const example = /```yaml\n([\s\S]*?)```/.exec(page)![1];

Deno.test("docs/gate.md shows the defaults, every setting of them", () => {
  const { relative, ...shown } = parse(example);
  const { relative: _, ...defaults } = parse("");
  assertEquals(shown, defaults);
  assertEquals(relative, {
    auc: { margin: 0.005, require: "not_worse" },
    log_loss: { margin: 0.005, require: "not_worse" },
  });
});

Deno.test("docs/gate.md names every setting", () => {
  const visit = (value: unknown): string[] => {
    if (typeof value !== "object" || value === null) return [];
    const properties = (value as { properties?: Record<string, unknown> }).properties ?? {};
    return Object.entries(properties).flatMap(([key, inner]) => [key, ...visit(inner)]);
  };
  const names = visit(gateSpecSchema.toJSONSchema({ io: "input", unrepresentable: "any" }));
  const missing = names.filter((name) => !new RegExp(`\\b${name}\\b`).test(page));
  assertEquals(missing, []);
  assertTrue(names.includes("margin_factor"), names.join());
});

Deno.test("all that is wrong with a gate.yaml is told at once", async () => {
  await assertSerinError(
    () => parse("relative:\n  auc: {margin: 1, margin_share: 0.1}\ntest:\n  block_rows: 0\n"),
    "configuration",
    "margin or margin_share, not both",
    "block_rows",
  );
  await assertSerinError(
    () => parse("test: {block_rows: 4, block_column: a}"),
    "configuration",
    "block_rows or block_column, not both",
  );
  await assertSerinError(
    () => parse("absolute: {roc_auc: {min: 0.8}, accuracy: {threshold: 1}}"),
    "configuration",
    'did you mean "auc"?',
    'did you mean "min"?',
  );
});
