import { assertEquals, assertSerinError } from "../testing/mod.ts";
import { parseModelProfile, WATCHED_COLUMNS_MAX } from "./model_profile.ts";

const column = (name: string) => ({
  name,
  rows: 10,
  missing_rate: 0.1,
  min: 1,
  max: 3,
  mean: 2,
  edges: [1, 2, 3],
  counts: [4, 5],
});
const parse = (value: unknown) =>
  parseModelProfile(new TextEncoder().encode(JSON.stringify(value)));

Deno.test("profiles of before and of later: the last column named prediction describes those", () => {
  const columns = [column("prediction"), { ...column("b"), discrete: true, later: 1 }];
  const { columns: [a, b], prediction } = parse({
    rows: 10,
    columns: [...columns, column("prediction")],
  });
  assertEquals([a.name, a.discrete, a.nullRatio, b.discrete], ["prediction", false, 0.1, true]);
  assertEquals(prediction?.edges, [1, 2, 3]);
  assertEquals(parse({ columns: [column("a")] }).prediction, undefined);
});

Deno.test("the columns beyond the limit are left out, and counted", () => {
  const names = Array.from({ length: WATCHED_COLUMNS_MAX + 3 }, (_, i) => column(`c${i}`));
  const { columns, prediction, leftOut } = parse({ columns: [...names, column("prediction")] });
  assertEquals([columns.length, prediction?.name, leftOut], [256, "prediction", 3]);
});

Deno.test("what is no profile is refused with the place", async () => {
  const cases: [unknown, string][] = [
    [{}, "columns"],
    [{ columns: [{ ...column("a"), counts: [1] }] }, "columns.0"],
    [{ columns: [{ ...column("a"), edges: [1, 3, 2] }] }, "do not ascend"],
    [{ columns: [{ ...column("a"), missing_rate: 2 }] }, "columns.0.missing_rate"],
  ];
  for (const [value, part] of cases) {
    await assertSerinError(() => parse(value), "invalid_data", part, "train");
  }
  await assertSerinError(() => parseModelProfile(Uint8Array.of(123)), "invalid_data", "no JSON");
});
