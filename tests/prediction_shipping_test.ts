/** Replicas of `serin serve` send their prediction logs to `serin retrain serve`, as a user has them. */
import {
  assertEquals,
  assertIncludes,
  assertTrue,
  freePort,
  linearModel,
  type SerinProcess,
  type TestRegistry,
  until,
} from "../src/testing/mod.ts";
import { checkMetrics } from "./prometheus/check_metrics.ts";
import { findPrometheus } from "./prometheus/find_prometheus.ts";
import { ask, type Served, Workbench } from "./support/workbench.ts";

const MODEL = "slopes";
const ADMIN = "admin-token-0123456789", REPLICA = "replica-token-0123456789";
const SPEC = `models: [{ model: ${MODEL} }]\n`;

/** A registry with a champion, replicas, and a receiver that may come and go at one port. */
class Lab implements AsyncDisposable {
  readonly bench: Workbench;
  readonly api: TestRegistry;
  readonly port = freePort();
  /** Rows that were answered, with their labels where they were taken. */
  readonly rows = new Map<number, number | undefined>();
  #next = 1;

  private constructor(bench: Workbench, api: TestRegistry) {
    this.bench = bench;
    this.api = api;
  }

  static async open(): Promise<Lab> {
    const bench = await Workbench.open();
    const { api } = await bench.registry();
    await api.client.models.setAlias(MODEL, "champion", await api.register(MODEL, linearModel()));
    await bench.write("admin-token", `${ADMIN}\n`);
    await bench.write("replica-token", `${REPLICA}\n`);
    await bench.write("retrain.yaml", SPEC);
    return new Lab(bench, api);
  }

  receiver(): Promise<SerinProcess> {
    return this.bench.start(
      ...["retrain", "serve", "--registry", this.api.url, "--spec", "retrain.yaml"],
      ...["--data", "retrain", "--port", `${this.port}`, "--prediction-log", "received"],
      ...["--token-file", "admin-token", "--replica-token-file", "replica-token"],
    );
  }

  replica(name: string): Promise<Served> {
    return this.bench.serve([
      ...["--registry", this.api.url, "--model", `models:/${MODEL}@champion`],
      ...["--replica", name, "--cache", this.bench.path(`cache-${name}`)],
      ...["--prediction-log", `ring-${name}`, "--workers", "2"],
      ...["--prediction-log-to", `http://localhost:${this.port}/`],
      ...["--prediction-log-token-file", "replica-token"],
    ]);
  }

  /** Asks for some rows, and gives every second one its label at the other replica. */
  async ask(at: Served, labelAt: Served, count: number): Promise<number[]> {
    const asked: number[] = [];
    for (let i = 0; i < count; i++) {
      const row = this.#next++;
      const answer = await at.infer(MODEL, { a: [row], b: [0] });
      assertEquals(answer.status, 200, answer.text);
      this.rows.set(row, undefined);
      asked.push(row);
      if (row % 2 === 0) continue;
      const prediction = answer.json.parameters.serin_prediction;
      const labelled = await labelAt.label([{ prediction, row: 0, label: row % 4 }]);
      assertEquals(labelled.json.accepted, 1, labelled.text);
      this.rows.set(row, row % 4);
    }
    return asked;
  }

  /** What an export of the receiver's folder holds: every row with its label, in their order. */
  async exported(): Promise<string[]> {
    const { code, stderr } = await this.bench.run(
      ...["predictions", "export", "--log", "received", "--output", "out.csv"],
    );
    assertEquals(code, 0, stderr);
    const [header, ...lines] = (await Deno.readTextFile(this.bench.path("out.csv")))
      .trimEnd().split("\n");
    assertEquals(header, "a,b,target");
    return lines.toSorted((a, b) => parseInt(a) - parseInt(b));
  }

