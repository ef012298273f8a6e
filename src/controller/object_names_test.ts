import { assertEquals, assertTrue } from "../testing/mod.ts";
import { dnsLabelOf, rolloutObjectName, trainingJobName } from "./object_names.ts";

const LABEL = /^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/;

Deno.test("every name becomes a label of its own, as short as asked; labels stay as they are", () => {
  const names = [
    ...[
      "iris",
      "Iris",
      "IRIS",
      "i_ris",
      "i ris",
      "-iris-",
      "ärger",
      "数据",
      "%",
      "a/b",
      "a.b",
      "a-b",
    ],
    ...["x".repeat(63), "x".repeat(64), "x".repeat(255), `${"x".repeat(254)}y`, "---", " "],
  ];
  for (const charactersMax of [12, 40, 63]) {
    const labels = names.map((name) => dnsLabelOf(name, charactersMax));
    for (const label of labels) {
      assertTrue(LABEL.test(label) && label.length <= charactersMax, `"${label}"`);
    }
    assertEquals(new Set(labels).size, names.length);
  }
  assertEquals([dnsLabelOf("iris"), dnsLabelOf("a-b")], ["iris", "a-b"]);
});

Deno.test("names of objects are labels of at most 63 characters, and the same each time", () => {
  for (const model of ["iris", "My model", "x".repeat(255)]) {
    const names = [
      rolloutObjectName(model, "r0123456789abcdef"),
      trainingJobName("serin-train", model, "any id, éà"),
    ];
    for (const name of names) assertTrue(LABEL.test(name) && name.length <= 63, name);
  }
  assertEquals(rolloutObjectName("iris", "r0123456789abcdef"), "iris-r0123456789abcdef");
  const first = trainingJobName("serin-train", "iris", "1");
  assertEquals(first, trainingJobName("serin-train", "iris", "1"));
  assertTrue(first !== trainingJobName("serin-train", "iris", "2"), "another id, another Job");
});
