/** One test case of a JUnit report. */
export interface JunitCase {
  readonly name: string;
  /** What it says; of a failure or an error, why. */
  readonly text: string;
  /** `failure`: it is not as it must be; `error`: it could not be judged. */
  readonly problem?: { readonly kind: "failure" | "error"; readonly type: string } | undefined;
}

/** What {@linkcode junitXml} writes. */
export interface JunitSuite {
  readonly name: string;
  /** Of every case, e.g. `serin.gate`. */
  readonly className: string;
  /** Milliseconds since the epoch. */
  readonly time: number;
  readonly properties: Readonly<Record<string, string>>;
  readonly cases: readonly JunitCase[];
}

/**
 * Writes a report that CI systems read: JUnit XML as Jenkins' xunit schema has it, one suite.
 *
 * @example One case that failed
 * ```ts
 * import { junitXml } from "./mod.ts";
 * const problem = { kind: "failure", type: "refused" } as const;
 * const cases = [{ name: "rows", text: "3 rows < 100", problem }];
 * const suite = { name: "data", className: "serin.data", time: 0, properties: {}, cases };
 * console.assert(junitXml(suite).includes('message="3 rows &lt; 100"'));
 * ```
 */
export function junitXml({ name, className, time, properties, cases }: JunitSuite): string {
  const of = (kind: string) => cases.filter(({ problem }) => problem?.kind === kind).length;
  const counts = `tests="${cases.length}" failures="${of("failure")}" errors="${of("error")}" ` +
    'skipped="0"';
  const title = `name="${escapeXml(name)}"`, stamp = new Date(time).toISOString().slice(0, 19);
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites ${title} ${counts}>`,
    `  <testsuite ${title} timestamp="${stamp}" time="0" ${counts}>`,
    "    <properties>",
    ...Object.entries(properties).map(([key, value]) =>
      `      <property name="${escapeXml(key)}" value="${escapeXml(value)}"/>`
    ),
    "    </properties>",
    ...cases.map((each) => caseXml(className, each)),
    "  </testsuite>",
    "</testsuites>",
    "",
  ].join("\n");
}

function caseXml(className: string, { name, text, problem }: JunitCase): string {
  const open = `    <testcase classname="${escapeXml(className)}" name="${
    escapeXml(name)
  }" time="0"`;
  const inner = problem === undefined
    ? `<system-out>${escapeXml(text)}</system-out>`
    : `<${problem.kind} type="${escapeXml(problem.type)}" message="${escapeXml(text)}"/>`;
  return `${open}>\n      ${inner}\n    </testcase>`;
}

const ESCAPES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&apos;",
  "\n": "&#10;",
  "\t": "&#9;",
};

/** XML 1.0 has no other control characters, not even escaped. */
function escapeXml(text: string): string {
  // deno-lint-ignore no-control-regex
  const clean = text.replace(/[\x00-\x08\x0b-\x1f\ufffe\uffff]/g, "�");
  return clean.replace(/[&<>"'\n\t]/g, (character) => ESCAPES[character]);
}
