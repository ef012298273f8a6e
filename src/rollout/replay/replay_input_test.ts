import { assertClose, assertEquals, assertSerinError } from "../../testing/mod.ts";
import { parseCsvStream } from "./csv_stream.ts";
import { DEFAULT_REPLAY_SETTINGS, parseScenarios, SCENARIO_FORMAT } from "./scenario_file.ts";
import { replay } from "./decider.ts";
import { ScenarioStream } from "./scenario_stream.ts";

const table = Array.from({ length: 1025 }, (_, i) => 1000 + i);
const scenario = {
  name: "s",
  kind: "aa",
  seed: 1,
  rps: 20,
  p_err_s: 0.005,
  p_err_c: 0.005,
  lat_s: "base",
  lat_c: "base",
};
const file = {
  format: SCENARIO_FORMAT,
  ...DEFAULT_REPLAY_SETTINGS,
  max_s: 1500,
  tables: { base: table },
  scenarios: [scenario],
};
const parse = (value: unknown) => parseScenarios(JSON.stringify(value), "s.json");

Deno.test("scenario files: the format is named, all problems come at once", async () => {
  assertEquals(parse(file).scenarios.length, 1);
  await assertSerinError(
    () => parse({ ...file, format: "other/2" }),
    "invalid_input",
    "other/2",
    SCENARIO_FORMAT,
  );
  await assertSerinError(() => parseScenarios("{", "s.json"), "invalid_input", "not JSON");
  const bad = {
    ...file,
    surprise: 1,
    scenarios: [{ ...scenario, lat_c: "bass", p_err_s: 2, wrong_s: 0.1 }],
  };
  await assertSerinError(() => parse(bad), "invalid_input", "surprise", "p_err_s", "wrong_c");
  const table = { ...file, scenarios: [{ ...scenario, lat_c: "bass" }] };
  await assertSerinError(() => parse(table), "invalid_input", 'did you mean "base"?');
});

Deno.test("CSV: every bad line is reported", async () => {
  const text =
    "t,a,err_s,err_c,lat_s_us,lat_c_us\n0,1,0,0,5,5\n-1,1,0,0,5,5\n2,x,0,0,5,5\n3,1,2,0,5,5\n4,1";
  const error = await assertSerinError(
    () => parseCsvStream(text, "s.csv"),
    "invalid_input",
    "line 3: t goes back",
  );
  for (const line of ["line 4", "line 5", "line 6"]) {
    assertEquals(error.message.includes(line), true);
  }
  await assertSerinError(() => parseCsvStream("", "s.csv"), "invalid_input", "no request");
});

Deno.test("no traffic: nothing is decided, the evidence stays 1", () => {
  const quiet = parse({ ...file, scenarios: [{ ...scenario, rps: 0 }] });
  const stream = new ScenarioStream(quiet, quiet.tables, quiet.scenarios[0], 0);
  const { decision, t, canaryRequests, e } = replay(quiet, stream, 2000);
  assertEquals({ decision, t, canaryRequests }, {
    decision: "inconclusive",
    t: 3000,
    canaryRequests: 0,
  });
  assertClose(e, 1, 1e-12);
});

Deno.test("1000 requests a second through the whole hold take seconds", () => {
  const busy = parse({
    ...file,
    scenarios: [{
      ...scenario,
      rps: 1000,
      wrong_s: 0.1,
      wrong_c: 0.1,
      label_frac: 0.01,
      label_delay_s: [60, 360],
    }],
  });
  const started = performance.now();
  replay(busy, new ScenarioStream(busy, busy.tables, busy.scenarios[0], 0), 2000);
  assertEquals(performance.now() - started < 10_000, true);
});
