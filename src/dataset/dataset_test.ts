import { assertEquals, assertSerinError, assertTrue } from "../testing/mod.ts";
import { parseCsv } from "./csv.ts";
import { getColumn, sliceRows } from "./dataset.ts";
import { datasetDigest } from "./digest.ts";

const parse = (text: string) => parseCsv(new TextEncoder().encode(text));

Deno.test("a column that is not there names the nearest", async () => {
  const dataset = parse("nswprice,target\n1,0\n");
  assertEquals(getColumn(dataset, "target").name, "target");
  await assertSerinError(() => getColumn(dataset, "traget"), "not_found", 'did you mean "target"?');
  await assertSerinError(() => getColumn(dataset, "qqq"), "not_found", "nswprice, target");
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