  expected(): string[] {
    return [...this.rows].map(([row, label]) => `${row},0,${label ?? ""}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.bench[Symbol.asyncDispose]();
  }
}

const valueOf = (page: string, name: string) =>
  [...page.matchAll(new RegExp(`^${name}(?:\\{[^}]*\\})? (\\S+)$`, "gm"))]
    .reduce<number | undefined>((sum, [, value]) => (sum ?? 0) + Number(value), undefined);

async function metric(served: Served, name: string): Promise<number | undefined> {
  return valueOf(await served.metrics(), `serin_prediction_log_${name}`);
}

/** Waits until a replica has written so many rows of its own, and sent what it has. */
async function allSent(served: Served, rows: number): Promise<void> {
  await until("all is written and sent", async () => {
    const page = await served.metrics();
    const of = (name: string) => valueOf(page, `serin_prediction_log_${name}`);
    return of("rows_total") === rows && of("unsent_rows") === 0;
  });
}

Deno.test("every answered row is received once, with its label, whoever ends meanwhile", async (t) => {
  await using lab = await Lab.open();
  let receiver = await lab.receiver();
  let one = await lab.replica("one");
  const two = await lab.replica("two");
  await lab.ask(one, two, 40);
  await lab.ask(two, one, 40);

  await t.step("rows and labels come by themselves, and can be exported meanwhile", async () => {
    for (const served of [one, two]) await allSent(served, 40);
    await until("the labels are there", async () => {
      const { text } = await ask(`${receiver.url}/metrics`);
      return valueOf(text, "serin_prediction_log_received_labels_total") === 40;
    });
    assertEquals(await lab.exported(), lab.expected());
    assertEquals(await metric(one, "receiver_reachable"), 1);
    assertEquals(await metric(one, "sent_rows_total"), 40);
  });

  await t.step(
    "a receiver that is killed, and comes back: what came meanwhile is sent",
    async () => {
      await receiver.kill();
      await lab.ask(one, two, 30);
      await lab.ask(two, one, 30);
      await until("it is missed", async () => await metric(one, "receiver_reachable") === 0);
      await until("rows wait", async () => await metric(one, "unsent_rows") === 30);
      receiver = await lab.receiver();
      for (const served of [one, two]) await allSent(served, 70);
    },
  );

  await t.step("a replica that is killed sends what its ring holds when it is back", async () => {
    await receiver.stop();
    await lab.ask(one, two, 20);
    await until("it is written", async () => await metric(one, "rows_total") === 90);
    await until("labels too", async () => await metric(two, "labels_total") === 45);
    // Of the last second: they may be lost, and nothing else.
    const last = await lab.ask(one, two, 6);
    await one.process.kill();
    receiver = await lab.receiver();
    one = await lab.replica("one");
    await until(
      "all is sent",
      async () =>
        await metric(one, "receiver_reachable") === 1 && await metric(one, "unsent_rows") === 0,
    );
    const there = new Set((await lab.exported()).map((line) => parseInt(line)));
    for (const row of last) if (!there.has(row)) lab.rows.delete(row);
  });

  await t.step("a replica that ends sends its last rows and labels first", async () => {
    await lab.ask(two, two, 21);
    assertEquals((await two.process.stop()).code, 0, two.process.stderr);
    assertTrue(!two.process.stderr.includes("was not sent"), two.process.stderr);
    const sent = await lab.exported();
    assertEquals(sent.filter((line) => parseInt(line) > 166).length, 21, "of the last 21 rows");
    assertEquals(sent, lab.expected());
  });

  const programs = await findPrometheus();
  const suffix = "missing" in programs ? ` (skipped: ${programs.missing})` : "";
  await t.step(`promtool has nothing to say${suffix}`, async () => {
    if ("missing" in programs) return;
    for (const page of [await one.metrics(), (await ask(`${receiver.url}/metrics`)).text]) {
      assertEquals(await checkMetrics(programs.promtool, page), { code: 0, output: "" });
    }
  });
});

Deno.test("a replica's token sends and does nothing else; another one's log stays where it is", async () => {
  await using lab = await Lab.open();
  const { bench, api } = lab;
  const receiver = await lab.receiver();
  const history = await bench.run(
    ...["retrain", "history", "--retrain", receiver.url, "--token-file", "replica-token"],
  );
  assertEquals(history.code, 1);
  assertIncludes(history.stderr, "A replica's token may not GET /api/serin/v1/retrainings");
  await bench.write("other-token", "another-token-0123456789\n");
  const served = await bench.serve([
    ...["--registry", api.url, "--model", `models:/${MODEL}@champion`],
    ...["--prediction-log", "ring", "--prediction-log-to", receiver.url],
    ...["--prediction-log-token-file", "other-token"],
  ]);
  await until("it is said", () => served.process.stderr.includes("is not sent"));
  assertIncludes(served.process.stderr, "--prediction-log-token-file");
  assertEquals((await served.infer(MODEL, { a: [1], b: [2] })).status, 200);
  await until("it is counted", async () => await metric(served, "unsent_rows") === 1);
  assertEquals(await metric(served, "receiver_reachable"), 0);
  assertEquals((await served.process.stop()).code, 0);
  assertIncludes(served.process.stderr, "a part of the prediction log was not sent");
  const { text } = await ask(`${receiver.url}/metrics`);
  assertEquals(valueOf(text, "serin_prediction_log_received_rows_total"), undefined);
});

Deno.test("what cannot be sent or received is refused at the start, with a way out", async () => {
  await using bench = await Workbench.open();
  const { api } = await bench.registry();
  await bench.write("linear/model.onnx", linearModel());
  const serve = ["serve", "linear", "--port", "0", "--admin-port", "0"];
  await bench.refused([...serve, "--prediction-log-to", "http://x"], 2, "--prediction-log DIR");
  await bench.refused([...serve, "--prediction-log-token-file", "t"], 2, "--prediction-log-to URL");
  const log = [...serve, "--prediction-log", "log", "--prediction-log-to"];
  await bench.refused([...log, "elsewhere"], 2, "receiver of prediction logs", "elsewhere");
  const secret = await bench.refused([...log, "http://me:secret@x"], 2, "a user or a password");
  assertTrue(!secret.includes("secret"), secret);

  await bench.write("retrain.yaml", SPEC);
  const retrain = ["retrain", "serve", "--registry", api.url, "--spec", "retrain.yaml"];
  await bench.refused([...retrain, "--port", "0"], 2, `model "${MODEL}"`, "--prediction-log DIR");
  const own = [...retrain, "--port", "0", "--prediction-log", "received"];
  await bench.write("token", `${ADMIN}\n`);
  await bench.refused([...own, "--replica-token-file", "token"], 2, "no admin token");
  await bench.refused(
    [...own, "--replica-token-file", "token", "--token-file", "token"],
    2,
    "the same token",
  );
  await bench.refused([...own, "--prediction-log-bytes", "1k"], 2, "too small");
});
