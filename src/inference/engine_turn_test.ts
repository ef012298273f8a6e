import { assertEquals, assertTrue } from "../testing/mod.ts";
import { engineTurn } from "./engine_turn.ts";

Deno.test("work with the engine never overlaps, keeps its order, and survives a failure", async () => {
  const seen: string[] = [];
  const work = (name: string, fails = false) =>
    engineTurn(async () => {
      seen.push(`${name} begins`);
      await new Promise((done) => setTimeout(done, 1));
      seen.push(`${name} ends`);
      if (fails) throw new Error(name);
      return name;
    });
  const results = await Promise.allSettled([work("a"), work("b", true), work("c")]);
  assertEquals(results.map(({ status }) => status), ["fulfilled", "rejected", "fulfilled"]);
  assertEquals(seen, ["a begins", "a ends", "b begins", "b ends", "c begins", "c ends"]);
});

Deno.test("a long queue lets what happens meanwhile be seen", async () => {
  const compute = () => {
    const end = performance.now() + 4;
    while (performance.now() < end);
    return Promise.resolve();
  };
  let seenAfter: number | undefined, done = 0;
  setTimeout(() => seenAfter = done, 0);
  const queue = Array.from({ length: 30 }, () => engineTurn(compute).then(() => done++));
  await Promise.all(queue);
  assertTrue(seenAfter !== undefined && seenAfter < 20, `seen after ${seenAfter} of 30`);
});
