import { exitCodeOf, type GateReport } from "../gate_report.ts";

/**
 * A report as JUnit XML, one test case a check: refused is a failure, undecided an error (it could
 * not be judged), so that no CI takes either for green.
 */
export function junitReport(report: GateReport): string {
  const of = (outcome: string) => report.checks.filter((check) => check.outcome === outcome);
  const counts = `tests="${report.checks.length}" failures="${of("refused").length}" ` +
    `errors="${of("undecided").length}" skipped="0"`;
  const time = new Date(report.time).toISOString().slice(0, 19);
  const cases = report.checks.map(({ id, outcome, sentence }) => {
    const open = `    <testcase classname="serin.gate" name="${escapeXml(id)}" time="0"`;
    const text = escapeXml(sentence);
    if (outcome === "passed") {
      return `${open}>\n      <system-out>${text}</system-out>\n    </testcase>`;
    }
    const tag = outcome === "refused" ? "failure" : "error";
    return `${open}>\n      <${tag} type="${outcome}" message="${text}"/>\n    </testcase>`;
  });
  const property = (name: string, value: string) =>
    `      <property name="${name}" value="${escapeXml(value)}"/>`;
  const properties = [
    property("outcome", report.outcome),
    property("exit_code", String(exitCodeOf(report))),
    property("candidate", report.candidate.uri),
    property("champion", report.champion?.uri ?? ""),
    property("data", `${report.data.source} (${report.data.digest})`),
    property("spec", report.specDigest),
    property("verdict", report.verdict),
    ...(report.forced === undefined ? [] : [property("forced", report.forced)]),
  ];
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites name="serin gate" ${counts}>`,
    `  <testsuite name="serin gate" timestamp="${time}" time="0" ${counts}>`,
    "    <properties>",
    ...properties,
    "    </properties>",
    ...cases,
    "  </testsuite>",
    "</testsuites>",
    "",
  ].join("\n");
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
