import { createControlClient, type RolloutStatus } from "../control/mod.ts";
import { assertEquals, assertIncludes, assertSerinError, assertTrue } from "../testing/mod.ts";
import { findById, findNewest, run } from "./canary_explain_run.ts";
import { explainRollout } from "./canary_explanation.ts";

const START = Date.UTC(2026, 0, 1);
const STYLE = { now: START + 600_000, colours: false, columns: 100 };

const arm = (events: number, trials: number) => ({
  events,
  trials,
  rate: trials === 0 ? null : events / trials,
});

const point = (seconds: number, step: number, share: number, evidence: number) => ({
  time: START + seconds * 1000,
  step,
  share,
  evidence: 1,
  labelEvidence: evidence,
});

/** A version that was rolled back by its labels in the second of three steps. */
const ROLLED_BACK: RolloutStatus = {
  id: "r00ff",
  model: "electricity",
  alias: "champion",
  stable: "2",
  canary: "3",
  phase: "rolled_back",
  step: 1,
  steps: 3,
  share: 0,
  startedAt: START,
  endedAt: START + 50_000,
  canaryRequests: 1193,
  evidence: 0.8,
  labelEvidence: 451.3,
  evidenceNeeded: 200,
  verdict: "rolled back after 40.0 s and 1193 canary requests: wrong-label ratio 1.63 (1.04 to " +
    "2.42, valid at every look); evidence 451 of 200 needed",
  plan: {
    steps: [{ share: 0.05, seconds: 30 }, { share: 0.25, seconds: 30 }, {
      share: 0.5,
      seconds: 30,
    }],
    warmupSeconds: 10,
    canaryRequestsMin: 10,
    alpha: 0.01,
    beta: 0.05,
    holdSeconds: 1800,
    labels: "if_any",
    margins: {
      errorRatio: 2,
      errorDifference: 0.01,
      latencyRatio: 1.5,
      latencyDifference: 0.01,
      labelRatio: 1.2,
    },
  },
  notWorseNeeded: 20,
  sampleRatioFault: 1,
  labelRatioFault: 1,
  holdReason: null,
  holdAt: null,
  metrics: [
    {
      metric: "errors",
      canary: arm(0, 1193),
      stable: arm(0, 9000),
      ratio: null,
      evidence: 1,
      notWorse: 1,
      differenceUpper: 0.004,
      shown: true,
      eventsUntilRollback: null,
    },
    {
      metric: "latency_p90",
      canary: arm(5, 1193),
      stable: arm(60, 9000),
      ratio: { estimate: 0.6, lower: 0.1, upper: null },
      evidence: 0.4,
      notWorse: null,
      differenceUpper: null,
      shown: null,
      eventsUntilRollback: null,
    },
    {
      metric: "labels",
      canary: arm(300, 1100),
      stable: arm(1400, 8300),
      ratio: { estimate: 1.631, lower: 1.07, upper: 2.38 },
      evidence: 451.3,
      notWorse: 0.01,
      differenceUpper: null,
      shown: false,
      eventsUntilRollback: 0,
    },
  ],
  stepCounts: [
    { canaryRequests: 193, stableRequests: 4000 },
    { canaryRequests: 1000, stableRequests: 5000 },
    { canaryRequests: 0, stableRequests: 0 },
  ],
  history: [
    point(0, 0, 0, 1),
    point(10, 0, 0.05, 1),
    point(39, 0, 0.05, 12.34),
    point(40, 1, 0.25, 12.5),
    point(50, 1, 0, 451.3),
  ],
};

