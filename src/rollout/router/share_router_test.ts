import { SeededRandom } from "../../core/mod.ts";
import { assertClose, assertEquals, assertTrue } from "../../testing/mod.ts";
import type { Assignment } from "../sync.ts";
import { CountCells } from "./count_cells.ts";
import { ShareRouter } from "./share_router.ts";

const CANARY = 1, STABLE = 0;

function assignment(step: number, share = 0.5): Assignment {
  return {
    rollout: "r",
    stable: "1",
    canary: "2",
    step,
    share,
    salt: "salt",
    latencyTolerance: { relative: 0.2, absoluteMs: 1 },
  };
}

function openRouter(seed = 1) {
  const counts = new CountCells();
  const router = new ShareRouter({ random: new SeededRandom(seed), counts });
  const cells = { stable: STABLE, canary: CANARY };
  const split = (step: number, share?: number) =>
    router.apply({ stable: "1", assignment: assignment(step, share), cells });
  const answer = (latencyMs: number, key?: string) => {
    const draw = router.draw(key)!;
    router.start(draw);
    const bad = router.finish(draw, { failed: false, latencyMs });
    return { ...draw, bad };
  };
  const measured = () =>
    counts.read(STABLE, "latency_measured") + counts.read(CANARY, "latency_measured");
  return { router, counts, split, answer, measured };
}

Deno.test("without a rollout the stable version serves, and nothing is counted", () => {
  const { router, counts, answer } = openRouter();
  assertEquals(router.draw(undefined), undefined);
  router.apply({ stable: "1", assignment: null, cells: null });
  assertEquals(answer(5).version, "1");
  assertEquals(counts.read(STABLE, "requests"), 0);
});

Deno.test("attempts are drawn by share and counted by arm; keys stick and give no evidence", () => {
  const { counts, split, answer } = openRouter();
  split(0, 0.25);
  for (let i = 0; i < 4000; i++) answer(5);
  const canary = counts.read(CANARY, "requests");
  assertClose(canary / 4000, 0.25, 0.03, "the canary's share");
  assertEquals(canary + counts.read(STABLE, "requests"), 4000);
  const versions = new Set(Array.from({ length: 50 }, () => answer(5, "user-7").version));
  assertEquals(versions.size, 1);
  const keyed = Array.from({ length: 4000 }, (_, i) => answer(5, `user-${i}`).arm);
  assertClose(keyed.filter((arm) => arm === "canary").length / 4000, 0.25, 0.03, "of keys");
  assertEquals(counts.read(CANARY, "requests"), canary);
});

Deno.test("latency levels come from the stable requests of the step before", () => {
  const { router, split, answer, measured } = openRouter();
  router.apply({ stable: "1", assignment: null, cells: null });
  for (let i = 0; i < 300; i++) answer(i < 250 ? 10 : 20);
  split(0);
  assertEquals(answer(20).bad, false);
  assertEquals(answer(30).bad, true, "above 1.2 × 20 + 1");
  assertEquals(measured(), 2);
});

Deno.test("an isolate that starts within a step fixes its levels once it has seen enough", () => {
  const { counts, split, answer, measured } = openRouter();
  split(0);
  while (measured() === 0) assertEquals(answer(10).bad, false);
  assertTrue(counts.read(STABLE, "requests") >= 200, "200 stable requests come first");
  assertEquals(answer(14).bad, true, "above 1.2 × 10 + 1");
  const before = measured();
  split(1);
  answer(10);
  assertEquals(measured(), before, "too few since: the next step begins without levels");
});

Deno.test("another version that is asked for by number does not change the levels", () => {
  const { router, split, answer } = openRouter();
  router.apply({ stable: "1", assignment: null, cells: null });
  for (let i = 0; i < 300; i++) {
    answer(10);
    const draw = { ...router.draw(undefined)!, version: "0" };
    router.finish(draw, { failed: false, latencyMs: 500 });
  }
  split(0);
  assertEquals(answer(14).bad, true, "above 1.2 × 10 + 1");
});
