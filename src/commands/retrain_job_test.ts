import { retrainSpecSchema } from "../retrain/mod.ts";
import { assertEquals, assertSerinError, FakeClock } from "../testing/mod.ts";
import {
  type JobTrainerOptions,
  onSameFile,
  openJobTrainer,
  openSharedFile,
} from "./retrain_job.ts";

const specOf = (csv: string[], train?: string) =>
  retrainSpecSchema.parse({ models: [{ model: "m", data: { csv }, train }] }).models[0];
const DATA = { path: "/data/fresh.csv", rows: 1000, source: "" };
const OPTIONS = { rows: { start: 0, end: 700 }, id: "t1", versionBefore: 1, out: "" };

/** A registry whose controller does what `controller` says each time that it is looked at. */
class Cluster {
  readonly clock = new FakeClock();
  readonly tags = new Map<string, string>();
  readonly asked: unknown[] = [];
  versions = 1;
  controller: (cluster: Cluster) => void = () => {};

  status(id: string, phase: string, message = ""): void {
    this.tags.set("serin.training_status", JSON.stringify({ id, phase, job: "j", message }));
  }

  train() {
    const version = () => ({
      ...{ name: "m", version: String(this.versions), run_id: `run${this.versions}` },
      ...{ creation_timestamp: 0, source: "", current_stage: "None", tags: [], aliases: [] },
    });
    const trainer = openJobTrainer({
      // Only what is read is there.
      client: ({
        models: {
          get: () =>
            Promise.resolve({
              tags: [...this.tags].map(([key, value]) => ({ key, value })),
              latest_versions: [version()],
            }),
          setTag: (_model: string, key: string, value: string) => {
            this.asked.push(JSON.parse(value));
            this.tags.set(key, value);
            return Promise.resolve();
          },
        },
        versions: { get: () => Promise.resolve(version()) },
        runs: { get: () => Promise.resolve({ data: { metrics: [{ key: "auc", value: 0.9 }] } }) },
      }) as unknown as JobTrainerOptions["client"],
      clock: this.clock,
      sleep: (ms) => {
        this.clock.advance(ms);
        this.controller(this);
        return Promise.resolve();
      },
    });
    return trainer.train(specOf(["/data/fresh.csv"], "/data/train.yaml"), DATA, OPTIONS);
  }
}

Deno.test("a Job is asked for, waited for, and its version found", async () => {
  const cluster = new Cluster();
  let looks = 0;
  cluster.controller = () => {
    if (++looks === 1) cluster.status("t1", "running");
    if (looks === 3) {
      cluster.versions = 2;
      cluster.status("t1", "succeeded");
    }
  };
  assertEquals(await cluster.train(), { version: "2", runId: "run2", metrics: { auc: 0.9 } });
  const args = ["--data", "/data/fresh.csv", "--target", "target", "--rows", "0-700"];
  const asked = { id: "t1", arguments: [...args, "--spec", "/data/train.yaml"] };
  assertEquals(cluster.asked, [asked]);
  // Taken again after a crash: the same id asks for nothing new.
  assertEquals((await cluster.train()).version, "2");
  assertEquals(cluster.asked.length, 1);
});

Deno.test("a Job that fails, one that nobody takes, one that registers elsewhere, another's", async () => {
  const failing = new Cluster();
  failing.controller = () => failing.status("t1", "failed", "error: no column");
  await assertSerinError(() => failing.train(), "invalid_data", "Job j failed: error: no column");
  const alone = new Cluster();
  const nobody = await assertSerinError(() => alone.train(), "unavailable", "No controller");
  assertEquals(nobody.retriable, true);
  const elsewhere = new Cluster();
  elsewhere.controller = () => elsewhere.status("t1", "succeeded");
  await assertSerinError(() => elsewhere.train(), "conflict", "no new version");
  const taken = new Cluster();
  taken.tags.set("serin.training_request", JSON.stringify({ id: "other" }));
  await assertSerinError(() => taken.train(), "unavailable", "is under way: other");
  assertEquals(taken.asked, []);
  taken.status("other", "failed");
  taken.controller = () => {
    taken.versions = 5;
    taken.status("t1", "succeeded");
  };
  assertEquals((await taken.train()).version, "5");
});

Deno.test("Jobs share one file, and what is judged is what was trained from", async () => {
  const folder = await Deno.makeTempDir();
  const path = `${folder}/fresh.csv`;
  await Deno.writeTextFile(path, "a,target\n1,0\n2,1\n");
  const collector = openSharedFile();
  for (const csv of [[path, path], [`${folder}/*.csv`]]) {
    await assertSerinError(() => collector.collect(specOf(csv), ""), "configuration", "one file");
  }
  await assertSerinError(() => collector.collect(specOf([`${folder}/no.csv`]), ""), "not_found");
  const data = await collector.collect(specOf([path]), "");
  assertEquals([data.path, data.rows], [path, 2]);
  const passed = { outcome: "passed", verdict: "" } as const;
  const gate = onSameFile({ judge: () => Promise.resolve(passed) });
  const judge = () =>
    gate.judge(specOf([path]), data, { version: "2", rows: { start: 0, end: 1 } });
  assertEquals(await judge(), passed);
  await Deno.writeTextFile(path, "a,target\n1,1\n2,1\n");
  await assertSerinError(judge, "conflict", "has changed since the training began");
  await Deno.remove(folder, { recursive: true });
});
