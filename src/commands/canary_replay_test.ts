import { silentLog } from "../core/mod.ts";
import { assertEquals, assertIncludes, assertSerinError } from "../testing/mod.ts";
import { run } from "./canary_replay_run.ts";

const data = (name: string) =>
  decodeURIComponent(new URL(`../../tests/data/canary/${name}`, import.meta.url).pathname);
const scenarios = data("scenarios.json");

async function replayed(options: Partial<Parameters<typeof run>[0]>): Promise<string[]> {
  const lines: string[] = [];
  const print = (line: string) => void lines.push(line);
  const context = { log: silentLog, positionals: [], interactive: false, print };
  await run({ mode: "request", ...options }, context);
  return lines;
}

Deno.test("one JSON line a run, with the documented fields", async () => {
  const lines = await replayed({ scenarios, scenario: "err_100pct_20rps", runs: "0-1" });
  assertEquals(lines.length, 2);
  const { e, reason, ...rest } = JSON.parse(lines[0]);
  assertEquals(rest, {
    scenario: "err_100pct_20rps",
    run: 0,
    decision: "rollback",
    t: 6,
    canary_requests: 4,
    bad_total: 4,
  });
  assertEquals(e >= 100, true);
  assertIncludes(reason, "of 100 needed");
});

Deno.test("a CSV stream needs no scenario file", async () => {
  const [line] = await replayed({ csv: data("sample_err_100pct_0.1rps_run0.csv") });
  const [same] = await replayed({ scenarios, scenario: "err_100pct_0.1rps", runs: "0-0" });
  const { scenario: _csv, ...fromCsv } = JSON.parse(line);
  const { scenario: _name, ...fromScenario } = JSON.parse(same);
  assertEquals(fromCsv, fromScenario);
});

Deno.test("bad command lines are refused with a way out", async () => {
  await assertSerinError(() => replayed({}), "usage", "--scenarios FILE or --csv", "--runs A-B");
  await assertSerinError(() => replayed({ scenarios, runs: "9-0" }), "usage", "go down");
  await assertSerinError(() => replayed({ scenarios, runs: "five" }), "usage", "A-B");
  await assertSerinError(
    () => replayed({ scenarios, runs: "0-0", scenario: "err_10pct_20rsp" }),
    "usage",
    'did you mean "err_10pct_20rps"?',
  );
  await assertSerinError(
    () => replayed({ scenarios: "/no/such", runs: "0-0" }),
    "usage",
    "no such",
  );
  await assertSerinError(
    () => replayed({ scenarios, runs: "0-0", mode: "block" }),
    "not_implemented",
    "later",
  );
});
