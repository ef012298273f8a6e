import { LIMITS } from "../core/mod.ts";
import { assertEquals, FakeClock } from "../testing/mod.ts";
import { ReplicaRoster } from "./replica_roster.ts";

const heard = (replica: string, incarnation = "a") => ({
  replica,
  incarnation,
  sequence: 1,
  models: [],
  counts: [],
});

Deno.test("the list: live ones first, each with its last time; long silent ones are gone", () => {
  const clock = new FakeClock(), roster = new ReplicaRoster(clock, false), start = clock.now();
  roster.hear(heard("pod-1"));
  roster.hear(heard("pod-2"));
  roster.hear(heard("pod-1", "b"));
  clock.advance(6000);
  roster.hear(heard("pod-2"));
  const listed = () =>
    roster.list().map(({ replica, incarnation, seenAt, live }) =>
      [replica, incarnation, seenAt - start, live].join(" ")
    );
  assertEquals(listed(), ["pod-2 a 6000 true", "pod-1 a 0 false", "pod-1 b 0 false"]);
  clock.jump(-3_600_000);
  assertEquals(listed()[0], "pod-2 a 6000 true", "a clock that is set changes nobody's life");
  clock.advance(15 * 60_000);
  assertEquals(listed(), []);
});

Deno.test("the list is bounded", () => {
  const roster = new ReplicaRoster(new FakeClock(), false);
  for (let i = 0; i < LIMITS.replicasListedMax + 10; i++) roster.hear(heard(`pod-${i}`));
  assertEquals(roster.list().length, LIMITS.replicasListedMax);
});
