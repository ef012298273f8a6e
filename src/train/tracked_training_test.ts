import { SerinError } from "../core/mod.ts";
import { parseCsv } from "../dataset/mod.ts";
import { assertEquals, assertSerinError, assertTrue } from "../testing/mod.ts";
import { type MetricPoint, type RunLog, type RunStart, thinHistory } from "./run_log.ts";
import { trainSpecSchema } from "./spec.ts";
import { trainTracked } from "./tracked_training.ts";

const rows = Array.from({ length: 300 }, (_, i) => `${i % 17},${i % 17 > 8 ? 1 : 0}`).join("\n");
const dataset = parseCsv(new TextEncoder().encode(`x,y\n${rows}\n`));
const disagrees = { run: () => Promise.resolve(new Float32Array(60)) };

class FakeRunLog implements RunLog {
  readonly calls: string[] = [];
  started: RunStart | undefined;

  start(run: RunStart) {
    this.started = run;
    return this.#note("start", "a".repeat(32));
  }
  logMetrics(points: readonly MetricPoint[]) {
    return this.#note(`metrics ${points.length}`, undefined);
  }
  logModel(files: ReadonlyMap<string, Uint8Array>) {
    return this.#note(`model ${files.size}`, undefined);
  }
  register(name: string) {
    return this.#note(`register ${name}`, "1");
  }
  finish(status: string) {
    return this.#note(`finish ${status}`, undefined);
  }
  #note<T>(call: string, answer: T): Promise<T> {
    this.calls.push(call);
    return Promise.resolve(answer);
  }
}

Deno.test("a model that onnxruntime disagrees with is not kept, and its run has failed", async () => {
  const log = new FakeRunLog();
  const request = {
    dataset,
    spec: trainSpecSchema.parse({ gbdt: { trees: 3 } }),
    target: "y",
    reference: disagrees,
    now: 0,
  };
  const save = () => Promise.reject(new Error("must not be saved"));
  const error = await assertSerinError(
    () => trainTracked(request, log, { save }),
    "internal",
    "not written",
    "validation row 0",
  );
  assertTrue(error instanceof SerinError, "kind");
  assertEquals(log.calls, ["start", "finish FAILED"]);
  assertEquals(log.started!.params["gbdt.trees"], "3");
  assertEquals(log.started!.params["target"], "y");
  assertTrue(log.started!.tags["serin.dataset"].startsWith("sha256:"), "digest");
});

Deno.test("a long history is thinned, its ends kept", () => {
  const points = thinHistory("loss", Array.from({ length: 1234 }, (_, i) => i));
  assertEquals([points.length, points[0].step, points[99].step], [100, 1, 1234]);
  assertEquals(thinHistory("loss", [5]), [{ key: "loss", value: 5, step: 1 }]);
  assertEquals(thinHistory("loss", []), []);
});
