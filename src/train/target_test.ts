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
  await check(() => numericLabels(column("1", "x")), "is text", '"1"');
  await check(() => numericLabels(column("1", "1e300")), "data row 1", "1e+300");
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
