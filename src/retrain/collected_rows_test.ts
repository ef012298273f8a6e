import { sha256Hex } from "../core/mod.ts";
import { assertEquals, assertSerinError } from "../testing/mod.ts";
import { digestRows, findRows, rowsPath } from "./collected_rows.ts";
import type { DecisionRecord, RunState } from "./retraining.ts";

const ROWS = "a,target\n1,0\n";

function recordOf(state: RunState | undefined, facts?: Record<string, unknown>): DecisionRecord {
  const begun = { attempts: 1, startedMs: 1 };
  const collect = { ...begun, step: "collect", endedMs: facts && 2, facts: facts ?? {} } as const;
  const run = { id: "t1", model: "m", reason: "", labels: 0, begunMs: 1, endedMs: undefined };
  return {
    ...{ id: "t1", model: "m", decision: "accepted", reason: "", alerts: [], brakes: [] },
    ...{ firstMs: 1, lastMs: 1, times: 1 },
    run: state && { ...run, state, steps: state === "pending" ? [] : [collect] },
  };
}

Deno.test("the rows of a retraining: not before they are collected, and as long as they are kept", async () => {
  const folder = await Deno.makeTempDir(), path = rowsPath(folder, "t1");
  const check = (record: DecisionRecord) => findRows(record, folder);
  await assertSerinError(() => check(recordOf(undefined)), "not_found", "began no retraining");
  await assertSerinError(() => check(recordOf("pending")), "conflict", "it is pending");
  await Deno.mkdir(`${folder}/runs/t1`, { recursive: true });
  await Deno.writeTextFile(path, ROWS);
  // A file that is being written, or that was found too small.
  await assertSerinError(() => check(recordOf("collect")), "conflict", "it is collect");
  await assertSerinError(() => check(recordOf("failed")), "conflict", "it is failed");
  const facts = await digestRows(path);
  assertEquals(facts, { bytes: ROWS.length, sha256: sha256Hex(ROWS) });
  const { bytes, sha256, open } = await check(recordOf("train", facts));
  assertEquals({ bytes, sha256 }, facts);
  assertEquals(await new Response(await open()).text(), ROWS);
  const ofOlder = await check(recordOf("train", { path, rows: 1 }));
  assertEquals({ bytes: ofOlder.bytes, sha256: ofOlder.sha256 }, facts);
  await Deno.remove(folder, { recursive: true });
  await assertSerinError(open, "not_found", "The rows of t1 were removed");
  await assertSerinError(() => check(recordOf("succeeded", facts)), "not_found", "were removed");
  await assertSerinError(() => digestRows(path), "storage", path);
});
