/**
 * `deno task test:soak [demos|aa|storm|rows|death …]`: what only time and repetition show, on the
 * compiled executable. Prints a line a run and a table at the end; exits 1 where an expectation does
 * not hold. Takes about 20 minutes.
 */
import { formatTable } from "../src/cli/mod.ts";
import {
  failingModel,
  hangingModel,
  linearModel,
  runSerin,
  SerinProcess,
  TestRegistry,
  until,
  useCompiledSerin,
} from "../src/testing/mod.ts";

const MODEL = "soak";
/** As the demo's: minutes of a real rollout as seconds. */
const PLAN = {
  warmupSeconds: 1,
  steps: [
    { share: 0.05, seconds: 2 },
    { share: 0.1, seconds: 2 },
    { share: 0.25, seconds: 2 },
    { share: 0.5, seconds: 2 },
  ],
  holdSeconds: 20,
};

interface Row {
  readonly what: string;
  readonly seen: string;
  readonly good: boolean;
}

// deno-lint-ignore no-explicit-any
type Json = any;

/** A registry and an inference server, two versions of one model, and callers. */
class Bench implements AsyncDisposable {
  readonly registry: TestRegistry;
  readonly #processes: SerinProcess[];
  readonly #folder: string;
  readonly #serving: SerinProcess;
  stable = "";
  other = "";

  private constructor(
    folder: string,
    processes: [SerinProcess, SerinProcess],
    registry: TestRegistry,
  ) {
    this.#folder = folder;
    this.#processes = processes;
    this.#serving = processes[1];
    this.registry = registry;
  }

  static async open(stable: Uint8Array, other: Uint8Array): Promise<Bench> {
    const folder = await Deno.makeTempDir({ prefix: "serin-soak-" });
    const first = await SerinProcess.start(["registry", "--port", "0", "--data", `${folder}/data`]);
    const registry = new TestRegistry(first.url);
    const versions = [
      await registry.register(MODEL, stable),
      await registry.register(MODEL, other),
    ];
    await registry.client.models.setAlias(MODEL, "champion", versions[0]);
    const second = await SerinProcess.start([
      ...["serve", "--registry", first.url, "--model", `models:/${MODEL}@champion`],
      ...["--port", "0", "--admin-port", "0", "--cache", `${folder}/cache`],
    ]);
    const bench = new Bench(folder, [first, second], registry);
    [bench.stable, bench.other] = versions;
    await until("ready", async () => {
      const answer = await fetch(`${second.url}/v2/health/ready`);
      await answer.body?.cancel();
      return answer.ok;
    });
    return bench;
  }

  /** One request; resolves with its JSON, or undefined where it failed. */
  async infer(a: readonly number[], b: readonly number[], headers: Record<string, string> = {}) {
    try {
      const tensor = (name: string, data: readonly number[]) => ({
        name,
        shape: [data.length],
        datatype: "FP32",
        data,
      });
      const answer = await fetch(`${this.#serving.url}/v2/models/${MODEL}/infer`, {
        method: "POST",
        headers: { "content-type": "application/json", ...headers },
        body: JSON.stringify({ inputs: [tensor("a", a), tensor("b", b)] }),
      });
      const body: Json = await answer.json();
      return answer.ok ? body : undefined;
    } catch {
      return undefined;
    }
  }

  async label(labels: { prediction: string; row: number; label: number }[]): Promise<void> {
    const answer = await fetch(`${this.#serving.url}/v1/labels`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ labels }),
    });
    await answer.body?.cancel();
  }

  /** Rolls the other version out while `caller` calls on so many connections. */
  async rollout(
    caller: (bench: Bench) => Promise<void>,
    connections: number,
    plan: unknown = PLAN,
  ): Promise<Json> {
    const body = { model: MODEL, challenger: this.other, plan };
    const { id } = await this.registry.call("POST", "rollouts", body);
    let stop = false, requests = 0;
    const callers = Array.from({ length: connections }, async () => {
      for (; !stop; requests++) await caller(this);
    });
    const ended: Json = await until("the rollout ends", async () => {
      const status = await this.registry.call("GET", `rollouts/${id}`);
      return status.endedAt === null ? undefined : status;
    }, 300_000);
    stop = true;
    await Promise.all(callers);
    const deaths = this.#serving.stderr.split("\n").filter((line) => line.includes("died")).length;
    if (deaths > 0) console.log(`  isolates that died until now: ${deaths}`);
    if (ended.phase === "promoted") [this.stable, this.other] = [this.other, this.stable];
    if (ended.phase === "inconclusive") await this.registry.call("POST", `rollouts/${id}/abort`);
    const seconds = (ended.endedAt - ended.startedAt) / 1000;
    console.log(
      `  ${ended.phase} after ${seconds.toFixed(1)} s, ${requests} calls: ${ended.verdict}`,
    );
    return ended;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const process of this.#processes.toReversed()) await process.stop();
    await Deno.remove(this.#folder, { recursive: true });
  }
}

