import { assertEquals } from "../../testing/mod.ts";
import { CELLS_MAX, CountCells, CountLedger } from "./count_cells.ts";

Deno.test("a rollout that runs keeps its counts, however many others begin and end beside it", () => {
  const ledger = new CountLedger(), cells = new CountCells();
  ledger.add(cells);
  const first = ledger.cellOf("long", 0, "stable");
  cells.count(first, "requests");
  const totalOf = (rollout: string) =>
    ledger.totals().find((count) => count.rollout === rollout)?.totals.requests;
  for (let i = 0; i < 3 * CELLS_MAX; i++) {
    const cell = ledger.cellOf(`short ${i}`, 0, "stable");
    assertEquals(cells.read(cell, "requests"), 0);
    cells.count(cell, "requests");
    assertEquals(ledger.cellOf("long", 0, "stable"), first);
  }
  assertEquals(totalOf("long"), 1);
  assertEquals(totalOf("short 0"), undefined);
  assertEquals(totalOf(`short ${3 * CELLS_MAX - 1}`), 1);
});

Deno.test("what a dead isolate counted stays, what it left unfinished is an error", () => {
  const ledger = new CountLedger(), cells = new CountCells();
  ledger.add(cells);
  const cell = ledger.cellOf("r", 0, "canary");
  for (const field of ["started", "requests", "started"] as const) cells.count(cell, field);
  assertEquals(ledger.retire(cells), [{ rollout: "r", arm: "canary", unfinished: 1 }]);
  const totals = { requests: 2, errors: 1, isolate_deaths: 1 };
  assertEquals(ledger.totals(), [{ rollout: "r", step: 0, arm: "canary", totals }]);
});

Deno.test("a cell counts on above 32 bits", () => {
  const cells = new CountCells();
  new BigInt64Array(cells.buffer).fill(2n ** 32n - 1n);
  cells.count(0, "requests");
  assertEquals(cells.read(0, "requests"), 2 ** 32);
});
