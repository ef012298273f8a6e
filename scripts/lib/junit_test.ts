import { assertEquals, assertIncludes } from "../../src/testing/mod.ts";
import { countsLine, parseJunit, toJunit } from "./junit.ts";

/** As Deno writes it. */
const REPORT = `<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="deno test" tests="4" failures="1" errors="0" time="0.169">
    <testsuite name="./a_test.ts" tests="4" disabled="1" errors="0" failures="1">
        <testcase name="one" classname="./a_test.ts" time="0.250" line="8" col="6">
        </testcase>
        <testcase name="fails &lt;b&gt; &amp;lt;" classname="./a_test.ts" time="0.000" line="9" col="6">
            <failure message="Uncaught Error: &quot;no&quot;">Error: &lt;skipped&gt;
    at file:///a_test.ts:9:38</failure>
        </testcase>
        <testcase name="two (skipped: no apt-get here)" classname="./a_test.ts" time="0.000" line="10" col="6">
            <skipped/>
        </testcase>
        <testcase name="two &gt; a step" classname="./a_test.ts" time="0.000" line="11" col="48">
        </testcase>
    </testsuite>
</testsuites>
`;

Deno.test("tests, steps, failures and skips are read from Deno's report", () => {
  assertEquals(parseJunit(REPORT).map(({ name, outcome, message }) => [name, outcome, message]), [
    ["one", "passed", undefined],
    ["fails <b> &lt;", "failed", 'Uncaught Error: "no"'],
    ["two (skipped: no apt-get here)", "skipped", undefined],
    ["two > a step", "passed", undefined],
  ]);
  assertEquals(parseJunit(""), []);
});

Deno.test("a merged report is read back as it was", () => {
  const cases = parseJunit(REPORT);
  const merged = toJunit([...cases, { ...cases[0], suite: "checks", name: "lint\u0007" }]);
  assertEquals(parseJunit(merged).slice(0, 4), cases);
  assertIncludes(merged, 'tests="5" failures="1" skipped="1"');
  assertIncludes(merged, 'name="lint"');
});

Deno.test("the counts line names skips only where there are some", () => {
  const cases = parseJunit(REPORT);
  assertEquals(countsLine(cases), "2 passed, 1 failed, 1 skipped");
  assertEquals(countsLine(cases.slice(0, 1)), "1 passed, 0 failed");
});
