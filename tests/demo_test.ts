/** `serin demo` as a script runs it: one promotion, one rollback, not one request failed. */
import { assertEquals, assertIncludes, assertTrue, runSerin } from "../src/testing/mod.ts";

Deno.test("the demo promotes one version, rolls one back, and fails no request", async () => {
  const { code, stdout, stderr } = await runSerin(["demo", "--json"]);
  assertEquals(code, 0, stderr);
  const report = JSON.parse(stdout);
  const [first, fresher, faulty] = report.versions;
  assertEquals([first.outcome, fresher.outcome, faulty.outcome], [
    ...["first", "promoted", "rolled_back"],
  ]);
  assertEquals(report.failed, 0);
  assertTrue(report.labels > 1000, `${report.labels} labels arrived`);
  assertIncludes(faulty.verdict, "wrong-label ratio");
  for (const { version, live } of report.versions) {
    assertTrue(live.answered > 0, `version ${version} answered live requests`);
  }
});
