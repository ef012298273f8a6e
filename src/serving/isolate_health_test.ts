import { LIMITS } from "../core/mod.ts";
import { assertEquals } from "../testing/mod.ts";
import { type IsolateHealth, portAnswers, silenceMsMax } from "./isolate_health.ts";

const NOW = 1_000_000;

function isolate(silentMs: number, change: Partial<IsolateHealth> = {}): IsolateHealth {
  return { listening: true, isLoading: false, answeredAt: NOW - silentMs, ...change };
}

Deno.test("an isolate that loads may be silent for as long as a load may take, another for 2 s", () => {
  const cases: [IsolateHealth[], boolean][] = [
    [[isolate(100)], true],
    [[isolate(2001)], false],
    [[isolate(100), isolate(2001)], false],
    [[isolate(2001, { isLoading: true })], true],
    [[isolate(100), isolate(59_000, { isLoading: true })], true],
    [[isolate(60_001, { isLoading: true })], false],
  ];
  for (const [isolates, expected] of cases) {
    assertEquals(portAnswers(isolates, NOW), expected, JSON.stringify(isolates));
  }
});

Deno.test("one that is being replaced takes nothing from the others; without any nobody answers", () => {
  const starting = isolate(10_000, { listening: false });
  assertEquals(portAnswers([isolate(100), starting], NOW), true);
  assertEquals(portAnswers([starting], NOW), false);
  assertEquals(portAnswers([], NOW), false);
  assertEquals(
    [isolate(0), starting, isolate(0, { isLoading: true })].map(silenceMsMax),
    [LIMITS.isolateHangMsMax, LIMITS.isolateLoadMsMax, LIMITS.isolateLoadMsMax],
  );
});
