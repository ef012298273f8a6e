import { assertEquals, assertIncludes } from "../testing/mod.ts";
import { askBrakes, type BrakeState } from "./brakes.ts";
import { type ModelRetraining, retrainSpecSchema } from "./retrain_spec.ts";

const HOUR_MS = 3_600_000, NOW = Date.UTC(2026, 10, 24);

function specOf(brakes: Partial<ModelRetraining["brakes"]> = {}): ModelRetraining {
  return retrainSpecSchema.parse({ models: [{ model: "m", data: { csv: ["x.csv"] }, brakes }] })
    .models[0];
}

const FREE: BrakeState = {
  now: NOW,
  answeredBy: undefined,
  unended: undefined,
  lastEndedMs: undefined,
  begunWithinDay: 0,
  champion: "3",
  challenger: undefined,
  labels: 500,
  labelsBefore: undefined,
};

function check(state: Partial<BrakeState>, decision: string, text?: string, brakes = {}) {
  const asked = askBrakes(specOf(brakes), { ...FREE, ...state });
  assertEquals(asked.decision as string, decision);
  assertEquals(asked.brakes.length, 7, "every brake is told");
  if (text === undefined) return;
  assertIncludes(asked.brakes.find(({ passed }) => !passed)!.text, text);
}

Deno.test("nothing holds: accepted, or pending where a person must approve", () => {
  check({}, "accepted");
  check({}, "pending", undefined, { approval: true });
});

Deno.test("each brake holds at its limit and lets go behind it", () => {
  const before = (hours: number) => NOW - hours * HOUR_MS;
  check({ answeredBy: { id: "t1", endedMs: undefined } }, "duplicate", "t1 is answering it");
  check({ answeredBy: { id: "t1", endedMs: before(23.9) } }, "duplicate", "24 h");
  check({ answeredBy: { id: "t1", endedMs: before(24) } }, "accepted");
  check({ unended: { id: "t1", state: "gate" } }, "running", "t1 is under way (gate)");
  check({ champion: undefined }, "no_champion", "champion");
  check({ challenger: "4" }, "rollout_running", "version 4 is challenger");
  check({ lastEndedMs: before(5.9) }, "cool_down", "5 h 54 min ago, 360 min are to pass");
  check({ lastEndedMs: before(6) }, "accepted");
  check({ begunWithinDay: 2 }, "budget", "2 began within 24 h, at most 2 may");
  check({ begunWithinDay: 1 }, "accepted");
  check({ begunWithinDay: 0 }, "budget", "at most 0 may", { budget_per_day: 0 });
  check({ labels: 499 }, "few_labels", "499 new labels, at least 500 are wanted");
  check({ labels: 1499, labelsBefore: 1000 }, "few_labels", "499 new labels");
  check({ labels: 1500, labelsBefore: 1000 }, "accepted");
});

Deno.test("a registry that counts from 0 again does not hold for ever; a clock that went back does not let go", () => {
  check({ labels: 600, labelsBefore: 100_000 }, "accepted");
  check({ lastEndedMs: NOW + HOUR_MS }, "cool_down", "0 ms ago");
});

Deno.test("the first brake that holds is the decision", () => {
  const state = { unended: { id: "t1", state: "train" }, labels: 0, begunWithinDay: 9 };
  check(state, "running");
  const { brakes } = askBrakes(specOf(), { ...FREE, ...state });
  assertEquals(brakes.filter(({ passed }) => !passed).map(({ brake }) => brake), [
    "running",
    "budget",
    "few_labels",
  ]);
});
