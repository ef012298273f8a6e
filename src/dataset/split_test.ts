import { assertEquals, assertTrue } from "../testing/mod.ts";
import { splitRows } from "./split.ts";

const SHARES = { validation: 0.2, test: 0.2, seed: 7 };

function checkEveryRowOnce(rows: number, kind: "time" | "random" | "stratified") {
  const classes = Uint8Array.from({ length: rows }, (_, i) => i % 10 === 0 ? 1 : 0);
  const split = splitRows(rows, { kind, classes, ...SHARES });
  const all = [...split.train, ...split.validation, ...split.test];
  assertEquals(all.sort((a, b) => a - b), Array.from({ length: rows }, (_, i) => i));
  for (const part of Object.values(split)) assertEquals(part, part.slice().sort());
  return { split, classes };
}

Deno.test("every row is in one part, each part in order, whatever the kind and the size", () => {
  for (const kind of ["time", "random", "stratified"] as const) {
    for (const rows of [1, 2, 5, 17, 1000]) checkEveryRowOnce(rows, kind);
  }
});

Deno.test("time: the test part is the end of the data", () => {
  const { split } = checkEveryRowOnce(10, "time");
  assertEquals([...split.validation, ...split.test], [6, 7, 8, 9]);
});

Deno.test("random: same seed, same parts; another seed, others", () => {
  const one = splitRows(100, { kind: "random", ...SHARES });
  assertEquals(splitRows(100, { kind: "random", ...SHARES }), one);
  assertTrue(
    splitRows(100, { kind: "random", ...SHARES, seed: 8 }).test.join() !== one.test.join(),
    "the seed has no effect",
  );
});

Deno.test("stratified: each part has the classes' shares", () => {
  const { split, classes } = checkEveryRowOnce(1000, "stratified");
  for (
    const [part, ones] of [[split.train, 60], [split.validation, 20], [split.test, 20]] as const
  ) {
    assertEquals(part.reduce((sum, row) => sum + classes[row], 0), ones);
  }
});
