/** The workflow that `serin init` writes, run command by command against a real registry and server. */
import {
  assertEquals,
  assertIncludes,
  assertTrue,
  serinCommand,
  TestRegistry,
} from "../src/testing/mod.ts";
import { sampleTable } from "../src/starter/mod.ts";
import { Workbench } from "./support/workbench.ts";
import { evaluate, holds, interpolate } from "./workflow/expression.ts";
import { LocalRunner } from "./workflow/local_runner.ts";
import { edit, jobsOf, MODEL, modelRelease, tell, textOf } from "./workflow/model_release.ts";

/** A folder with `serin` in it, whichever this test is about. */
async function makeBin(bench: Workbench): Promise<string> {
  const { command, args } = serinCommand();
  const words = [command, ...args].map((word) => `'${word}'`).join(" ");
  // Of a run from the sources; the workflow's own environment is empty.
  const cache = `DENO_DIR='${Deno.env.get("DENO_DIR") ?? ""}'; export DENO_DIR`;
  const path = await bench.write("bin/serin", `#!/bin/sh\n${cache}\nexec ${words} "$@"\n`);
  await Deno.chmod(path, 0o755);
  return bench.path("bin");
}

/** A feed that changed its unit: the first column is a hundred times what it was. */
function metresFor(table: string): string {
  const [header, ...lines] = table.split("\n");
  return [header, ...lines.map((line) => line.replace(/^[^,]+/, "$&00"))].join("\n");
}

/** All columns look as they should, and nothing can be learnt. */
function labelsOfOthers(table: string): string {
  const labels = sampleTable(4000, 9).trim().split("\n").map((line) => line.split(",").at(-1));
  const lines = table.trim().split("\n").map((line, i) =>
    [...line.split(",").slice(0, -1), labels[i]].join(",")
  );
  return `${lines.join("\n")}\n`;
}

const TOKEN = "admin-0123456789abcdef";

/** A registry that wants a token, as any that others reach does, and a server that follows it. */
async function startWithTokens(bench: Workbench) {
  const admin = ["--admin-token-file", await bench.write("admin-token", TOKEN)];
  const data = bench.path("registry");
  const { url } = await bench.start("registry", "--port", "0", "--data", data, ...admin);
  const token = ["--registry-token-file", bench.path("admin-token")];
  const model = ["--model", `models:/${MODEL}@champion`];
  const served = await bench.serve(["--registry", url, ...model, ...token], { wait: false });
  return { api: new TestRegistry(url, TOKEN), served, bin: await makeBin(bench) };
}

