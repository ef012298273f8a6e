import { assertEquals } from "../testing/mod.ts";
import { isSameJson, surplusPatch } from "./object_difference.ts";

Deno.test("the same is the same whatever the order of fields; undefined is absence", () => {
  const cases: [a: unknown, b: unknown, same: boolean][] = [
    [{ a: 1, b: [1, { c: null }] }, { b: [1, { c: null }], a: 1 }, true],
    [{ a: 1, b: undefined }, { a: 1 }, true],
    [{ a: 1 }, { a: 1, b: null }, false],
    [[1, 2], [2, 1], false],
    [[], {}, false],
    [null, {}, false],
    ["1", 1, false],
  ];
  for (const [a, b, same] of cases) {
    assertEquals([isSameJson(a, b), isSameJson(b, a)], [same, same]);
  }
});

Deno.test("a surplus patch takes away what is too much, and nothing else", () => {
  const cases: [live: unknown, wanted: unknown, patch: unknown][] = [
    [{ a: 1 }, { a: 2, b: 1 }, undefined],
    [{ a: 1, x: 1 }, { a: 2 }, { x: null }],
    [{ a: { b: 1, x: { y: 1 } } }, { a: { b: 1 } }, { a: { x: null } }],
    [{ list: [1, 2, 3] }, { list: [1, 2] }, { list: [1, 2] }],
    [{ list: [2, 1] }, { list: [1, 2] }, undefined],
    [{ a: 1 }, { a: { b: 1 } }, undefined],
    [undefined, { a: 1 }, undefined],
  ];
  for (const [live, wanted, patch] of cases) assertEquals(surplusPatch(live, wanted), patch);
});
