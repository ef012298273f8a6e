import { LIMITS, SeededRandom } from "../core/mod.ts";
import { labelsRequestSchema } from "../rollout/sync.ts";
import { assertEquals, assertSerinError, assertTrue } from "../testing/mod.ts";
import { isPlain, parseLabels } from "./labels_request.ts";

const bytesOf = (text: string) => new TextEncoder().encode(text);

Deno.test("labels are read from a body as it came", () => {
  const labels = [{ prediction: "AQ", label: 1 }, { prediction: "AR", row: 3, label: "yes" }];
  assertEquals(parseLabels(bytesOf(JSON.stringify({ labels }))).labels, [
    { prediction: "AQ", row: 0, label: 1 },
    { prediction: "AR", row: 3, label: "yes" },
  ]);
});

Deno.test("what is no labels request is refused with what is wrong", async () => {
  const many = Array.from({ length: LIMITS.labelsMax + 1 }, () => ({ prediction: "A", label: 1 }));
  const cases: [body: string, code: "invalid_input" | "too_large", part: string][] = [
    ["", "invalid_input", "no JSON"],
    ["{", "invalid_input", "no JSON"],
    ["[]", "invalid_input", "No labels request"],
    ['{"labels":[{"label":1}]}', "invalid_input", "labels.0.prediction"],
    ['{"labels":[{"prediction":"A","label":"a\\u0000"}]}', "invalid_input", "labels.0.label"],
    ['{"labels":[{"prediction":"A","row":-1,"label":1}]}', "invalid_input", "labels.0.row"],
    [JSON.stringify({ labels: many }), "too_large", "10001 labels"],
  ];
  for (const [body, code, part] of cases) {
    await assertSerinError(() => parseLabels(bytesOf(body)), code, part);
  }
});

/** What may stand where a value is asked for, right and wrong. */
const VALUES: readonly unknown[] = [
  ...["", "a\0", "a", "x".repeat(1000), "x".repeat(1001), "x".repeat(1025), "2026-11-24T10:00:00Z"],
  ...[0, 1, -1, 0.5, 2 ** 53, Infinity, NaN, true, null, undefined, [], {}],
];
const KEYS = ["prediction", "row", "label", "time", "more"];

Deno.test("what needs no schema is what the schema takes unchanged", () => {
  const random = new SeededRandom(5);
  const pick = <T>(from: readonly T[]) => from[random.uint32() % from.length];
  let plain = 0;
  for (let i = 0; i < 20_000; i++) {
    const label: Record<string, unknown> = { prediction: "t", row: 0, label: 1 };
    for (let n = random.uint32() % 3; n > 0; n--) {
      const key = pick(KEYS);
      if (random.uint32() % 3 === 0) delete label[key];
      else label[key] = pick(VALUES);
    }
    const request = { labels: [{ prediction: "t", row: 3, label: "yes" }, label] };
    if (!isPlain(request)) continue;
    plain++;
    assertEquals(labelsRequestSchema.safeParse(request), { success: true, data: request });
  }
  assertTrue(plain > 5000, `${plain} of 20000`);
  for (const value of [null, [], {}, { labels: {} }, { labels: [1] }, { labels: [], more: 1 }]) {
    assertEquals(isPlain(value), false);
  }
});
