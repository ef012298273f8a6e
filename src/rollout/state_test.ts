import { SeededRandom } from "../core/mod.ts";
import { assertEquals, assertIncludes, assertTrue } from "../testing/mod.ts";
import { emptyTotals, evaluate, type StepTotals } from "./evidence.ts";
import { DEFAULT_PLAN, type RolloutPlan, rolloutPlanSchema } from "./plan.ts";
import { newRolloutState, type Observation, type RolloutState, shareOf } from "./rollout_state.ts";
import { type Decision, nextStep } from "./state.ts";

const WARM: Observation["replicas"] = { live: 2, warm: 2, errors: [] };

/** A rollout that a test drives second by second. */
class Drive {
  state: RolloutState = newRolloutState(0);
  now = 0;
  totals: StepTotals[];
  last: Decision;

  constructor(readonly plan: RolloutPlan = DEFAULT_PLAN) {
    this.totals = emptyTotals(plan.steps.length);
    this.last = this.look();
  }

  look(replicas: Observation["replicas"] = WARM): Decision {
    this.last = nextStep(this.plan, this.state, { now: this.now, totals: this.totals, replicas });
    this.state = this.last.state;
    return this.last;
  }

  pass(seconds: number, replicas = WARM): Decision {
    this.now += seconds * 1000;
    return this.look(replicas);
  }

  /** Serves one request; the arm is a coin of the current share. */
  serve(random: SeededRandom, chances: { canary: number; stable: number }): void {
    const share = shareOf(this.plan, this.state);
    const arm = random.unit() < share ? "canary" : "stable",
      counts = this.totals[this.state.step][arm];
    counts.requests++;
    counts.latency_measured++;
    if (random.unit() < chances[arm]) counts.errors++;
    if (random.unit() < 0.02) counts.latency_p95++;
  }
}

/** Plays a whole rollout of `rate` requests a second. */
function play(
  drive: Drive,
  seed: number,
  rate: number,
  chances: { canary: number; stable: number },
): Decision {
  const random = new SeededRandom(seed);
  drive.pass(drive.plan.warmupSeconds);
  for (let second = 0; second < 3600; second++) {
    for (let i = 0; i < rate; i++) drive.serve(random, chances);
    drive.pass(1);
    if (!["warmup", "ramp", "hold"].includes(drive.state.phase)) break;
  }
  return drive.last;
}

Deno.test("the ramp: warm-up, each step by its time, then promotion with evidence", () => {
  const drive = new Drive();
  assertEquals(drive.state.phase, "warmup");
  assertIncludes(drive.pass(59).verdict, "first 5 % in 1.0 s");
  assertEquals(shareOf(drive.plan, drive.pass(1).state), 0.05);
  const decision = play(new Drive(), 1, 20, { canary: 0.005, stable: 0.005 });
  assertEquals(decision.state.phase, "promoted");
  assertIncludes(decision.verdict, "promoted after 20 min 0 s");
});

Deno.test("a version gets no share before every live replica has it warm", () => {
  const drive = new Drive();
  assertIncludes(drive.pass(600, { live: 2, warm: 1, errors: [] }).verdict, "1 of 2 live replicas");
  assertEquals(drive.state.phase, "warmup");
  assertIncludes(drive.pass(1, { live: 0, warm: 0, errors: [] }).verdict, "no live replica");
  const broken = { live: 2, warm: 1, errors: ["pod-1: unknown operator Foo"] };
  assertIncludes(drive.pass(1, broken).verdict, "unknown operator Foo");
  drive.pass(1);
  assertEquals(drive.state.phase, "ramp");
});

Deno.test("a dead canary is rolled back after at most 5 of its requests at 5 %", () => {
  for (let seed = 1; seed <= 20; seed++) {
    const drive = new Drive(), random = new SeededRandom(seed);
    drive.pass(60);
    while (drive.state.phase === "ramp" && drive.now < 1e7) {
      drive.serve(random, { canary: 1, stable: 0.002 });
      drive.pass(0.05);
    }
    assertEquals(drive.state.phase, "rolled_back");
    const { canaryRequests } = drive.last.evidence;
    assertTrue(canaryRequests <= 5, `seed ${seed}: ${canaryRequests} canary requests`);
    assertIncludes(
      drive.last.verdict,
      "of 200 needed; chance of such evidence by luck below 1 in 200",
    );
  }
});

Deno.test("10 % errors at 20 requests a second are rolled back within about a minute", () => {
  const times: number[] = [];
  for (let seed = 1; seed <= 11; seed++) {
    const drive = new Drive(), decision = play(drive, seed, 20, { canary: 0.1, stable: 0.005 });
    assertEquals(decision.state.phase, "rolled_back");
    times.push((drive.now - drive.state.rampedAt!) / 1000);
  }
  const median = times.sort((a, b) => a - b)[5];
  assertTrue(median <= 90, `median ${median} s`);
});

Deno.test("A/A rollouts stay below alpha, looked at after every second (200 seeds)", () => {
  const plan = rolloutPlanSchema.parse({
    steps: [{ share: 0.1, seconds: 40 }, { share: 0.5, seconds: 40 }],
    warmupSeconds: 0,
    holdSeconds: 20,
    alpha: 0.1,
  });
  let rolledBack = 0;
  for (let seed = 1; seed <= 200; seed++) {
    const phase = play(new Drive(plan), seed, 10, { canary: 0.2, stable: 0.2 }).state.phase;
    if (phase === "rolled_back") rolledBack++;
  }
  assertTrue(rolledBack <= 20, `${rolledBack} of 200 A/A rollouts were rolled back at alpha 10 %`);
});

