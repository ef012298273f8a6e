import { assertEquals, assertSerinError, assertTrue } from "../testing/mod.ts";
import { parseCsv } from "./csv.ts";
import { findNonNumber, getColumn, sliceRows } from "./dataset.ts";
import { datasetDigest } from "./digest.ts";

const parse = (text: string) => parseCsv(new TextEncoder().encode(text));

Deno.test("a column that is not there names the nearest", async () => {
  const dataset = parse("nswprice,target\n1,0\n");
  assertEquals(getColumn(dataset, "target").name, "target");
  await assertSerinError(() => getColumn(dataset, "traget"), "not_found", 'did you mean "target"?');
  await assertSerinError(() => getColumn(dataset, "qqq"), "not_found", "nswprice, target");
});

Deno.test("a name with spaces around it is told, before another that is as near", async () => {
  const dataset = parse("a, y\n1,0\n");
  await assertSerinError(() => getColumn(dataset, "y"), "not_found", 'spaces around it: " y"');
});

Deno.test("the value that made a column text is found", () => {
  const [a, b, c] = parse("a,b,c\n1,NA,x\n 2e3 ,?,y\ninf,3,x\n").columns;
  assertEquals(findNonNumber(a), { row: 2, text: "inf" });
  assertEquals(findNonNumber(b), { row: 1, text: "?" });
  assertEquals(findNonNumber(c), { row: 0, text: "x" });
  assertEquals(findNonNumber(parse("a\n1\n").columns[0]), undefined);
  const rows = sliceRows(parse("a\nx\n1\n2\n"), 1, 3);
  assertEquals(findNonNumber(rows.columns[0]), undefined);
});

Deno.test("slices are half open and clipped", () => {
  const dataset = parse("a,b\n1,x\n2,y\n3,z\n");
  const slice = sliceRows(dataset, 1, 9);
  assertEquals(slice.rows, 2);
  assertEquals(slice.columns.map((c) => c.kind === "numeric" ? c.values[0] : c.codes[0]), [2, 1]);
});

Deno.test("the digest stands for the content, not for its spelling", () => {
  const base = datasetDigest(parse("a,b\n1,x\n,y\n"));
  assertTrue(/^sha256:[0-9a-f]{64}$/.test(base), base);
  assertEquals(datasetDigest(parse('"a",b\r\n1.0,"x"\r\nNA,y')), base);
  assertEquals(datasetDigest(sliceRows(parse("a,b\n9,y\n1,x\n,y\n"), 1, 3)), base);
  for (const other of ["a,b\n1,x\n,x\n", "a,c\n1,x\n,y\n", "a,b\n,y\n1,x\n", "b,a\nx,1\ny,\n"]) {
    assertTrue(datasetDigest(parse(other)) !== base, other);
  }
});