/** Ten demos in a row give the same two outcomes. */
async function demos(): Promise<Row> {
  let same = 0;
  for (let i = 1; i <= 10; i++) {
    const { code, stdout, stderr } = await runSerin(["demo", "--json"]);
    const report: Json = code === 0 ? JSON.parse(stdout) : undefined;
    const outcomes = report?.versions.map((v: Json) => v.outcome).join(", ");
    if (outcomes === "first, promoted, rolled_back" && report.failed === 0) same++;
    console.log(
      `  demo ${i}: exit ${code}, ${outcomes ?? stderr.slice(-500)}, ` +
        `${report?.requests} requests, ${report?.failed} failed, ${report?.seconds.toFixed(1)} s`,
    );
  }
  return {
    what: "demos with one promotion, one rollback, no failure",
    seen: `${same} of 10`,
    good: same === 10,
  };
}

/** The same model twice: labels come, some wrong, as fast as two cores answer. */
async function sameTwice(bench: Bench): Promise<void> {
  const answer = await bench.infer([Math.random()], [Math.random()]);
  if (answer === undefined) return;
  const wrong = Math.random() < 0.2;
  const [predicted] = answer.outputs[0].data;
  if (Math.random() > 0.2) return;
  const label = wrong ? 1 - predicted : predicted;
  await bench.label([{ prediction: answer.parameters.serin_prediction, row: 0, label }]);
}

async function countRollbacks(
  runs: number,
  open: () => Promise<Bench>,
  caller: (b: Bench) => Promise<void>,
) {
  await using bench = await open();
  let rollbacks = 0;
  for (let i = 0; i < runs; i++) {
    if ((await bench.rollout(caller, 8)).phase === "rolled_back") rollbacks++;
  }
  return rollbacks;
}

async function aa(): Promise<Row> {
  const open = () => Bench.open(linearModel(), linearModel());
  let runs = 20, rollbacks = await countRollbacks(runs, open, sameTwice);
  let good = rollbacks === 0;
  if (rollbacks === 1) {
    [runs, rollbacks] = [100, await countRollbacks(100, open, sameTwice)];
    good = rollbacks <= 3;
  }
  return {
    what: "rollbacks of the same model, highest rate",
    seen: `${rollbacks} of ${runs}`,
    good,
  };
}

/** Poisoned requests fail on both versions alike; each is retried four times with its own id. */
async function retryStorm(bench: Bench): Promise<void> {
  const poisoned = Math.random() < 0.02;
  const headers = { "x-request-id": crypto.randomUUID() };
  for (let attempt = 0; attempt < 5; attempt++) {
    const answer = await bench.infer([Math.random()], [poisoned ? 0.95 : 0.5], headers);
    if (answer !== undefined) return;
  }
}

async function storm(): Promise<Row> {
  const open = () => Bench.open(failingModel(), failingModel());
  const rollbacks = await countRollbacks(10, open, retryStorm);
  return {
    what: "rollbacks in a retry storm, equal arms",
    seen: `${rollbacks} of 10`,
    good: rollbacks === 0,
  };
}

/** Sixteen rows a request, all labelled, wrong together: one assignment is one coin. */
async function sixteenRows(bench: Bench): Promise<void> {
  const rows = Array.from({ length: 16 }, () => Math.random());
  const answer = await bench.infer(rows, rows.map(() => Math.random()));
  if (answer === undefined) return;
  const wrong = Math.random() < 0.2;
  const prediction = answer.parameters.serin_prediction;
  await bench.label(answer.outputs[0].data.map((predicted: number, row: number) => ({
    prediction,
    row,
    label: wrong ? 1 - predicted : predicted,
  })));
}

async function rows(): Promise<Row> {
  const open = () => Bench.open(linearModel(), linearModel());
  const rollbacks = await countRollbacks(10, open, sixteenRows);
  return {
    what: "rollbacks with 16 labelled rows a request, equal arms",
    seen: `${rollbacks} of 10`,
    good: rollbacks === 0,
  };
}

/** One request in fifty takes the canary's isolate down. */
async function death(): Promise<Row> {
  await using bench = await Bench.open(linearModel(), hangingModel());
  const { phase, canaryRequests } = await bench.rollout(
    async (b) => {
      await b.infer([Math.random()], [Math.random() < 0.02 ? 0.95 : 0.5]);
    },
    8,
    { ...PLAN, holdSeconds: 240 },
  );
  const seen = `${phase} after ${canaryRequests} canary requests`;
  return { what: "a canary that kills its isolate", seen, good: phase === "rolled_back" };
}

useCompiledSerin();
const PARTS = { demos, aa, storm, rows, death };
const wanted = Deno.args.length > 0 ? Deno.args : Object.keys(PARTS);
const table: Row[] = [];
for (const name of wanted) {
  if (!(name in PARTS)) throw new Error(`no part "${name}": ${Object.keys(PARTS).join(", ")}`);
  console.log(name);
  const started = performance.now();
  const row = await PARTS[name as keyof typeof PARTS]();
  table.push({
    ...row,
    seen: `${row.seen} (${((performance.now() - started) / 1000).toFixed(0)} s)`,
  });
}
console.log("");
console.log(formatTable(
  ["what", "seen", "as expected"],
  table.map(({ what, seen, good }) => [what, seen, good ? "yes" : "NO"]),
));
Deno.exit(table.every(({ good }) => good) ? 0 : 1);
