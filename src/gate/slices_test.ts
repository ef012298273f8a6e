import type { Dataset } from "../dataset/mod.ts";
import { assertEquals, assertSerinError } from "../testing/mod.ts";
import { gateSpecSchema } from "./gate_spec.ts";
import { sliceData } from "./slices.ts";

function checkSlices(data: Dataset, slices: object, expected: Record<string, number[]>): void {
  const found = sliceData(data, gateSpecSchema.parse({ slices }).slices);
  const seen = found.map(({ value, rows }) => [value, [...rows]]);
  assertEquals(Object.fromEntries(seen), expected);
}

const numbers = (values: number[]): Dataset => ({
  rows: values.length,
  columns: [{ kind: "numeric", name: "x", values: Float64Array.from(values) }],
});

Deno.test("numbers are cut into bins of about equally many rows, equal values together", () => {
  checkSlices(numbers([1, 2, 3, 4, 5, 6, 7, NaN]), { columns: [{ column: "x", bins: 2 }] }, {
    "1 to 4": [0, 1, 2, 3],
    "above 4 to 7": [4, 5, 6],
    missing: [7],
  });
  checkSlices(numbers([0, 0, 0, 0, 0, 0, 1, 2, 3]), { columns: ["x"], bins: 3 }, {
    "0": [0, 1, 2, 3, 4, 5],
    "above 0 to 3": [6, 7, 8],
  });
  checkSlices(numbers([1, 0, 1]), { columns: ["x"] }, { "0": [1], "1": [0, 2] });
});

Deno.test("texts are one slice each, the rare ones one together", () => {
  const dictionary = ["Perth", "Cairns", "Hobart"];
  const codes = Int32Array.from([0, 1, 0, 2, -1, 0]);
  const data: Dataset = { rows: 6, columns: [{ kind: "text", name: "city", codes, dictionary }] };
  checkSlices(data, { columns: ["city"], values_max: 1 }, {
    Perth: [0, 2, 5],
    "2 rarer values": [1, 3],
    missing: [4],
  });
});

Deno.test("a column that is not there is named with the nearest", async () => {
  await assertSerinError(
    () => checkSlices(numbers([1, 2]), { columns: ["X"] }, {}),
    "configuration",
    'no column "X"',
    'did you mean "x"?',
  );
});
