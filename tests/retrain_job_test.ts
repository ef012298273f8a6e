/**
 * `serin retrain serve --train-in job` on a real registry. The test is the controller: it reads the request
 * and runs `serin train` with the template's arguments and those of the request.
 */
import { SeededRandom } from "../src/core/mod.ts";
import {
  assertEquals,
  assertIncludes,
  assertTrue,
  SerinProcess,
  type SerinResult,
  type TestRegistry,
  until,
} from "../src/testing/mod.ts";
import { drawRows, toCsv } from "./support/two_worlds.ts";
import { ask, type Json, post, Workbench } from "./support/workbench.ts";

const MODEL = "slopes";
const TOKEN = "an-admin-token-0123456789", ACCESS = { authorization: `Bearer ${TOKEN}` };
const REQUEST = "serin.training_request", STATUS = "serin.training_status";

/** A champion of a world that is no more, and two exports of rows of the new one. */
class Lab implements AsyncDisposable {
  readonly bench: Workbench;
  readonly api: TestRegistry;

  private constructor(bench: Workbench, api: TestRegistry) {
    this.bench = bench;
    this.api = api;
  }

  static async open(): Promise<Lab> {
    const bench = await Workbench.open(), random = new SeededRandom(3);
    const { api } = await bench.registry();
    await bench.write("old.csv", toCsv(drawRows(1500, 3, random)));
    await bench.write("exports/monday.csv", toCsv(drawRows(800, -3, random)));
    await bench.write("exports/tuesday.csv", toCsv(drawRows(700, -3, random)));
    await bench.write("token", TOKEN);
    await bench.write("train.yaml", "gbdt: { trees: 40, leaves: 7, early_stopping: 10 }\n");
    await bench.write("gate.yaml", "latency: { ratio_max: null }\n");
    await bench.write(
      "retrain.yaml",
      `models: [{ model: ${MODEL}, data: { csv: ["exports/*.csv"] }, train: train.yaml, ` +
        `gate: gate.yaml, brakes: { new_labels_min: 0 } }]\n`,
    );
    const lab = new Lab(bench, api);
    assertEquals(await lab.trainOn("old.csv"), "1");
    await api.client.models.setAlias(MODEL, "champion", "1");
    return lab;
  }

  /** A person's training. @returns the version */
  async trainOn(data: string): Promise<string> {
    const { code, stdout, stderr } = await this.bench.run(
      ...["train", "--data", data, "--target", "target", "--spec", "train.yaml", "--json"],
      ...["--out", "person", "--overwrite", "--registry", this.api.url, "--register", MODEL],
    );
    assertEquals(code, 0, stderr);
    return JSON.parse(stdout).registered.version;
  }

  retrain(port = "0"): Promise<SerinProcess> {
    return this.bench.start(
      ...["retrain", "serve", "--registry", this.api.url, "--spec", "retrain.yaml"],
      ...["--data", "retrain", "--port", port, "--train-in", "job", "--token-file", "token"],
    );
  }

  /** Begins a retraining. @returns its id, and what it asks the controller for */
  async alert(retrain: SerinProcess): Promise<{ id: string; args: string[] }> {
    const alerts = [{
      status: "firing",
      labels: { alertname: "SerinModelDegraded", model: MODEL },
      annotations: {},
      startsAt: "2026-11-24T10:00:00Z",
      fingerprint: "c1fe9e3ba8c9f0d5",
    }];
    const webhook = { version: "4", groupKey: "{}", status: "firing", receiver: "retrain", alerts };
    const { json, text } = await post(`${retrain.url}/v1/alerts`, webhook, ACCESS);
    const [{ id, decision }] = json.decisions;
    assertEquals(decision, "accepted", text);
    const request = await until("a Job is asked for", async () => {
      const { tags } = await this.api.client.models.get(MODEL);
      return tags.find(({ key }) => key === REQUEST)?.value;
    });
    const asked = JSON.parse(request);
    assertEquals(asked.id, id);
    return { id, args: asked.arguments };
  }

  async status(id: string, phase: string, message = ""): Promise<void> {
    const text = JSON.stringify({ id, phase, job: "serin-train-slopes-0", message });
    await this.api.client.models.setTag(MODEL, STATUS, text);
  }

  /** The pod of the Job: the template's command, its arguments, the request's. */
  pod(retrain: string, args: readonly string[]): string[] {
    return [
      ...["train", "--out", "job", "--registry", this.api.url],
      ...["--data-token-file", "token", "--data-token-origin", retrain],
      ...[...args, "--register", MODEL],
    ];
  }

  run(retrain: string, args: readonly string[]): Promise<SerinResult> {
    return this.bench.run(...this.pod(retrain, args));
  }

  async ended(retrain: SerinProcess, id: string): Promise<Json> {
    return await until("the retraining ends", async () => {
      const at = `${retrain.url}/api/serin/v1/retrainings/${id}`;
      const { json } = await ask(at, { headers: ACCESS });
      return json.run.endedMs !== undefined && json.run;
    }, 90_000);
  }

  async aliasOf(alias: string): Promise<string | undefined> {
    return (await this.api.client.models.findByAlias(MODEL, alias))?.version;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.bench[Symbol.asyncDispose]();
  }
}

