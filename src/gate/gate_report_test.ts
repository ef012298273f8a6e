import { assertEquals, assertIncludes, assertTrue } from "../testing/mod.ts";
import type { GateCheck } from "./check.ts";
import { exitCodeOf, type GateReport, reportJson } from "./gate_report.ts";
import {
  GATE_FORCE_TAG,
  GATE_POLICY_TAG,
  GATE_REPORT_TAG,
  GATE_TAG,
  gateOutcomeOf,
  gateRefusal,
  gateTags,
  type Tag,
} from "./gate_tags.ts";
import { junitReport } from "./report/junit_report.ts";
import { markdownReport } from "./report/markdown_report.ts";
import { checkRows } from "./report/report_rows.ts";

const refusedCheck: GateCheck = {
  id: "relative.log_loss",
  outcome: "refused",
  relation: "worse",
  candidate: { value: 0.5, lower: 0.48, upper: 0.52 },
  champion: { value: 0.4, lower: 0.38, upper: 0.42 },
  difference: { value: 0.1, lower: 0.08, upper: 0.12 },
  limit: "≤ 0.005",
  p: 1e-9,
  pAdjusted: 2e-9,
  sentence: 'log_loss +0.100: worse <than> "that" & more',
};
const undecidedCheck: GateCheck = {
  id: "absolute.auc",
  outcome: "undecided",
  candidate: { value: 0.8, lower: 0.7, upper: 0.9 },
  rowsNeeded: 7123,
  sentence: "auc 0.80: too few rows",
};

function reportOf(more: Partial<GateReport> = {}): GateReport {
  const model = { uri: "m", version: undefined, sha256: "a".repeat(64), bytes: 1234 };
  return {
    outcome: "refused",
    verdict: "refused by relative.log_loss",
    relation: "worse",
    forced: undefined,
    time: 0,
    candidate: { ...model, uri: "models:/prices@challenger", version: "3" },
    champion: model,
    data: {
      source: "h.csv",
      rows: 5000,
      digest: "sha256:d",
      target: "y",
      classes: [{ name: "0", rows: 2000 }, { name: "1", rows: 3000 }],
    },
    specDigest: "sha256:s",
    alpha: 0.05,
    checks: [{ id: "schema", outcome: "passed", sentence: "fine" }, refusedCheck, undecidedCheck],
    slices: undefined,
    warnings: [],
    ...more,
  };
}

Deno.test("exit codes: 0 passed or let through, 3 refused, 1 not judged", () => {
  const forced = "outage 7";
  assertEquals([
    exitCodeOf({ outcome: "passed", forced: undefined }),
    exitCodeOf({ outcome: "refused", forced: undefined }),
    exitCodeOf({ outcome: "undecided", forced: undefined }),
    exitCodeOf({ outcome: "refused", forced }),
  ], [0, 3, 1, 0]);
});

Deno.test("JSON has snake_case and null, and nothing that JSON cannot say", () => {
  const open = { value: NaN, lower: -Infinity, upper: Infinity };
  const json = reportJson(reportOf({ checks: [{ ...refusedCheck, difference: open }] }));
  const [check] = json.checks as Record<string, unknown>[];
  assertEquals(check.p_adjusted, 2e-9);
  assertEquals(check.difference, { value: null, lower: null, upper: null });
  assertEquals([json.forced, json.exit_code, json.time], [null, 3, "1970-01-01T00:00:00.000Z"]);
});

Deno.test("JUnit: a refusal is a failure, an open question an error, text is escaped", () => {
  const xml = junitReport(reportOf({ verdict: "bad \x01 & <b>\n" }));
  assertIncludes(
    xml,
    '<testsuites name="serin gate" tests="3" failures="1" errors="1" skipped="0">',
  );
  assertIncludes(xml, "worse &lt;than&gt; &quot;that&quot; &amp; more");
  assertIncludes(xml, '<error type="undecided"');
  assertIncludes(xml, 'value="bad � &amp; &lt;b&gt;&#10;"');
  assertEquals(xml.match(/<testcase /g)?.length, 3);
});

Deno.test("Markdown: names from files cannot become markup or mentions", () => {
  const text = markdownReport(reportOf({ warnings: ["![x](http://e) | @team <script>"] }));
  assertIncludes(text, "### ❌ serin gate: refused");
  assertIncludes(text, "| relative.log\\_loss | 0.5000 | 0.4000 | +0.100 (+0.080 to +0.120) |");
  assertTrue(!/[^\\]\[x|<script>|@team/.test(text), text);
});

Deno.test("a table's cells", () => {
  assertEquals(checkRows([undecidedCheck]), [
    ["absolute.auc", "0.8000", "", "0.70 to 0.90", "", "? too few rows"],
  ]);
});

Deno.test("tags say what a report says, the report's first", () => {
  const tags = gateTags(reportOf());
  assertEquals(tags.map(({ key }) => key), [GATE_REPORT_TAG, GATE_TAG]);
  const report = JSON.parse(tags[0].value);
  assertEquals([report.outcome, report.data.rows, report.checks.length], ["refused", 5000, 3]);
  assertEquals(report.checks[1].difference, [0.1, 0.08, 0.12]);
  const { outcome, isAllowed, sentence } = gateOutcomeOf(tags);
  assertEquals([outcome, isAllowed], ["refused", false]);
  assertEquals(sentence, "refused by relative.log_loss");
});

Deno.test("a report stays within what a tag may hold", () => {
  const checks = Array.from({ length: 200 }, (_, i) => ({ ...refusedCheck, id: `relative.${i}` }));
  const [{ value }] = gateTags(reportOf({ checks, verdict: "x".repeat(5000) }));
  assertTrue(value.length <= 5000, `${value.length} characters`);
  const { checks: kept, checks_left_out } = JSON.parse(value);
  assertEquals(kept.length + checks_left_out, 200);
});

Deno.test("outcomes of tags: missing, foreign, let through", () => {
  assertEquals(gateOutcomeOf([]).outcome, "missing");
  assertEquals(gateOutcomeOf([{ key: GATE_TAG, value: "yes" }]).isAllowed, false);
  const broken = [{ key: GATE_TAG, value: "undecided" }, { key: GATE_REPORT_TAG, value: "{" }];
  assertEquals(gateOutcomeOf(broken).isAllowed, false);
  const forced = gateOutcomeOf(gateTags(reportOf({ forced: "outage 7" })));
  assertEquals([forced.isAllowed, forced.forced], [true, "outage 7"]);
  assertIncludes(forced.sentence, "let through: outage 7");
  const passed = gateOutcomeOf(gateTags(reportOf({ outcome: "passed", verdict: "passed" })));
  assertEquals([passed.outcome, passed.isAllowed], ["passed", true]);
});

Deno.test("what may be rolled out: passed, let through, or unjudged where no gate is required", () => {
  const tag = (key: string, value: string) => ({ key, value });
  const required = [tag(GATE_POLICY_TAG, "required")];
  const check = (isRefused: boolean, model: Tag[], version: Tag[]) =>
    assertEquals(gateRefusal(model, version) !== undefined, isRefused, JSON.stringify(version));
  check(false, [], []);
  check(true, required, []);
  check(false, required, [tag(GATE_TAG, "passed")]);
  for (const outcome of ["refused", "undecided"]) {
    check(true, [], [tag(GATE_TAG, outcome)]);
    check(false, required, [tag(GATE_TAG, outcome), tag(GATE_FORCE_TAG, "outage 7")]);
  }
  check(false, required, [tag(GATE_FORCE_TAG, "the first version")]);
  check(true, required, [tag(GATE_FORCE_TAG, "")]);
});
