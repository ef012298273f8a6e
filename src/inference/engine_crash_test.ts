import { assertEquals, assertSerinError } from "../testing/mod.ts";
import { engineTurn } from "./engine_turn.ts";
import { isEngineCrash, OrtSession } from "./ort_session.ts";

// A crash is for good, so this file has an isolate of its own.
Deno.test("after a crash nothing waits for the engine in vain, and nothing more runs on it", async () => {
  const fake = (run: () => Promise<never>) =>
    new OrtSession({
      inputMetadata: [],
      outputMetadata: [],
      run,
      release: () => Promise.resolve(),
    });
  const failing = fake(() => Promise.reject(new Error("index out of range")));
  const crashing = fake(() =>
    Promise.reject(new WebAssembly.RuntimeError("memory access out of bounds"))
  );
  let began = 0;
  const work = () => engineTurn(() => Promise.resolve(++began));
  const runs = [failing.run([]), crashing.run([])];
  const waiting = [work(), work()];
  const [failed, crashed] = await Promise.allSettled(runs);
  assertEquals(failed.status === "rejected" && isEngineCrash(failed.reason), false);
  assertEquals(crashed.status === "rejected" && isEngineCrash(crashed.reason), true);
  for (const late of [...waiting, work()]) {
    await assertSerinError(() => late, "unavailable", "is being replaced", "retry");
  }
  assertEquals(began, 0);
});