Deno.test("a Job fetches its rows, and its version is judged on those that it was not given", async () => {
  await using lab = await Lab.open();
  const { bench, api } = lab, retrain = await lab.retrain();
  const { id, args } = await lab.alert(retrain);
  await lab.status(id, "running");
  // A person trains the same model meanwhile: a new version is not yet the Job's.
  assertEquals(await lab.trainOn("old.csv"), "2");
  const trained = await lab.run(retrain.url, args);
  assertEquals(trained.code, 0, trained.stderr);
  await lab.status(id, "succeeded");
  const run = await lab.ended(retrain, id);
  assertEquals([run.state, await lab.aliasOf("challenger")], ["succeeded", "3"], run.reason);
  const [collect, train] = run.steps;
  assertEquals([collect.facts.rows, collect.facts.train.end], [1500, 1050]);
  assertEquals([train.facts.version, typeof train.facts.metrics.auc], ["3", "number"]);
  const rows = `${retrain.url}/api/serin/v1/retrainings/${id}/rows.csv`;
  const { tags } = (await api.client.runs.get(train.facts.runId)).data;
  const tagOf = (name: string) => tags.find(({ key }) => key === name)?.value;
  assertEquals([tagOf("serin.data"), tagOf("serin.rows")], [rows, "0-1050"]);
  assertEquals(tagOf(REQUEST), id);

  // The rows are those that the gate judged by, and other commands read them as well.
  const head = await ask(rows, { method: "HEAD", headers: ACCESS });
  const whole = await ask(rows, { headers: ACCESS });
  assertEquals(whole.text, await Deno.readTextFile(bench.path(collect.facts.path)));
  for (const { headers } of [head, whole]) {
    assertEquals(headers.get("content-length"), String(collect.facts.bytes));
    assertEquals(headers.get("etag"), `"${collect.facts.sha256}"`);
  }
  assertEquals([(await ask(rows)).status, head.text], [401, ""]);
  await bench.refused(["data", "check", "--data", rows, "--target", "target"], 1, "answered 401");
  const token = ["--data", rows, "--data-token-file", "token"];
  const checked = await bench.run("data", "check", ...token, "--target", "target");
  assertEquals(checked.code, 0, checked.stderr);
  assertIncludes(checked.stdout, `${rows}, 1500 rows`);
  const judged = await bench.run(
    ...["gate", ...token, "--candidate", "job", "--champion", "person", "--rows", "1050-1500"],
    ...["--spec", "gate.yaml"],
  );
  assertEquals(judged.code, 0, judged.stderr);
});

Deno.test("a Job that fails ends the retraining with its words, and nothing has moved", async () => {
  await using lab = await Lab.open();
  const retrain = await lab.retrain();
  const { id, args } = await lab.alert(retrain);
  await lab.bench.write("train.yaml", "gbdt: { tree: 40 }\n");
  const { code, stderr } = await lab.run(retrain.url, args);
  assertEquals(code, 2, stderr);
  await lab.status(id, "failed", `container serin ended with 2 (Error): ${stderr}`);
  const run = await lab.ended(retrain, id);
  assertEquals(run.state, "failed");
  assertIncludes(run.reason, "The training Job serin-train-slopes-0 failed");
  assertIncludes(run.reason, "gbdt.tree");
  assertEquals([await lab.aliasOf("champion"), await lab.aliasOf("challenger")], ["1", undefined]);
  const { latest_versions } = await lab.api.client.models.get(MODEL);
  assertEquals(latest_versions.map(({ version }) => version), ["1"]);
});

Deno.test("retrain serve is killed while its Job runs: the Job waits for its rows, and has one version", async () => {
  await using lab = await Lab.open();
  const first = await lab.retrain(), { url } = first;
  const { id, args } = await lab.alert(first);
  await lab.status(id, "running");
  await first.kill();
  const pod = lab.bench.begin(lab.pod(url, args));
  await until("the Job has asked in vain", () => {
    assertTrue(!/^error: /m.test(pod.stderr), pod.stderr);
    return pod.stderr.includes("rows.csv is tried again");
  });
  const second = await lab.retrain(new URL(url).port);
  // Nobody writes how the Job ends: the controller is away too.
  const run = await lab.ended(second, id);
  assertEquals([run.state, await lab.aliasOf("challenger")], ["succeeded", "2"], run.reason);
  assertEquals(run.steps.map(({ attempts }: Json) => attempts), [1, 2, 1, 1]);
  const { latest_versions, tags } = await lab.api.client.models.get(MODEL);
  assertEquals(latest_versions.map(({ version }) => version), ["2"]);
  assertEquals(JSON.parse(tags.find(({ key }) => key === REQUEST)!.value).id, id);
});

Deno.test("where Jobs reach it must be an address", async () => {
  await using bench = await Workbench.open();
  const serve = ["retrain", "serve", "--registry", "http://127.0.0.1:1", "--spec", "retrain.yaml"];
  await bench.write("retrain.yaml", `models: [{ model: a, data: { csv: [a.csv] } }]\n`);
  await bench.write("token", TOKEN);
  const job = [...serve, "--train-in", "job", "--token-file", "token"];
  await bench.refused([...job, "--host", "0.0.0.0"], 2, "Jobs cannot reach", "--own-url");
  await bench.refused([...job, "--own-url", "http://u:hunter2@h"], 2, "a user or a password");
  await bench.refused([...job, "--own-url", "serin-retrain:8083"], 2, "no http(s) address");
});
