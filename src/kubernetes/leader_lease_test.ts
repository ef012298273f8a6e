import { openLog, SeededRandom, SerinError } from "../core/mod.ts";
import { assertEquals, assertIncludes, FakeClock, FakeKubernetes } from "../testing/mod.ts";
import { openLease } from "./mod.ts";

/** Two candidates with clocks of their own, whose wall clocks disagree by an hour. */
function openElection() {
  const api = new FakeKubernetes(), lines: string[] = [];
  const log = openLog({ write: (line) => lines.push(line) });
  const clocks = [new FakeClock(), new FakeClock(Date.UTC(2026, 0, 1, 1))];
  const [one, two] = clocks.map((clock, i) =>
    openLease({
      client: api,
      name: "serin-controller",
      identity: i === 0 ? "one" : "two",
      clock,
      log,
      random: new SeededRandom(i),
    })
  );
  const advance = (milliseconds: number) => clocks.forEach((clock) => clock.advance(milliseconds));
  const held = () => [one.isHeld(), two.isHeld()];
  return { api, one, two, clocks, advance, held, lines };
}

Deno.test("one leads while it renews; the other takes over when the Lease stands still for long", async () => {
  const { api, one, two, advance, held } = openElection();
  await one.attempt();
  for (let i = 0; i < 30; i++) {
    await two.attempt();
    await one.attempt();
    assertEquals(held(), [true, false]);
    advance(2000);
  }
  assertEquals([two.holder(), api.objects("Lease")[0].spec.leaseTransitions], ["one", 0]);
  // From here on the first one stands still.
  const seenAt: number[] = [];
  for (let waited = 0; !two.isHeld(); waited += 1000) {
    await two.attempt();
    seenAt.push(waited);
    assertEquals(held().filter(Boolean).length <= 1, true, "never two");
    advance(1000);
  }
  assertEquals([seenAt.at(-1)! >= 13_000, seenAt.at(-1)! <= 16_000], [true, true]);
  assertEquals(api.objects("Lease")[0].spec.leaseTransitions, 1);
  await one.attempt();
  assertEquals(held(), [false, true]);
});

Deno.test("a process that stood still leads no more, before it has asked anybody", async () => {
  const { one, two, clocks, held, advance } = openElection();
  await one.attempt();
  await two.attempt();
  clocks[0].advance(10_000);
  assertEquals(held(), [false, false]);
  await one.attempt();
  assertEquals(held(), [true, false], "nobody took it: it goes on");
  clocks[1].advance(3_600_000);
  clocks[1].jump(-7_200_000);
  await two.attempt();
  assertEquals(held(), [true, false], "what changed since the last look counts anew");
  advance(1);
});

Deno.test("a Lease that is given back is taken at once", async () => {
  const { api, one, two, held } = openElection();
  await one.attempt();
  await two.attempt();
  await one.release();
  assertEquals(api.objects("Lease")[0].spec.holderIdentity, "");
  await two.attempt();
  assertEquals(held(), [false, true]);
  await one.release();
  assertEquals(api.objects("Lease")[0].spec.holderIdentity, "two", "only the holder gives it back");
});

Deno.test("outages: it is said once; a renewal whose answer was lost is no race lost", async () => {
  const { api, one, two, advance, held, lines } = openElection();
  await one.attempt();
  api.after = ({ method }) => {
    if (method === "replace") throw new SerinError("unavailable", "the answer got lost");
  };
  advance(2000);
  await one.attempt();
  api.after = () => {};
  assertEquals(one.problem(), "the answer got lost");
  for (let i = 0; i < 2; i++) {
    advance(2000);
    await one.attempt();
  }
  assertEquals([held(), one.problem()], [[true, false], undefined]);
  api.before = () => {
    throw new SerinError("permission_denied", "no", { hint: 'a Role must allow "update"' });
  };
  for (let i = 0; i < 6; i++) {
    advance(2000);
    await one.attempt();
  }
  assertEquals(held(), [false, false]);
  assertEquals(lines.filter((line) => line.includes("cannot get or renew")).length, 2);
  assertIncludes(lines.join("\n"), 'a Role must allow \\"update\\"');
  assertIncludes(lines.at(-1)!, "leads no more");
  api.before = () => {};
  await two.attempt();
  assertEquals(held(), [false, false], "its own measurement begins with the first look");
});

Deno.test("two that come at once: one of them is the leader", async () => {
  const { one, two, held } = openElection();
  await Promise.all([one.attempt(), two.attempt()]);
  assertEquals(held().filter(Boolean).length, 1);
});
