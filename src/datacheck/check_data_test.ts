import { readCsv } from "../dataset/mod.ts";
import { assertEquals, assertIncludes, assertTrue } from "../testing/mod.ts";
import { checkData, DATA_LIMITS, dataJunit, type DataLimits, type ReferenceData } from "./mod.ts";

/** 200 rows: `a` rises, `b` has a gap each tenth row, `y` is 0 or 1. */
function table(change: (row: number) => Record<string, unknown> = () => ({})): string {
  const rows = Array.from({ length: 200 }, (_, row) => ({
    a: row,
    b: row % 10 === 0 ? "" : row % 7,
    y: row % 2,
    ...change(row),
  }));
  const lines = rows.map((row) => Object.values(row).join(","));
  return `${Object.keys(rows[0]).join(",")}\n${lines.join("\n")}\n`;
}

const REFERENCE: ReferenceData = {
  source: "models:/m/1",
  rows: 200,
  columns: [
    { name: "a", missingRate: 0, min: 0, max: 199 },
    { name: "b", missingRate: 0.1, min: 0, max: 6 },
  ],
};

interface Case {
  readonly reference?: ReferenceData;
  readonly objective?: "binary" | "regression";
  readonly target?: string;
  readonly ignored?: readonly string[];
  readonly limits?: Partial<DataLimits>;
}

async function report(csv: string, given: Case = {}) {
  return checkData({
    dataset: await readCsv(new TextEncoder().encode(csv)),
    source: "rows.csv",
    target: given.target ?? "y",
    objective: given.objective ?? "binary",
    ignored: given.ignored ?? [],
    reference: given.reference,
    limits: { ...DATA_LIMITS, ...given.limits },
    now: 0,
  });
}

/** Exactly these checks do not pass, `id: part of its sentence`; a warning starts with `!`. */
async function check(csv: string, given: Case, ...expected: string[]) {
  const { checks, outcome } = await report(csv, given);
  const found = checks.filter((each) => each.outcome !== "passed");
  const text = found.map(({ id, outcome, sentence }) =>
    `${outcome === "warned" ? "!" : ""}${id}: ${sentence}`
  );
  assertEquals(text.map((line) => line.split(":")[0]), expected.map((line) => line.split(":")[0]));
  expected.forEach((line, i) => assertIncludes(text[i], line.slice(line.indexOf(": ") + 2)));
  assertEquals(outcome, found.some(({ outcome }) => outcome === "refused") ? "refused" : "passed");
}

Deno.test("a table that is as it must be, with and without a model before it", async () => {
  await check(table(), {});
  await check(table(), { reference: REFERENCE });
  await check(table((row) => ({ y: row * 1.5 })), { objective: "regression" });
});

Deno.test("the target: there, whole, of two classes, not always the same", async () => {
  await check(table(), { target: "Y" }, 'target.present: no column "Y", the target (did you mean');
  await check(
    table((row) => ({ y: row === 7 ? "" : row % 2 })),
    {},
    "target.missing: missing in 1 of 200 rows, the first is data row 7",
  );
  await check(table(() => ({ y: 1 })), {}, "target.constant: has 1 value: 1 (200 rows)");
  await check(
    table((row) => ({ y: row % 3 })),
    {},
    "target.classes: this has 3: 0 (67 rows), 1 (67 rows), 2 (66 rows)",
  );
  await check(
    table((row) => ({ y: row < 5 ? "no" : "yes" })),
    {},
    "target.class_rows: the rarest class, no, has 5 rows; 20 are needed",
  );
  const regression = { objective: "regression" } as const;
  await check(table(() => ({ y: 4 })), regression, "target.constant: is 4 in every row");
  await check(
    table((row) => ({ y: row === 3 ? "n/a" : row })),
    regression,
    'target.type: data row 3 has "n/a"',
  );
});

Deno.test("columns: numbers, there, no more missing than before, in the known range", async () => {
  await check(
    table((row) => ({ a: row === 4 ? "4,5".replace(",", ";") : row })),
    {},
    'column.a.type: text: data row 4 has "4;5"',
  );
  await check(
    table((row) => ({ b: row % 5 < 3 ? "" : row })),
    {},
    "column.b.missing: 60 % are missing; 50 % at most",
  );
  await check(
    table((row) => ({ b: row % 10 < 3 ? "" : 3 + row % 2 })),
    { reference: REFERENCE },
    "column.b.missing: 30 % are missing, 10 % in the reference; 10 % more at most",
  );
  await check(
    table((row) => ({ a: 1000 * row })),
    { reference: REFERENCE },
    "column.a.range: 99.5 % are outside of the reference's 0 to 199; 10 % at most",
  );
  await check(
    table(() => ({ a: 1 })),
    { limits: { duplicatesMax: 1 } },
    "!column.a.constant: 1 in",
  );
});

Deno.test("columns that come, go or are misspelt", async () => {
  await check(
    table((row) => ({ c: row })),
    { reference: REFERENCE },
    "!column.c.new: did not use it",
  );
  const renamed = table().replace("a,b,y", "a,bb,y");
  await check(
    renamed,
    { reference: REFERENCE },
    'column.b.dropped: it is no column (did you mean "bb"?)',
    "!column.bb.new: new",
  );
  await check(
    table(),
    { reference: REFERENCE, ignored: ["b"] },
    "!column.b.dropped: features.ignore names it now",
  );
  await check(table(), { ignored: ["bs"] }, 'column.bs.present: (did you mean "b"?)');
  await check(table(), { ignored: ["a", "b"] }, "columns: no column is left");
});

Deno.test("too few rows, and rows that repeat", async () => {
  const [header, ...rows] = table().trim().split("\n");
  const few = [header, ...rows.slice(0, 50)].join("\n");
  await check(few, {}, "rows: 50 rows; 100 are needed");
  const reference = { ...REFERENCE, rows: 1000 };
  await check(table(), { reference }, "!rows.reference: trained on 1000");
  const twice = [header, ...rows, ...rows.slice(0, 50)].join("\n");
  await check(
    twice,
    {},
    "duplicates: 20 % of the rows repeat an earlier one, the first is data row 200; 10 % at most",
  );
  await check(twice, { limits: { duplicatesMax: 0.25 } });
});

Deno.test("JUnit: what is refused fails, what is warned of does not", async () => {
  const xml = dataJunit(await report(table((row) => ({ c: row, y: 1 })), { reference: REFERENCE }));
  assertIncludes(xml, 'failures="1" errors="0"');
  assertIncludes(xml, '<failure type="refused" message="the target has 1 value: 1 (200 rows)"/>');
  assertTrue(/name="column.c.new" time="0">\s*<system-out>warning: new/.test(xml), xml);
});
