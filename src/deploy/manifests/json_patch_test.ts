import { SeededRandom } from "../../core/mod.ts";
import { assertEquals, assertTrue } from "../../testing/mod.ts";
import { applyPatch, diffJson, type Json } from "./json_patch.ts";

function checkDiff(from: Json, to: Json, operations: string[]): void {
  const patch = diffJson(from, to);
  assertEquals(patch.map((one) => `${one.op} ${one.path}`), operations);
  assertEquals(applyPatch(from, patch), to);
}

Deno.test("a patch says only what differs", () => {
  checkDiff({ a: 1, b: [1, { c: 2 }] }, { a: 1, b: [1, { c: 2 }] }, []);
  checkDiff({ a: 1, b: 2 }, { b: 3, c: 4 }, ["remove /a", "replace /b", "add /c"]);
  checkDiff({ "x/y~z": 1 }, { "x/y~z": 2 }, ["replace /x~1y~0z"]);
  checkDiff([{ a: 1 }, { a: 2 }], [{ a: 1 }, { a: 3 }], ["replace /1/a"]);
  checkDiff({ a: {} }, { a: [] }, ["replace /a"]);
  checkDiff({ a: null }, { a: 0 }, ["replace /a"]);
});

Deno.test("what is put into a list, or taken out, leaves the rest alone", () => {
  checkDiff([1, 2], [0, 1, 2], ["add /0"]);
  checkDiff([1, 4], [1, 2, 3, 4], ["add /1", "add /2"]);
  checkDiff([1, 2, 3, 4], [1, 4], ["remove /1", "remove /1"]);
  checkDiff([1, 1], [1], ["remove /1"]);
  checkDiff({ a: [1, 2, 3] }, { a: [4, 5] }, ["replace /a"]);
});

Deno.test("applying the patch of any two values gives the second (seed 4)", () => {
  const random = new SeededRandom(4);
  const pick = (n: number) => random.uint32() % n;
  const value = (depth: number): Json => {
    const kind = pick(depth === 0 ? 3 : 5);
    if (kind === 3) return Array.from({ length: pick(4) }, () => value(depth - 1));
    if (kind === 4) {
      const keys = ["a", "b/c", "~", "d"].filter(() => pick(2) === 0);
      return Object.fromEntries(keys.map((key) => [key, value(depth - 1)]));
    }
    return [null, pick(3), "x"][kind];
  };
  for (let i = 0; i < 2000; i++) {
    const from = { v: value(3) }, to = { v: value(3) }, before = structuredClone(from);
    assertEquals(applyPatch(from, diffJson(from, to)), to);
    assertTrue(diffJson(to, to).length === 0, "equal values have no patch");
    assertEquals(from, before, "the given value stays as it is");
  }
});
