import { assertEquals } from "../testing/mod.ts";
import { formatDuration } from "./units.ts";

Deno.test("a duration never has 60 seconds or 60 minutes", () => {
  const durations = [400, 59_940, 59_960, 119_700, 3_599_900, 7_199_000];
  assertEquals(durations.map(formatDuration), [
    "400 ms",
    "59.9 s",
    "1 min 0 s",
    "2 min 0 s",
    "1 h 0 min",
    "2 h 0 min",
  ]);
});
