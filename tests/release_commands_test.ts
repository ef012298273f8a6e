/** The commands of a model's workflow, by themselves: what they refuse, and what they leave behind. */
import { assertEquals, assertIncludes, linearModel } from "../src/testing/mod.ts";
import { sampleTable } from "../src/starter/mod.ts";
import { Workbench } from "./support/workbench.ts";

Deno.test("register: folder, run and verdict are of one model, or there is no version", async () => {
  await using bench = await Workbench.open();
  const { api } = await bench.registry();
  await bench.write("train.csv", sampleTable(1500, 1));
  await bench.write("holdout.csv", sampleTable(1500, 2));
  await bench.write("train.yaml", "target: late\ngbdt: {trees: 10}\n");
  await bench.write("gate.yaml", "target: late\nabsolute: {auc: {min: 0.99}}\n");
  const at = ["--registry", api.url];
  const train = async (out: string, ...more: string[]) => {
    const args = ["train", "--data", "train.csv", "--spec", "train.yaml", "--out", out];
    const { code, stderr } = await bench.run(...args, ...more);
    assertEquals(code, 0, stderr);
  };
  await train("model", ...at);
  await train("offline");
  const register = ["register", "--name", "late", ...at, "--model"];

  await bench.refused([...register, "offline"], 1, "does not have the model of run");
  await bench.refused([...register, "nowhere"], 1, "nowhere");
  await bench.refused([...register.with(2, "a/b"), "model"], 2, 'cannot have "/" or ":"');
  const candidate = ["--candidate", "model", "--data", "holdout.csv", "--spec", "gate.yaml"];
  const gate = await bench.run("gate", ...candidate, "--verdict", "no.json");
  assertEquals(gate.code, 3, gate.stderr);
  const judged = [...register, "model", "--verdict"];
  await bench.refused([...judged, "no.json"], 3, "model is not registered: refused");
  await bench.write("text.json", "{}");
  await bench.refused([...judged, "text.json"], 1, "not the verdict of a gate");
  await Deno.writeFile(bench.path("offline/model.onnx"), linearModel());
  await bench.refused(
    [...register, "offline", "--verdict", "no.json"],
    1,
    "no.json is about another model",
  );

  const forced = await bench.run(
    ...["gate", ...candidate, "--verdict", "forced.json", "--force-reason", "a first try"],
  );
  assertEquals(forced.code, 0, forced.stderr);
  const args = [...judged, "forced.json", "--tag", "who=me", "--outputs", "out.txt", "--json"];
  const made = await bench.run(...args);
  assertEquals(made.code, 0, made.stderr);
  const { version, is_new, gate: outcome } = JSON.parse(made.stdout);
  assertEquals([version, is_new, outcome], ["1", true, "refused"]);
  const outputs = "version=1\nmodel_uri=models:/late/1\n";
  assertEquals(await Deno.readTextFile(bench.path("out.txt")), outputs);
  const { tags } = await api.client.versions.get("late", "1");
  const keys = tags.map(({ key }) => key).sort();
  assertEquals(keys, ["serin.gate", "serin.gate_report", "serin.model_sha256", "who"]);
  // A job that is run again makes no second version.
  const again = await bench.run(...args);
  assertEquals([JSON.parse(again.stdout).version, JSON.parse(again.stdout).is_new], ["1", false]);
});

Deno.test("canary plan: checked whole before it is set; abort and wait without a rollout", async () => {
  await using bench = await Workbench.open();
  const { api } = await bench.registry();
  await api.register("m", linearModel());
  const at = ["--registry", api.url];
  await bench.write("bad.yaml", "steps: [{share: 0.5, seconds: 1}, {share: 0.2}]\nwarmup: 3\n");
  const bad = await bench.run("canary", "plan", "--model", "m", "--file", "bad.yaml", ...at);
  assertEquals([bad.code, bad.stdout], [2, ""]);
  assertIncludes(bad.stderr, 'there is no setting "warmup": did you mean "warmupSeconds"?');
  assertIncludes(bad.stderr, '"steps.1.seconds"');
  assertEquals((await api.client.models.get("m")).tags, []);
  await bench.write("good.yaml", "steps: [{share: 0.5, seconds: 1}]\n");
  const plan = ["canary", "plan", "--file", "good.yaml", ...at, "--model"];
  await bench.refused([...plan, "n"], 1, 'no registered model "n"', 'did you mean "m"?');
  const set = await bench.run(...plan, "m");
  assertEquals(set.code, 0, set.stderr);
  assertIncludes(set.stdout, "the plan of m's next rollout");
  const { tags } = await api.client.models.get("m");
  const tag = tags.find(({ key }) => key === "serin.rollout_plan")!;
  assertEquals(JSON.parse(tag.value).steps, [{ share: 0.5, seconds: 1 }]);

  for (const command of ["wait", "abort"]) {
    const words = ["canary", command, ...at];
    await bench.refused([...words, "--canary", "models:/m/1"], 1, "no rollout of m version 1");
    await bench.refused([...words, "--model", "m"], 1, "has no rollout");
    await bench.refused([...words, "r1", "--model", "m"], 2, "each name a rollout");
  }
});

Deno.test("data check and smoke: reports for programs, and what cannot be checked", async () => {
  await using bench = await Workbench.open();
  await bench.write("rows.csv", sampleTable(300, 1));
  const check = ["data", "check", "--data", "rows.csv"];
  const good = await bench.run(...check, "--target", "late", "--json", "--junit", "data.xml");
  assertEquals(good.code, 0, good.stderr);
  const { outcome, counts } = JSON.parse(good.stdout);
  assertEquals([outcome, counts.refused], ["passed", 0]);
  assertIncludes(await Deno.readTextFile(bench.path("data.xml")), 'name="serin data check"');
  const bad = await bench.run(...check, "--target", "hour", "--rows-min", "500");
  assertEquals(bad.code, 3, bad.stderr);
  for (const part of ["300 rows; 500 are needed", "target.classes", "not fit to train on"]) {
    assertIncludes(bad.stdout, part);
  }
  await bench.refused(check, 2, "which column is the target?");
  await bench.refused([...check, "--target", "late", "--reference", "old"], 1, "old/profile.json");

  await bench.write("m.onnx", linearModel());
  const served = await bench.serve(["--model", "named=m.onnx"]);
  const smoke = ["smoke", "--url", served.url, "--timeout-seconds", "0", "--model"];
  const well = await bench.run(...smoke, "named", "--json", "--junit", "smoke.xml");
  assertEquals(well.code, 0, well.stderr + well.stdout);
  const ids = JSON.parse(well.stdout).checks.map(({ id }: { id: string }) => id);
  assertEquals(ids, ["ready", "model", "answer", "latency"]);
  assertIncludes(await Deno.readTextFile(bench.path("smoke.xml")), 'failures="0"');
  const other = await bench.run(...smoke, "models:/named/2");
  assertEquals(other.code, 1, other.stdout);
  assertIncludes(other.stdout, "answered 404");
  await bench.refused([...smoke, "models:/named@champion"], 2, "a name or models:/NAME/VERSION");
});
