import { LIMITS } from "../core/mod.ts";
import { assertEquals, assertSerinError } from "../testing/mod.ts";
import { parseLabels } from "./labels_request.ts";

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
    ['{"labels":[{"prediction":"A","row":-1,"label":1}]}', "invalid_input", "labels.0.row"],
    [JSON.stringify({ labels: many }), "too_large", "10001 labels"],
  ];
  for (const [body, code, part] of cases) {
    await assertSerinError(() => parseLabels(bytesOf(body)), code, part);
  }
});