Deno.test("a model repository's workflow: first version, canary, rollback", async (t) => {
  await using bench = await Workbench.open();
  const { api, served, bin } = await startWithTokens(bench);
  const urls = { registryUrl: api.url, servingUrl: served.url };
  for (const { name, run } of modelRelease({ folder: bench.folder, bin, ...urls, token: TOKEN })) {
    if (!await t.step(name, async () => void await run())) return;
  }

  await t.step("what was recorded: gate, commit, plan", async () => {
    const { tags } = await api.client.versions.get(MODEL, "2");
    const valueOf = (key: string) => tags.find((tag) => tag.key === key)?.value;
    assertEquals(valueOf("serin.gate"), "passed");
    assertTrue(/^[0-9a-f]{40}$/.test(valueOf("mlflow.source.git.commit")!), "the commit");
    const model = await api.client.models.get(MODEL);
    const plan = model.tags.find(({ key }) => key === "serin.rollout_plan");
    assertEquals(JSON.parse(plan!.value).steps[0], { share: 0.2, seconds: 2 });
  });

  const runnerTo = (servingUrl: string) =>
    new LocalRunner({
      repository: bench.path(MODEL),
      work: bench.path(`work of ${servingUrl.split(":")[0]}`),
      bin,
      vars: { SERIN_REGISTRY: api.url, SERIN_SERVING_URL: servingUrl },
      secrets: { SERIN_REGISTRY_TOKEN: TOKEN },
      onCommand: ({ stdout, stderr }) => assertTrue(!(stdout + stderr).includes(TOKEN), "secret"),
    });
  const runner = runnerTo(served.url);

  await t.step("a smoke test that fails ends the rollout", async () => {
    // The same settings would make the champion's file again, which the gate tells.
    await edit(bench.path(`${MODEL}/train.yaml`), "leaves: 12", "leaves: 14");
    const run = await runnerTo("nowhere").run({ name: "push" });
    const before = jobsOf(["data-check", "train", "gate", "register", "deploy"]);
    assertEquals(run.jobs, { ...before, smoke: "failure" }, tell(run));
    assertIncludes(textOf(run, "smoke"), "version 3 is aborted; version 2 answers all requests");
    const { rollouts } = await api.call("GET", "rollouts");
    assertEquals([rollouts[0].canary, rollouts[0].phase], ["3", "aborted"]);
  });

  const train = `${MODEL}/data/train.csv`, good = await Deno.readTextFile(bench.path(train));

  await t.step("data that are not fit end it before anything is trained", async () => {
    await bench.write(train, metresFor(good));
    const run = await runner.run({ name: "push" });
    assertEquals(run.jobs, { ...jobsOf([]), "data-check": "failure" }, tell(run));
    assertEquals(run.steps.map(({ code }) => code), [3]);
    assertIncludes(textOf(run, "data-check"), "column.distance_km.range");
  });

  await t.step("a model that is worse is not registered", async () => {
    await bench.write(train, labelsOfOthers(good));
    const run = await runner.run({ name: "push" });
    const before = jobsOf(["data-check", "train"]);
    assertEquals(run.jobs, { ...before, gate: "failure" }, tell(run));
    assertEquals(run.steps.at(-1)!.code, 3);
    const { latest_versions } = await api.client.models.get(MODEL);
    assertEquals(latest_versions.map(({ version }) => version), ["3"]);
  });
});

Deno.test("serin init: a folder with anything in it stays as it is", async () => {
  await using bench = await Workbench.open();
  await bench.write("mine/notes.txt", "do not touch");
  await bench.refused(["init", "mine"], 1, "is there and is not empty", "never written over");
  assertEquals([...Deno.readDirSync(bench.path("mine"))].map(({ name }) => name), ["notes.txt"]);
  await bench.refused(["init", "."], 2, "name a folder that is to be made");
  await bench.refused(["init", "two words"], 2, '"two words" cannot be the model\'s name');
  const made = await bench.run("init", "two words", "--model", "words", "--json");
  assertEquals(made.code, 0, made.stderr);
  const { model, files } = JSON.parse(made.stdout);
  assertEquals([model, files.length], ["words", 9]);
  await bench.refused(["init", "two words", "--model", "words"], 1, "is not empty");
});

Deno.test("expressions: what is not understood is an error, never true", () => {
  const contexts = {
    inputs: { action: "rollback" },
    github: { event_name: "push" },
    "success()": true,
    "failure()": false,
    "always()": true,
  };
  const cases: [string, unknown][] = [
    ["inputs.action == 'rollback' && github.event_name != 'push'", false],
    ["inputs.action || 'release'", "rollback"],
    ["inputs.version || 'newest'", "newest"],
    ["!(inputs.action == 'a''b')", true],
    ["inputs.none == ''", true],
  ];
  for (const [text, value] of cases) assertEquals(evaluate(text, contexts), value, text);
  assertEquals(interpolate("a-${{ inputs.action }}-${{ inputs.none }}", contexts), "a-rollback-");
  const failed = { ...contexts, "success()": false, "failure()": true };
  assertEquals([holds(undefined, failed), holds("failure()", failed)], [false, true]);
  assertEquals([holds("inputs.action != 'x'", failed), holds("always()", failed)], [false, true]);
  for (
    const text of ["hashFiles('x')", "runner.os", "1 + 1", "(inputs.action", "inputs.action =="]
  ) {
    let problem: unknown;
    try {
      evaluate(text, contexts);
    } catch (thrown) {
      problem = thrown;
    }
    assertTrue(problem instanceof Error, text);
  }
});
