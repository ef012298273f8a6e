import { SeededRandom, silentLog } from "../core/mod.ts";
import {
  assertEquals,
  assertIncludes,
  assertSerinError,
  assertTrue,
  linearModel,
  nonFiniteModel,
} from "../testing/mod.ts";
import { type GateOptions, run } from "./gate_run.ts";

/** Rows whose truth a linear model with weights 1, -1 knows; `b` stays below 0.9. */
function rowsOf(rows: number): string {
  const random = new SeededRandom(11), lines = ["a,b,y"];
  for (let row = 0; row < rows; row++) {
    const a = (6 * random.unit() - 3).toFixed(4), b = (3.8 * random.unit() - 3).toFixed(4);
    lines.push(`${a},${b},${random.unit() < 1 / (1 + Math.exp(Number(b) - Number(a))) ? 1 : 0}`);
  }
  return `${lines.join("\n")}\n`;
}

async function inFolder(test: (path: (name: string) => string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  const path = (name: string) => `${folder}/${name}`;
  try {
    await Deno.writeFile(path("good.onnx"), linearModel(1, -1));
    await Deno.writeFile(path("bad.onnx"), linearModel(-1, 1));
    await Deno.writeFile(path("nan.onnx"), nonFiniteModel());
    await Deno.writeTextFile(path("rows.csv"), rowsOf(3000));
    await test(path);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function judged(
  path: (name: string) => string,
  options: Partial<GateOptions> & { yaml?: string },
): Promise<{ code: number; text: string }> {
  const { yaml = "target: y\nlatency: {ratio_max: null}\n", ...rest } = options,
    lines: string[] = [];
  await Deno.writeTextFile(path("gate.yaml"), yaml);
  const print = (line: string) => void lines.push(line);
  const context = { log: silentLog, positionals: [], interactive: false, print };
  const code = await run({
    candidate: path("good.onnx"),
    champion: path("bad.onnx"),
    data: path("rows.csv"),
    spec: path("gate.yaml"),
    json: false,
    ...rest,
  }, context);
  return { code, text: lines.join("\n") };
}

Deno.test({
  name: "real models: exit code, table, JSON, JUnit and Markdown say the same",
  // The engine keeps a message port of its own from its first run on.
  sanitizeResources: false,
  fn: () =>
    inFolder(async (path) => {
      const files = { junit: path("gate.xml"), markdown: path("gate.md") };
      const { code, text } = await judged(path, files);
      assertEquals(code, 0, text);
      assertIncludes(text, "better than the champion in auc and log_loss");
      assertIncludes(await Deno.readTextFile(files.junit), 'tests="3" failures="0" errors="0"');
      assertIncludes(await Deno.readTextFile(files.markdown), "✅ serin gate: passed");
      const turned = { candidate: path("bad.onnx"), champion: path("good.onnx") };
      const refused = await judged(path, { ...turned, json: true });
      assertEquals(refused.code, 3);
      const json = JSON.parse(refused.text);
      assertEquals([json.outcome, json.exit_code, json.data.rows], ["refused", 3, 3000]);
      const few = await judged(path, { rows: "100-160" });
      assertEquals(few.code, 1);
      assertIncludes(few.text, "test set too small to tell");
      const forced = await judged(path, { ...turned, forceReason: "outage 7" });
      assertEquals(forced.code, 0);
      assertIncludes(forced.text, "let through by a person: outage 7");
    }),
});

Deno.test("latency is measured on the real engine, both in turn", () =>
  inFolder(async (path) => {
    const yaml = "target: y\nlatency: {ratio_max: 20, median_ms_max: 1000, rounds: 50}\n";
    const { text } = await judged(path, { yaml, json: true });
    const checks = JSON.parse(text).checks as { id: string; outcome: string }[];
    const latency = checks.filter(({ id }) => id.startsWith("latency."));
    assertEquals(latency.map(({ outcome }) => outcome), ["passed", "passed"]);
  }));

Deno.test("bad input is one clear error, and no file is written", () =>
  inFolder(async (path) => {
    const junit = path("gate.xml");
    const refused = (
      options: Parameters<typeof judged>[1],
      code: Parameters<typeof assertSerinError>[1],
      ...parts: string[]
    ) => assertSerinError(() => judged(path, { junit, ...options }), code, ...parts);
    await refused({ yaml: "target: z\n" }, "not_found", 'no column "z"');
    await refused(
      { yaml: "targt: y\nrelative: {logloss: {}}\ntest: {alpha: 7}\n" },
      "configuration",
      'did you mean "target"?',
      'did you mean "log_loss"?',
      "current value is 7",
    );
    await refused({ yaml: "relative: {auc: {}}" }, "configuration", '"target" is missing');
    await refused({ champion: path("good.onnx") }, "invalid_input", "the same file");
    await refused({ data: path("no.csv") }, "not_found", "--data", "no such file");
    await refused({ spec: path("no.yaml") }, "not_found", "--spec", "no such file");
    await refused({ rows: "2900-3001" }, "invalid_input", "3000 data rows");
    await refused({ rows: "5-5" }, "usage", "is empty");
    await refused({ candidate: "models:/prices/3" }, "usage", "needs --registry URL");
    await refused({ markdown: junit }, "usage", "the same file");
    await Deno.writeTextFile(path("empty.csv"), "");
    await refused({ data: path("empty.csv") }, "invalid_data", "is empty");
    await Deno.writeTextFile(path("header.csv"), "a,b,y\n");
    await refused({ data: path("header.csv") }, "invalid_data", "no row");
    await Deno.writeTextFile(path("words.csv"), rowsOf(300).replaceAll(/,(\d)$/gm, ",c$1"));
    await refused({ data: path("words.csv") }, "invalid_data", 'the target has "c0" and "c1"');
    const lines = rowsOf(300).trimEnd().split("\n");
    lines[101] = "0.5,1.5,1";
    await Deno.writeTextFile(path("late.csv"), lines.join("\n"));
    await refused(
      { candidate: path("nan.onnx"), data: path("late.csv") },
      "inference_failed",
      "is not finite in data row 100",
    );
    const left = [...Deno.readDirSync(path(""))].map(({ name }) => name);
    assertTrue(!left.includes("gate.xml"), left.join());
  }));