Deno.test("an explanation has the comparison, each number, the steps and the verdict", () => {
  const text = explainRollout(ROLLED_BACK, STYLE);
  const lines = text.split("\n");
  assertEquals(lines[0], "Rollout r00ff: rolled back");
  assertEquals(lines[1], "electricity version 3 (canary) against version 2 (champion)");
  assertEquals(lines[2], "2026-01-01 00:00:00Z, took 50.0 s");
  const rowOf = (name: string) => lines.find((line) => line.startsWith(`  ${name}`)) ?? "";
  const cellsOf = (name: string) => rowOf(name).trim().split(/ {2,}/);
  assertEquals(cellsOf("wrong labels"), [
    "wrong labels",
    "300 of 1,100 (27 %)",
    "1,400 of 8,300 (17 %)",
    "1.63 (1.07 to 2.38)",
    "451",
    "not shown (0.0 of 20)",
  ]);
  assertEquals(cellsOf("errors ").slice(3), ["– (no event)", "1.0", "shown (1.0 of 20)"]);
  assertEquals(cellsOf("slow (p90)").slice(3), ["0.60 (0.10 to ∞)", "0.4", "not asked"]);
  assertEquals(cellsOf("labels ").slice(1), ["█".repeat(24), "451 of 200 needed, reached"]);
  assertEquals(cellsOf("   2"), [
    ...["2", "25 %", "2026-01-01 00:00:40Z", "10.0 s", "1,000", "5,000", "451"],
  ]);
  assertEquals(cellsOf("   3"), ["3", "50 %", "not reached"]);
  assertIncludes(text, "wrong-label ratio 1.63");
  assertEquals(text.includes("\x1b"), false);
  assertIncludes(text.replace(/\s+/g, " "), "errors × 2 or + 1 % of requests, slow requests (p95)");
  for (const line of lines) assertTrue(line.length <= 110, `wrapped: ${line}`);
});

Deno.test("colours only where asked for; what holds a rollout is told, each reason in words", () => {
  assertIncludes(explainRollout(ROLLED_BACK, { ...STYLE, colours: true }), "\x1b[31mrolled back");
  assertEquals(explainRollout(ROLLED_BACK, STYLE).includes("What held it"), false);
  const cases = [
    ["not_shown", "no worse by more than the margins (since 2026-01-01 00:00:45Z): wrong labels."],
    ["isolate_deaths", "Isolates died under the canary"],
    ["sample_ratio", "do not fit the shares"],
    ["label_ratio", "labelled do not fit the shares"],
  ] as const;
  for (const [holdReason, part] of cases) {
    const holding = { phase: "hold", endedAt: null, holdReason, holdAt: START + 45_000 } as const;
    const text = explainRollout({ ...ROLLED_BACK, ...holding }, { ...STYLE, columns: 1000 });
    assertIncludes(text, part);
    assertIncludes(text, "After 30 min 0 s of holding a person is asked.");
    assertIncludes(text, "began 2026-01-01 00:00:00Z, runs for 10 min 0 s");
  }
});

/** A registry that has these rollouts. */
function controlOf(rollouts: readonly RolloutStatus[]) {
  const fetch = (input: RequestInfo | URL) => {
    const id = /rollouts\/(.+)$/.exec(String(input))?.[1];
    const found = rollouts.find((rollout) => rollout.id === id);
    const error = { error: { code: "not_found", message: `There is no rollout "${id}"` } };
    return Promise.resolve(
      id === undefined
        ? Response.json({ rollouts })
        : found === undefined
        ? Response.json(error, { status: 404 })
        : Response.json(found),
    );
  };
  return createControlClient({ baseUrl: "http://h:1", fetch });
}

Deno.test("the newest rollout, of all or of a model; what is not there names what is", async () => {
  const other = { ...ROLLED_BACK, id: "r11", model: "iris" };
  const control = controlOf([ROLLED_BACK, other]);
  assertEquals((await findNewest(control, undefined)).id, "r00ff");
  assertEquals((await findNewest(control, "iris")).id, "r11");
  assertEquals((await findById(control, "r11")).model, "iris");
  await assertSerinError(() => findNewest(control, "irsi"), "not_found", 'did you mean "iris"?');
  await assertSerinError(
    () => findById(control, "r2"),
    "not_found",
    'There is no rollout "r2"',
    "r00ff (electricity version 3, rolled back), r11 (iris version 3, rolled back)",
  );
  const none = controlOf([]);
  await assertSerinError(() => findNewest(none, undefined), "not_found", "no rollout yet");
  await assertSerinError(() => findNewest(none, "m"), "not_found", '"m" has no rollout yet');
  await assertSerinError(() => findById(none, "r1"), "not_found", "none yet");
});

Deno.test("a rollout and --model together are refused before anything is asked", async () => {
  const context = { positionals: ["r1"], interactive: false, print: () => {} };
  const options = { registry: "http://127.0.0.1:1", model: "m", json: false };
  await assertSerinError(() => run(options, context as never), "usage", "give one of them");
});
