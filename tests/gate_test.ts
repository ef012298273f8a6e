/** `serin gate` against a registry: what it judges becomes tags of the version. */
import { gateOutcomeOf } from "../src/gate/mod.ts";
import { assertEquals, assertIncludes, assertTrue, linearModel } from "../src/testing/mod.ts";
import { SeededRandom } from "../src/core/mod.ts";
import { Workbench } from "./support/workbench.ts";

/** A table whose truth is the sigmoid of a - b. */
function table(rows: number): string {
  const random = new SeededRandom(5), lines = ["a,b,y"];
  for (let row = 0; row < rows; row++) {
    const a = 6 * random.unit() - 3, b = 6 * random.unit() - 3;
    lines.push(
      `${a.toFixed(4)},${b.toFixed(4)},${random.unit() < 1 / (1 + Math.exp(b - a)) ? 1 : 0}`,
    );
  }
  return `${lines.join("\n")}\n`;
}

Deno.test("a version's gate: passed, refused and undecided become its tags, with the report", async () => {
  await using bench = await Workbench.open();
  const { api } = await bench.registry();
  await api.register("slopes", linearModel(0.2, -0.6));
  await api.register("slopes", linearModel(1, -1));
  await api.register("slopes", linearModel(-1, 1));
  await api.client.models.setAlias("slopes", "champion", "1");
  await api.client.models.setAlias("slopes", "challenger", "3");
  await bench.write("rows.csv", table(3000));
  await bench.write("gate.yaml", "target: y\nlatency: {ratio_max: null}\n");
  const gate = (candidate: string, ...more: string[]) =>
    bench.run(
      ...["gate", "--candidate", candidate, "--champion", "models:/slopes@champion"],
      ...["--data", "rows.csv", "--spec", "gate.yaml", "--registry", api.url, ...more],
    );
  const outcomeOf = async (version: string) =>
    gateOutcomeOf((await api.client.versions.get("slopes", version)).tags);

  assertEquals((await outcomeOf("2")).outcome, "missing");
  const passed = await gate("models:/slopes/2", "--json", "--junit", "gate.xml");
  assertEquals(passed.code, 0, passed.stderr);
  const report = JSON.parse(passed.stdout);
  assertEquals([report.outcome, report.relation], ["passed", "better"]);
  assertEquals(report.tagged, { name: "slopes", version: "2" });
  assertIncludes(await Deno.readTextFile(bench.path("gate.xml")), 'failures="0" errors="0"');
  assertEquals([(await outcomeOf("2")).outcome, (await outcomeOf("2")).isAllowed], [
    "passed",
    true,
  ]);

  // By an alias it is the version behind it that is judged and tagged.
  const refused = await gate("models:/slopes@challenger");
  assertEquals(refused.code, 3, refused.stderr);
  assertIncludes(refused.stdout, "recorded on version 3 of slopes");
  assertEquals((await outcomeOf("3")).isAllowed, false);

  const forced = await gate("models:/slopes/3", "--force-reason", "the other is on fire");
  assertEquals(forced.code, 0, forced.stderr);
  const { outcome, isAllowed, forced: reason } = await outcomeOf("3");
  assertEquals([outcome, isAllowed, reason], ["refused", true, "the other is on fire"]);

  // --target is above gate.yaml.
  const other = await gate("models:/slopes/2", "--target", "yy");
  assertEquals(other.code, 1);
  assertIncludes(other.stderr, 'no column "yy"');
  const few = await gate("models:/slopes/2", "--rows", "0-60", "--target", "y");
  assertEquals(few.code, 1, few.stderr);
  assertIncludes(few.stdout, "test set too small to tell: rows.csv, rows 0-60 has 60 rows");
  assertEquals((await outcomeOf("2")).outcome, "undecided");
});

Deno.test("where the gate cannot begin, nothing is tagged", async () => {
  await using bench = await Workbench.open();
  const { api } = await bench.registry();
  await api.register("slopes", linearModel(1, -1));
  await bench.write("rows.csv", table(300));
  await bench.write("gate.yaml", "target: z\n");
  const args = ["gate", "--candidate", "models:/slopes/1", "--champion", "old.onnx"];
  await bench.write("old.onnx", linearModel(-1, 1));
  const more = ["--data", "rows.csv", "--spec", "gate.yaml", "--registry", api.url];
  await bench.refused([...args, ...more, "--junit", "gate.xml"], 1, 'no column "z"');
  const { tags } = await api.client.versions.get("slopes", "1");
  assertTrue(!tags.some(({ key }) => key.startsWith("serin.gate")), "no tags");
  const left = [...Deno.readDirSync(bench.path("."))].map(({ name }) => name);
  assertTrue(!left.includes("gate.xml"), left.join());
});
