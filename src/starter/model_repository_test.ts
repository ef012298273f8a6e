import { parseYamlConfig } from "../config/mod.ts";
import { readCsv } from "../dataset/mod.ts";
import { gateSpecSchema } from "../gate/mod.ts";
import { rolloutPlanSchema } from "../rollout/mod.ts";
import { trainSpecSchema } from "../train/mod.ts";
import { assertEquals, assertSerinError, assertTrue } from "../testing/mod.ts";
import {
  modelRepository,
  modelWorkflow,
  SAMPLE_COLUMNS,
  SAMPLE_TARGET,
  sampleTable,
} from "./mod.ts";

const text = (files: Map<string, Uint8Array>, path: string) =>
  new TextDecoder().decode(files.get(path));

Deno.test("the same name gives the same files, byte for byte", () => {
  const [one, two] = [modelRepository({ model: "m" }), modelRepository({ model: "m" })];
  assertEquals([...one], [...two]);
  assertEquals([...one.keys()].sort(), [
    ".github/actions/setup-serin/action.yml",
    ".github/workflows/model.yml",
    ".gitignore",
    "README.md",
    "data/holdout.csv",
    "data/train.csv",
    "gate.yaml",
    "rollout.yaml",
    "train.yaml",
  ]);
});

Deno.test("the specs are in order, and about the columns of the data", async () => {
  const files = modelRepository({ model: "parcels" });
  const read = (path: string) => ({ text: text(files, path), source: path });
  const check = <S extends Parameters<typeof parseYamlConfig>[1]>(path: string, schema: S) =>
    parseYamlConfig(read(path).text, schema, read(path));
  const train = check("train.yaml", trainSpecSchema) as { target: string; experiment: string };
  assertEquals([train.target, train.experiment], [SAMPLE_TARGET, "parcels"]);
  check("gate.yaml", gateSpecSchema);
  check("rollout.yaml", rolloutPlanSchema);
  for (const path of ["data/train.csv", "data/holdout.csv"]) {
    const { columns, rows } = await readCsv(files.get(path)!);
    assertEquals(columns.map(({ name }) => name), [...SAMPLE_COLUMNS]);
    assertTrue(columns.every(({ kind }) => kind === "numeric") && rows >= 3000, path);
  }
  assertTrue(sampleTable(10, 1) !== sampleTable(10, 2), "another seed, other rows");
});

Deno.test("every step of the workflow is an action or one command of serin", () => {
  for (
    const [name, { steps, "timeout-minutes": minutes }] of Object.entries(modelWorkflow("m").jobs)
  ) {
    assertTrue(minutes > 0, name);
    const runs = steps.flatMap(({ run }) => run ?? []);
    assertTrue(runs.length > 0, `${name} does something`);
    for (const run of runs) {
      const line = run.replaceAll(" \\\n", " ");
      assertTrue(/^serin [a-z]/.test(line) && !/[;&|`\n]|\$\(|\$\{\{/.test(line), line);
    }
    for (const { uses } of steps) {
      assertTrue(uses === undefined || /^\.\/|@v\d+\.\d+\.\d+$/.test(uses), `${uses} is pinned`);
    }
  }
});

Deno.test("a name that would need quotes is refused", async () => {
  for (const model of ["", "a b", "a/b", "1st", "$(reboot)", "a\nb", "x".repeat(101)]) {
    await assertSerinError(() => modelRepository({ model }), "usage", "cannot be the model's name");
  }
});
