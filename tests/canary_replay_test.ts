import {
  OUTCOME,
  parseCsvStream,
  parseScenarios,
  replay,
  type Scenario,
  ScenarioStream,
  tableP99,
} from "../src/rollout/replay/mod.ts";
import { assertEquals } from "../src/testing/mod.ts";

/** The published reference: checksums of the streams, and decisions of runs 0..9. */

interface ExpectedRun {
  run: number;
  gated: string;
  gated_t: number;
  canary_req: number;
  net_bad: number;
}

const read = (name: string) =>
  Deno.readTextFileSync(new URL(`data/canary/${name}`, import.meta.url));
const file = parseScenarios(read("scenarios.json"), "scenarios.json");
const expected = JSON.parse(read("expected.json")).scenarios as Record<string, ExpectedRun[]>;

const streamOf = (scenario: Scenario, run: number) =>
  new ScenarioStream(file, file.tables, scenario, run);
const p99Of = (scenario: Scenario) => tableP99(file.tables[scenario.lat_s]);

/** FNV-1a over the first 20,000 requests of run 0, as checksums.txt has it. */
function checksum(scenario: Scenario): string {
  let hash = 0x811c9dc5, n = 0;
  const add = (value: number) => hash = Math.imul(hash ^ (value >>> 0), 0x01000193) >>> 0;
  const stream = streamOf(scenario, 0);
  for (let t = stream.firstSecond; t < file.max_s; t++) {
    const batch = stream.second(t);
    for (let i = 0; i < batch.count; i++) {
      if (n++ >= 20_000) continue;
      const bits = batch.outcomes[i];
      add(t);
      add(batch.assignments[i]);
      add(bits & (OUTCOME.errorStable | OUTCOME.errorCanary));
      add(batch.latencyStable[i]);
      add(batch.latencyCanary[i]);
      if (!stream.labels) continue;
      add(bits >> 2);
      add(batch.labelTimes[i]);
    }
  }
  return `${scenario.name} ${n} ${hash}`;
}

Deno.test("every scenario's stream has the published checksum", () => {
  assertEquals(file.scenarios.map(checksum), read("checksums.txt").trim().split("\n"));
});

Deno.test("every listed run is decided as the reference decides it", () => {
  assertEquals(Object.keys(expected).length, file.scenarios.length);
  for (const scenario of file.scenarios) {
    for (const { run, gated, gated_t, canary_req, net_bad } of expected[scenario.name]) {
      const { decision, t, canaryRequests, badTotal } = replay(
        file,
        streamOf(scenario, run),
        p99Of(scenario),
      );
      assertEquals(
        { decision, t, canaryRequests, badTotal },
        {
          decision: gated as typeof decision,
          t: gated_t,
          canaryRequests: canary_req,
          badTotal: net_bad,
        },
        `${scenario.name} run ${run}`,
      );
    }
  }
});

for (const name of ["err_100pct_0.1rps", "err_10pct_1rps"]) {
  Deno.test(`the sample CSV of ${name} is decided like its scenario`, () => {
    const scenario = file.scenarios.find((candidate) => candidate.name === name)!;
    const csv = parseCsvStream(read(`sample_${name}_run0.csv`), "sample");
    assertEquals(
      replay(file, csv, p99Of(scenario)),
      replay(file, streamOf(scenario, 0), p99Of(scenario)),
    );
  });
}
