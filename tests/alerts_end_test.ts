/**
 * From what happens to who is told: a served model's inputs shift, its answers become wrong, its registry
 * goes away and comes back. A real Prometheus has the rules that are shipped, with shorter times, a real
 * Alertmanager the routes; what arrives at the webhooks is looked at.
 */
import { SeededRandom } from "../src/core/mod.ts";
import { readReplayRows, type ReplayRow } from "../src/demo/mod.ts";
import { assertEquals, assertIncludes, assertTrue, until } from "../src/testing/mod.ts";
import { type Alerting, startAlerting } from "./prometheus/alerting_stack.ts";
import { findAlertmanager, findPrometheus } from "./prometheus/find_prometheus.ts";
import { ask, type Json, post, type Served, Workbench } from "./support/workbench.ts";

const MODEL = "electricity";
/** Training and live rows are of the same time, so that nothing drifts by itself. */
const ROWS = [20_000, 28_736];
const BATCH = 100;
/** The rules' own times, shortened; nothing else of them is changed. */
const TIMES = {
  driftFor: "2s",
  driftRows: "20s",
  qualityFor: "2s",
  brokenFor: "2s",
  downFor: "2s",
} as const;

const prometheus = await findPrometheus();
const alertmanager = await findAlertmanager();
const missing = [prometheus, alertmanager].flatMap((one) => "missing" in one ? [one.missing] : []);

Deno.test({
  name: "what happens to a model is told" +
    (missing.length > 0 ? ` (skipped: ${missing[0]})` : ""),
  ignore: missing.length > 0,
  async fn(t) {
    if ("missing" in prometheus || "missing" in alertmanager) return;
    await using bench = await Workbench.open();
    let registry = await bench.registry();
    await trainAndPoint(bench, registry.process.url);
    const served = await bench.serve([
      ...["--registry", registry.process.url, "--model", `models:/${MODEL}@champion`],
    ]);
    const targets = { registry: registry.process.url, serving: served.adminUrl };
    await using alerting = await startAlerting(
      { ...prometheus, ...alertmanager },
      bench,
      { targets, times: TIMES },
    );
    await using callers = new Callers(served, await readReplayRows(ROWS[0]));
    const expectTold = tellers(alerting);

    await t.step("while all is well nobody is told", async () => {
      await until("labels and rows are seen", async () => {
        const enough =
          "version:serin_feature_rows:increase >= 2000 and on (model, model_version) " +
          'serin_realised_labels{window="1h"} >= 500 and on (model, model_version) ' +
          'serin_feature_drift_psi{column="nswdemand"} >= 0';
        return (await alerting.query(enough)).length > 0;
      }, 60_000);
      assertEquals(alerting.told, []);
    });
    await t.step("inputs shift: the gauge, the alert, the webhooks", async () => {
      callers.shift = true;
      await until("the gauge is above its limit", async () => {
        const [psi] = await alerting.query('serin_feature_drift_psi{column="nswdemand"}');
        return psi > 0.25;
      }, 60_000);
      const column = { model: MODEL, model_version: "1", namespace: "serin", column: "nswdemand" };
      await expectTold("ticket", "SerinInputDrift", column);
      const { annotations } = await expectTold("retrain", "SerinInputDrift", column);
      assertIncludes(annotations.summary, "the column nswdemand is distributed otherwise");
      assertIncludes(annotations.runbook_url, "/SerinInputDrift.md");
    });
    await t.step("the model degrades: what labels tell pages", async () => {
      callers.shift = false;
      callers.wrong = true;
      const version = { model: MODEL, model_version: "1", namespace: "serin" };
      const { annotations } = await expectTold("page", "SerinModelBroken", version);
      const told = /at least ([\d.]+)% of the last hour/.exec(annotations.summary);
      assertTrue(Number(told?.[1]) > 30, annotations.summary);
      // Its less urgent form is inhibited, unless it came first.
      await until("the model is degraded, too", () => alerting.isFiring("SerinModelDegraded"));
    });
    await t.step("the registry goes away, which explains the rest, and comes back", async () => {
      await registry.process.kill();
      await expectTold("page", "SerinRegistryDown", { job: "registry", namespace: "serin" });
      await until("replicas miss it", () => alerting.isFiring("SerinRegistryUnreachable"), 30_000);
      registry = await bench.registry(registry.port);
      await alerting.waitFor("page", "SerinRegistryDown", "resolved");
      const unreachable = alerting.told.filter(({ labels }) =>
        labels.alertname === "SerinRegistryUnreachable"
      );
      assertEquals(unreachable, [], "it was inhibited");
    });
    assertEquals(callers.problems, []);
  },
});

/** Waits for an alert and looks at whom it is about. */
function tellers(alerting: Alerting) {
  return async (to: string, name: string, labels: Readonly<Record<string, string>>) => {
    const alert = await alerting.waitFor(to, name);
    const { alertname: _, severity: _severity, serin_retrain: _retrain, ...about } = alert.labels;
    assertEquals(about, labels);
    return alert;
  };
}

async function trainAndPoint(bench: Workbench, registryUrl: string): Promise<void> {
  const data = decodeURIComponent(new URL("../data/elec2.csv", import.meta.url).pathname);
  const { code, stderr } = await bench.run(
    ...["train", "--data", data, "--target", "target", "--rows", ROWS.join("-")],
    ...["--out", bench.path("model"), "--registry", registryUrl, "--register", MODEL],
  );
  assertEquals(code, 0, stderr);
  const alias = { name: MODEL, alias: "champion", version: "1" };
  const answer = await post(`${registryUrl}/api/2.0/mlflow/registered-models/alias`, alias);
  assertEquals(answer.status, 200, answer.text);
}

/** Asks in batches, as fast as answers come, and says what was true. */
class Callers implements AsyncDisposable {
  /** A meter's scale is wrong. */
  shift = false;
  /** The truth is the opposite of what the model learned. */
  wrong = false;
  readonly problems: string[] = [];
  readonly #rows: readonly ReplayRow[];
  readonly #random = new SeededRandom(11);
  readonly #running: Promise<void>;
  #stopped = false;

  constructor(readonly served: Served, rows: readonly ReplayRow[]) {
    this.#rows = rows.slice(0, ROWS[1] - ROWS[0]);
    this.#running = this.#run();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopped = true;
    await this.#running;
  }

  async #run(): Promise<void> {
    while (!this.#stopped) {
      const rows = Array.from(
        { length: BATCH },
        () => this.#rows[this.#random.uint32() % this.#rows.length],
      );
      const answer = await this.served.infer(MODEL, this.#columns(rows));
      if (answer.status === 200) await this.#label(answer.json, rows);
      else this.problems.push(`${answer.status} ${answer.text}`);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }

  #columns(rows: readonly ReplayRow[]): Record<string, number[]> {
    return Object.fromEntries(rows[0].inputs.map(({ name }, i) => {
      const isShifted = this.shift && name === "nswdemand";
      const values = rows.map(({ inputs }) => inputs[i].value);
      return [name, isShifted ? values.map((value) => Math.min(1, 0.3 + 0.7 * value)) : values];
    }));
  }

  /** While the registry is away labels are refused, and are not sent again here. */
  async #label({ parameters }: Json, rows: readonly ReplayRow[]): Promise<void> {
    const prediction = parameters.serin_prediction;
    const labels = rows.map(({ label }, row) => ({
      prediction,
      row,
      label: this.wrong ? 1 - label : label,
    }));
    const { status, text } = await ask(`${this.served.url}/v1/labels`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ labels }),
    });
    if (status !== 200 && status !== 503) this.problems.push(`labels: ${status} ${text}`);
  }
}
