import { LIMITS, SeededRandom } from "../core/mod.ts";
import { assertEquals, assertSerinError, assertTrue } from "../testing/mod.ts";
import { parseCsv, readCsv } from "./csv.ts";
import type { Column } from "./dataset.ts";
import { parseDecimal } from "./decimal.ts";

const encoder = new TextEncoder();
const bytes = (text: string) => encoder.encode(text);

/** The cells of a column as plain values; null where missing. */
function cells(column: Column): (number | string | null)[] {
  return column.kind === "numeric"
    ? Array.from(column.values, (value) => Number.isNaN(value) ? null : value)
    : Array.from(column.codes, (code) => code < 0 ? null : column.dictionary[code]);
}

function checkCsv(text: string, expected: Record<string, (number | string | null)[]>): void {
  const dataset = parseCsv(bytes(text));
  const seen = Object.fromEntries(dataset.columns.map((column) => [column.name, cells(column)]));
  assertEquals(seen, expected, text);
}

const checkRefused = (text: string, ...parts: string[]) =>
  assertSerinError(() => parseCsv(bytes(text), { source: "a.csv" }), "invalid_data", ...parts);

Deno.test("types, missing values and every kind of line end", () => {
  checkCsv("a,b\n1,x\n", { a: [1], b: ["x"] });
  checkCsv("\ufeffa,b\r\n-1.5,x\r\nNA,\r\n", { a: [-1.5, null], b: ["x", null] });
  checkCsv("a\n1e3\nNaN\n.5\n+2.\nnull", { a: [1000, null, 0.5, 2, null] });
  checkCsv("a,b\n,\n", { a: [null], b: [null] });
  checkCsv("a,b\n1,2\n\n\r\n", { a: [1], b: [2] });
  checkCsv("a\n 7 \n-0\n", { a: [7, -0] });
  checkCsv("a\n0x10\n", { a: ["0x10"] });
  checkCsv("a\ninf\n", { a: ["inf"] });
});

Deno.test("quotes: commas, line ends, doubled quotes, numbers, header", () => {
  checkCsv('"a,1","b"\n"x,y","1.5"\n"l1\nl2",2\n"say ""hi""",""\n', {
    "a,1": ["x,y", "l1\nl2", 'say "hi"'],
    b: [1.5, 2, null],
  });
  checkCsv('a,b\n5" pipe,Größe 日本\n', { a: ['5" pipe'], b: ["Größe 日本"] });
});

Deno.test("a late text makes the whole column text, in its own spelling", () => {
  const lines = Array.from({ length: 5000 }, (_, i) => `${i}.50,${i}`);
  const dataset = parseCsv(bytes(`a,b\n${lines.join("\n")}\nlate,1\n`));
  const [a, b] = dataset.columns;
  assertTrue(a.kind === "text" && b.kind === "numeric", "kinds");
  assertEquals(a.dictionary[a.codes[7]], "7.50");
  assertEquals(a.dictionary[a.codes[5000]], "late");
  assertEquals(dataset.rows, 5001);
});

Deno.test("what is wrong is named by line and column", async () => {
  await checkRefused('a,b\n1,2\n"x,y\n', 'line 3, column "a": the double quote is never closed');
  await checkRefused('a,b\n"l\nm",2\n1\n', "line 4: 1 field where the header has 2");
  await checkRefused("a,b\n1,2,3\n", "line 2: 3 fields where the header has 2");
  await checkRefused("a,b\n1,2\n\n3,4\n", "line 3: 1 field");
  await checkRefused('a,b\n"x"y,2\n', 'line 2, column "a"', "must follow the closing double quote");
  await checkRefused("a,b,a\n1,2,3\n", 'column 3 of the header: the name "a" stands there twice');
  await checkRefused("a,,b\n1,2,3\n", "column 2 of the header: the name is empty");
  await checkRefused(",a\n0,1\n", "column 1 of the header: the name is empty", "index=False");
  await checkRefused("a,b\n", "no row below the header");
  await checkRefused("a;b\n1;2\n", 'line 1: the header has one column, "a;b"', 'have ";" between');
  await checkRefused("\ufeffa\tb\n1\t2\n", 'have "\\t" between', "commas");
  await checkRefused("a,b\r1,2\r", "line ends of CR alone", "LF");
  checkCsv('"a;b"\n1\n', { "a;b": [1] });
  checkCsv('\ufeff"a|b"\n1\n', { "a|b": [1] });
  await checkRefused("a\r", "no row below the header");
  await checkRefused("", "is empty");
  await checkRefused("PAR1xxxx", "Parquet");
  const broken = bytes("a,b\n1,x\n2,?\n");
  broken[broken.length - 2] = 0xff;
  await assertSerinError(() => parseCsv(broken), "invalid_data", 'line 3, column "b"', "UTF-8");
});

Deno.test("limits: columns and bytes of a line", async () => {
  const wide = Array.from({ length: LIMITS.csvColumnsMax + 1 }, (_, i) => `c${i}`).join(",");
  await assertSerinError(() => parseCsv(bytes(`${wide}\n`)), "too_large", "columns");
  const long = `a\n"${"x".repeat(LIMITS.csvLineBytesMax)}"\n`;
  await assertSerinError(() => parseCsv(bytes(long)), "too_large", "line 2");
});

Deno.test("a stream gives what its bytes give, wherever it is cut", async () => {
  const text = bytes('a,b\n1,"x\ny"\n2,ä\n');
  for (let cut = 0; cut <= text.length; cut++) {
    const stream = ReadableStream.from([text.slice(0, cut), text.slice(cut)]);
    assertEquals(await readCsv(stream), parseCsv(text));
  }
});

Deno.test("decimals are rounded as Number() rounds them", () => {
  const seed = Date.now() >>> 0;
  const random = new SeededRandom(seed);
  for (let i = 0; i < 50_000; i++) {
    const value = (random.unit() - 0.5) * 10 ** Math.floor(random.unit() * 12 - 5);
    const digits = Math.floor(random.unit() * 20);
    for (const text of [String(value), value.toFixed(digits), value.toExponential(digits)]) {
      const seen = parseDecimal(bytes(text), 0, text.length);
      assertTrue(Object.is(seen, Number(text)), `seed ${seed}: ${text} gives ${seen}`);
    }
  }
  for (const text of ["", "-", ".", "1e", "1_000", "--1", "1.2.3", "1e5x", "٣"]) {
    const encoded = bytes(text);
    assertEquals(parseDecimal(encoded, 0, encoded.length), undefined, text);
  }
});

Deno.test("columns grow past the estimate", () => {
  const short = Array.from({ length: 40_000 }, () => "1,a");
  const dataset = parseCsv(
    bytes(`a,b\n${"1234567890123456789012,b\n".repeat(4000)}${short.join("\n")}`),
  );
  assertEquals(dataset.rows, 44_000);
  assertEquals(cells(dataset.columns[0]).at(-1), 1);
  assertEquals(cells(dataset.columns[1]).at(-1), "a");
});
