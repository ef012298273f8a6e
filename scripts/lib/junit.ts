/** Reads what `deno test --junit-path` writes, and merges several reports into one. */

/** One test of a report. */
export interface TestCase {
  readonly suite: string;
  readonly name: string;
  readonly seconds: number;
  readonly outcome: "passed" | "failed" | "skipped";
  readonly message?: string;
}

/**
 * @param xml a report as Deno writes it: everything inside texts and attributes is escaped
 * @returns its tests, steps included
 */
export function parseJunit(xml: string): TestCase[] {
  const cases: TestCase[] = [];
  const pattern = /<testcase ([^>]*?)(?:\/>|>([\s\S]*?)<\/testcase>)/g;
  for (const [, attributes, body = ""] of xml.matchAll(pattern)) {
    const failure = /<(?:failure|error)\b(?: message="([^"]*)")?/.exec(body);
    cases.push({
      suite: attribute(attributes, "classname"),
      name: attribute(attributes, "name"),
      seconds: Number(attribute(attributes, "time")) || 0,
      outcome: failure ? "failed" : body.includes("<skipped") ? "skipped" : "passed",
      ...(failure ? { message: unescape(failure[1] ?? "failed") } : {}),
    });
  }
  return cases;
}

/** @returns one JUnit document of all tests, grouped by suite */
export function toJunit(cases: readonly TestCase[]): string {
  const suites = Map.groupBy(cases, ({ suite }) => suite);
  const lines = ['<?xml version="1.0" encoding="UTF-8"?>'];
  lines.push(`<testsuites name="serin" ${totals(cases)}>`);
  for (const [suite, members] of suites) {
    lines.push(`  <testsuite name="${escape(suite)}" ${totals(members)}>`);
    for (const { name, seconds, outcome, message } of members) {
      const attributes = `name="${escape(name)}" classname="${escape(suite)}" time="${seconds}"`;
      if (outcome === "passed") lines.push(`    <testcase ${attributes}/>`);
      else {
        const inner = outcome === "failed"
          ? `<failure message="${escape(message ?? "failed")}"/>`
          : "<skipped/>";
        lines.push(`    <testcase ${attributes}>${inner}</testcase>`);
      }
    }
    lines.push("  </testsuite>");
  }
  lines.push("</testsuites>", "");
  return lines.join("\n");
}

/** @returns e.g. "12 passed, 0 failed" or "12 passed, 0 failed, 1 skipped" */
export function countsLine(cases: readonly TestCase[]): string {
  const { passed, failed, skipped } = count(cases);
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`;
}

function count(cases: readonly TestCase[]): Record<TestCase["outcome"], number> {
  const counts = { passed: 0, failed: 0, skipped: 0 };
  for (const { outcome } of cases) counts[outcome]++;
  return counts;
}

function totals(cases: readonly TestCase[]): string {
  const { failed, skipped } = count(cases);
  const seconds = cases.reduce((sum, each) => sum + each.seconds, 0);
  return `tests="${cases.length}" failures="${failed}" skipped="${skipped}" ` +
    `time="${seconds.toFixed(3)}"`;
}

function attribute(attributes: string, name: string): string {
  return unescape(new RegExp(`(?:^| )${name}="([^"]*)"`).exec(attributes)?.[1] ?? "");
}

const ENTITIES: [string, string][] = [
  ["&", "&amp;"],
  ["<", "&lt;"],
  [">", "&gt;"],
  ['"', "&quot;"],
  ["'", "&apos;"],
];

function escape(text: string): string {
  // deno-lint-ignore no-control-regex -- XML 1.0 has no control characters
  const clean = text.replace(/[\x00-\x08\x0b\x0c\x0e-\x1f]/g, "");
  return ENTITIES.reduce((done, [plain, entity]) => done.replaceAll(plain, entity), clean);
}

function unescape(text: string): string {
  return ENTITIES.toReversed()
    .reduce((done, [plain, entity]) => done.replaceAll(entity, plain), text);
}