Deno.test("no traffic: the evidence stays 1, in the end a person is asked", () => {
  const drive = new Drive();
  drive.pass(60);
  const waiting = drive.pass(600);
  assertEquals([waiting.state.phase, waiting.state.step], ["ramp", 0]);
  assertIncludes(waiting.verdict, "waiting: 0 canary requests in 10 min 0 s, 10 are needed");
  assertTrue(Math.abs(waiting.evidence.logImmediate) < 1e-12, "evidence is 1");
  assertEquals(drive.pass(1500).state.phase, "inconclusive");
  assertIncludes(drive.last.verdict, "a person decides");
});

Deno.test("isolates that die under the canary hold the rollout, and the verdict says so", () => {
  const drive = new Drive();
  drive.pass(60);
  drive.totals[0].canary = { ...drive.totals[0].canary, requests: 50, isolate_deaths: 1 };
  drive.totals[0].stable.requests = 950;
  assertIncludes(
    drive.pass(301).verdict,
    "isolates died under the canary (1 death in 50 requests; stable 0",
  );
  assertEquals([drive.state.phase, drive.state.step], ["hold", 0]);
  drive.totals[0].stable.isolate_deaths = 19;
  drive.pass(1);
  assertEquals([drive.state.phase, drive.state.step], ["ramp", 1]);
});

Deno.test("labels have their own half of alpha; promotion waits for them", () => {
  const drive = new Drive(
    rolloutPlanSchema.parse({ steps: [{ share: 0.5, seconds: 10 }], warmupSeconds: 0 }),
  );
  drive.look();
  const [step] = drive.totals;
  for (const arm of ["canary", "stable"] as const) {
    step[arm] = {
      ...step[arm],
      requests: 5000,
      latency_measured: 5000,
      latency_p95: 50,
      labelled: 1000,
      wrong: 100,
    };
  }
  assertIncludes(drive.pass(11).verdict, "wrong-label rate is not yet shown");
  assertEquals(drive.state.phase, "hold");
  step.canary.wrong = 220;
  assertIncludes(drive.pass(1).verdict, "wrong-label ratio 2.2");
  assertEquals(drive.state.phase, "rolled_back");
});

Deno.test("of tolerant latency events few remain: a difference of one point is enough", () => {
  const drive = new Drive(
    rolloutPlanSchema.parse({ steps: [{ share: 0.5, seconds: 10 }], warmupSeconds: 0 }),
  );
  drive.look();
  for (const arm of ["canary", "stable"] as const) {
    drive.totals[0][arm] = { ...drive.totals[0][arm], requests: 4000, latency_measured: 4000 };
  }
  assertEquals(drive.pass(11).state.phase, "promoted");
  const unmeasured = new Drive(drive.plan);
  unmeasured.look();
  for (const arm of ["canary", "stable"] as const) unmeasured.totals[0][arm].requests = 4000;
  assertIncludes(
    unmeasured.pass(11).verdict,
    "no request was counted for the slow-request (p95) test",
  );
});

Deno.test("plans: every problem is found", () => {
  const { error } = rolloutPlanSchema.safeParse({
    steps: [{ share: 0.5, seconds: 1 }, { share: 0.2, seconds: 1 }],
    startWeights: [1],
    weights: { errors: 1, latency_p90: 1, latency_p95: 0, latency_p99: 0 },
  });
  assertEquals(error?.issues.length, 3);
  assertEquals(evaluate(DEFAULT_PLAN, emptyTotals(4)).needed, 200);
});

Deno.test("counts that do not fit the shares hold the rollout", () => {
  const drive = new Drive();
  drive.pass(60);
  drive.totals[0].canary.requests = 10;
  drive.totals[0].stable.requests = 5000;
  assertIncludes(drive.pass(301).verdict, "10 canary and 5000 stable requests were counted");
  assertEquals([drive.state.phase, drive.state.holdReason, drive.state.step], [
    "hold",
    "sample_ratio",
    0,
  ]);
  drive.totals[0].canary.requests = 260;
  assertEquals([drive.pass(1).state.phase, drive.state.step], ["ramp", 1]);
});

Deno.test("a canary whose answers get no labels is not promoted by the stable version's wrong ones", () => {
  const steps = [{ share: 0.5, seconds: 10 }];
  const unlabelled = (labels: "if_any" | "ignored") => {
    const drive = new Drive(rolloutPlanSchema.parse({ steps, warmupSeconds: 0, labels }));
    drive.look();
    for (const arm of ["canary", "stable"] as const) {
      const counts = { requests: 4000, latency_measured: 4000 };
      drive.totals[0][arm] = { ...drive.totals[0][arm], ...counts };
    }
    drive.totals[0].stable.labelled = 1000;
    drive.totals[0].stable.wrong = 200;
    return drive.pass(11);
  };
  const { state, verdict } = unlabelled("if_any");
  assertEquals([state.phase, state.holdReason], ["hold", "label_ratio"]);
  assertIncludes(verdict, "0 canary and 1000 stable requests were labelled");
  assertEquals(unlabelled("ignored").state.phase, "promoted");
});
