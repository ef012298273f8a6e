import { type Column, parseCsv } from "../dataset/mod.ts";
import { assertEquals, assertSerinError } from "../testing/mod.ts";
import { selectFeatures } from "./frame.ts";
import { binaryLabels, numericLabels } from "./target.ts";

const column = (...values: string[]): Column =>
  parseCsv(new TextEncoder().encode(`y,z\n${values.map((v) => `${v},1`).join("\n")}\n`)).columns[0];

Deno.test("two classes, numbers or text; the greater is class 1", () => {
  const labels = binaryLabels(column("2", "-1", "2"));
  assertEquals([labels.classes, [...labels.values]], [[-1, 2], [1, 0, 1]]);
  const texts = binaryLabels(column("up", "down", "up"));
  assertEquals([texts.classes, [...texts.values]], [["down", "up"], [1, 0, 1]]);
});

Deno.test("targets that cannot be learned", async () => {
  const check = (run: () => unknown, ...parts: string[]) =>
    assertSerinError(run, "invalid_data", ...parts);
  await check(() => binaryLabels(column("1", "1")), "1 class (1)", "two");
  await check(() => binaryLabels(column("1", "2", "3")), "3 classes (1, 2, 3)", "regression");
  await check(() => binaryLabels(column("1", "", "0", "NA")), "data row 1", "in 1 more");
  await check(() => binaryLabels(column("a", "", "b")), "data row 1");
  await check(() => numericLabels(column("1", "x")), "is text", 'data row 1 has "x"');
  await check(() => binaryLabels(column("1", "1e999")), "classes 1 and Infinity", "as text");
  await check(() => binaryLabels(column("0.5", "0.500000001")), "classes 0.5 and 0.500000001");
  await check(() => numericLabels(column("1", "1e300")), "data row 1", "1e+300");
});

Deno.test("a target that float32 cannot tell apart is refused; large, small and constant ones are not", async () => {
  const values = (at: number, by: number) =>
    column(...Array.from({ length: 50 }, (_, i) => String(at + by * i)));
  const refused = () => numericLabels(values(1.7e12, 1));
  await assertSerinError(refused, "invalid_data", "varies too little", "2.0e+5", "subtract");
  for (const [at, by] of [[5e9, 1e7], [0, 1e-30], [0.1, 0], [1e38, 1e36], [1e6, 1]]) {
    assertEquals(numericLabels(values(at, by)).values.length, 50, `${at} ${by}`);
  }
});

Deno.test("a text feature names the value that makes it text", async () => {
  const dataset = parseCsv(new TextEncoder().encode("a,b,c,y\n1,red,3,0\n?,blue,4,1\n"));
  const error = await assertSerinError(
    () => selectFeatures(dataset, "y", []),
    "invalid_data",
    '"a" is text (data row 1 has "?"), "b" is text (data row 0 has "red")',
    "an empty field, NA, NaN, nan, null; or ignore them",
  );
  assertEquals(error.details, { columns: ["a", "b"] });
});

Deno.test("features: text, ignored and reserved columns", async () => {
  const dataset = parseCsv(new TextEncoder().encode("a,city,label,y\n1.1,x,2,0\n"));
  await assertSerinError(
    () => selectFeatures(dataset, "y", ["label"]),
    "invalid_data",
    '"city" is text',
    'features: {ignore: ["label", "city"]}',
  );
  await assertSerinError(() => selectFeatures(dataset, "y", ["city"]), "invalid_data", '"label"');
  await assertSerinError(() => selectFeatures(dataset, "y", ["ctiy"]), "not_found", '"city"?');
  const all = ["a", "city", "label"];
  await assertSerinError(() => selectFeatures(dataset, "y", all), "invalid_data", "No column");
  const frame = selectFeatures(dataset, "y", ["city", "label"]);
  assertEquals([frame.names, frame.values[0][0]], [["a"], Math.fround(1.1)]);
});
