import type { RolloutStatus } from "../control/mod.ts";
import { assertEquals } from "../testing/mod.ts";
import { abortOrTell } from "./canary_abort_run.ts";

Deno.test("abort: those under way and those that wait for a person, none that has ended", async () => {
  const aborted: string[] = [];
  const control = {
    abortRollout: (id: string) => {
      aborted.push(id);
      return Promise.resolve({ id, phase: "aborted" } as RolloutStatus);
    },
  };
  const phases = ["warmup", "ramp", "hold", "inconclusive", "promoted", "rolled_back", "aborted"];
  for (const phase of phases) {
    await abortOrTell(control, { id: phase, phase } as RolloutStatus);
  }
  assertEquals(aborted, ["warmup", "ramp", "hold", "inconclusive"]);
});
