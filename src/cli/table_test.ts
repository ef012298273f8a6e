import { assertEquals } from "../testing/mod.ts";
import { formatTable } from "./table.ts";

Deno.test("a table: texts to the left, numbers to the right, short rows padded", () => {
  assertEquals(
    formatTable(["name", "rows"], [["a", "12 %"], ["long", "7 %"], ["c"]]),
    ["name  rows", "────  ────", "a     12 %", "long   7 %", "c"].join("\n"),
  );
});
