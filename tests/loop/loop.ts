/** The cast of the operating loop, and what is to be seen at each of its stations. */
import { readReplayRows } from "../../src/demo/mod.ts";
import { assertEquals, assertTrue, type TestRegistry, until } from "../../src/testing/mod.ts";
import { type Alerting, startAlerting } from "../prometheus/alerting_stack.ts";
import type { AlertmanagerPrograms, PrometheusPrograms } from "../prometheus/find_prometheus.ts";
import { ask, type Json, type Served, Workbench } from "../support/workbench.ts";
import { Callers, SHIFTED } from "./callers.ts";

const MODEL = "electricity";
const ALERT = "SerinModelDegraded";
/** Training and live rows are of the same time, so that nothing drifts by itself. */
const ROWS = [20_000, 28_736];
/** The rules' own times, shortened; nothing else of them is changed. */
const TIMES = { driftFor: "2s", driftRows: "20s", qualityFor: "2s", downFor: "5s" } as const;
const PLAN = {
  warmupSeconds: 2,
  steps: [{ share: 0.1, seconds: 2 }, { share: 0.25, seconds: 2 }, { share: 0.5, seconds: 2 }],
  holdSeconds: 120,
};
/** Only rows of the new world: the newest ones, and an alert comes some seconds after the shift. */
const RETRAIN = `models:
  - model: ${MODEL}
    alerts: [${ALERT}]
    data: { prediction_log: [log], rows_max: 4000, rows_min: 2000 }
    gate: gate.yaml
    brakes: { new_labels_min: 1000 }
`;
/** Rows of a few thousand draws repeat themselves: they are independent, whatever their order says. */
const GATE = "latency: { ratio_max: null }\ntest: { block_rows: 1 }\n";
const STEP_MS_MAX = 120_000;

type Programs = PrometheusPrograms & AlertmanagerPrograms;

/** When something was seen or done, milliseconds since the epoch. */
type Times = Partial<
  Record<
    | "shift"
    | "drift"
    | "quality"
    | "alert"
    | "webhook"
    | "trained"
    | "gated"
    | "challenger"
    | "promotion"
    | "resolved",
    number
  >
>;

/** A registry, a server, Prometheus, Alertmanager, callers, and what retrains. */
export class Loop implements AsyncDisposable {
  readonly opened: string;
  readonly #stack: AsyncDisposableStack;
  readonly #api: TestRegistry;
  readonly #served: Served;
  readonly #alerting: Alerting;
  readonly #callers: Callers;
  readonly #retrainUrl: string;
  readonly #times: Times = {};
  #decision = "";

  private constructor(
    stack: AsyncDisposableStack,
    cast: {
      api: TestRegistry;
      served: Served;
      alerting: Alerting;
      callers: Callers;
      retrainUrl: string;
      opened: string;
    },
  ) {
    this.#stack = stack;
    this.#api = cast.api;
    this.#served = cast.served;
    this.#alerting = cast.alerting;
    this.#callers = cast.callers;
    this.#retrainUrl = cast.retrainUrl;
    this.opened = cast.opened;
  }

  static async open(programs: Programs): Promise<Loop> {
    await using stack = new AsyncDisposableStack();
    const bench = stack.use(await Workbench.open());
    const { api, process: registry } = await bench.registry();
    const error = await trainFirst(bench, api);
    const served = await bench.serve([
      ...["--registry", registry.url, "--model", `models:/${MODEL}@champion`],
      ...["--prediction-log", bench.path("log")],
    ]);
    await bench.write("retrain.yaml", RETRAIN);
    await bench.write("gate.yaml", GATE);
    const retrain = await bench.start(
      ...["retrain", "serve", "--registry", registry.url, "--spec", "retrain.yaml"],
      ...["--data", "retrain", "--port", "0"],
    );
    const targets = { registry: registry.url, serving: served.adminUrl, retrain: retrain.url };
    const alerting = stack.use(
      await startAlerting(programs, bench, targets, TIMES, `${retrain.url}/v1/alerts`),
    );
    const rows = (await readReplayRows(ROWS[0])).slice(0, ROWS[1] - ROWS[0]);
    const callers = stack.use(new Callers(served, MODEL, rows));
    const opened = `version 1, ${(100 * error).toFixed(1)} % wrong on its test rows`;
    const retrainUrl = retrain.url;
    return new Loop(stack.move(), { api, served, alerting, callers, retrainUrl, opened });
  }

  async quiet(): Promise<string> {
    const [rows] = await this.#until("labels and rows are seen", () =>
      this.#alerting.query(
        "version:serin_feature_rows:increase >= 5000 and on (model, model_version) " +
          'serin_realised_labels{window="24h"} >= 5000 and on (model, model_version) ' +
          `serin_feature_drift_psi{column="${SHIFTED}"} < 0.1`,
      ), some);
    assertEquals(this.#alerting.told.map(({ labels }) => labels.alertname), []);
    return `${Math.round(rows)} rows, none too many wrong`;
  }

  shift(): Promise<string> {
    this.#times.shift = Date.now();
    const request = this.#callers.shift();
    return Promise.resolve(`from request ${request} on ${SHIFTED} is the other way round`);
  }

  async drift(): Promise<string> {
    const [psi] = await this.#until("the gauge is above its limit", () =>
      this.#alerting.query(
        `serin_feature_drift_psi{column="${SHIFTED}",model_version="1"} > 0.25`,
      ), some);
    this.#times.drift = Date.now();
    return `PSI of ${SHIFTED} ${psi.toFixed(2)}`;
  }

  async quality(): Promise<string> {
    const [lower] = await this.#until(
      "the realised error is above what is expected",
      () =>
        this.#alerting.query(
          'serin_realised_error_lower_ratio{window="24h",model_version="1"} > on (model, ' +
            "model_version) 1.2 * version:serin_expected_error:ratio + 0.01",
        ),
      some,
    );
    this.#times.quality = Date.now();
    return `at least ${(100 * lower).toFixed(1)} % wrong`;
  }

  async alert(): Promise<string> {
    await this.#until(
      `${ALERT} fires`,
      () => this.#alerting.isFiring(ALERT),
      (firing) => firing || undefined,
    );
    this.#times.alert = Date.now();
    return `${ALERT} fires`;
  }

  async webhook(): Promise<string> {
    const { id, firstMs, alerts, brakes } = await this.#until(
      "a decision is made about it",
      () => ask(`${this.#retrainUrl}/api/serin/v1/retrainings?limit=100`),
      ({ json }) =>
        json.retrainings.find((one: Json) =>
          one.decision === "accepted" && one.alerts.some(({ name }: Json) => name === ALERT)
        ),
    );
    this.#decision = id;
    this.#times.webhook = firstMs;
    const labels = brakes.find(({ brake }: Json) => brake === "few_labels").text;
    return `${alerts.map(({ name }: Json) => name).join(", ")}: accepted, ${labels}`;
  }

  async retraining(): Promise<string> {
    const { facts, endedMs } = await this.#stepOf("train");
    this.#times.trained = endedMs;
    const collected = (await this.#stepOf("collect")).facts;
    const { start, end } = collected.train;
    return `version ${facts.version} of ${end - start} fresh rows, AUC ${facts.metrics.auc}`;
  }

  async gate(): Promise<string> {
    const { facts, endedMs } = await this.#stepOf("gate");
    this.#times.gated = endedMs;
    assertEquals(facts.outcome, "passed", facts.verdict);
    return facts.verdict;
  }

  async challenger(): Promise<string> {
    const { version, time } = await this.#until(
      "the alias is moved",
      () => this.#api.call("GET", `models/${MODEL}/history?alias=challenger`),
      ({ changes }) => changes.find((change: Json) => change.version === "2"),
    );
    this.#times.challenger = time;
    return `challenger is version ${version}`;
  }

  async promotion(): Promise<string> {
    const rollout = await this.#until(
      "its rollout ends",
      () => this.#api.call("GET", "rollouts"),
      ({ rollouts }) => rollouts.find((one: Json) => one.canary === "2" && one.endedAt !== null),
    );
    assertEquals(rollout.phase, "promoted", rollout.verdict);
    const { changes } = await this.#api.call("GET", `models/${MODEL}/history?alias=champion`);
    assertEquals([changes[0].version, changes[0].cause], ["2", "promotion"]);
    this.#times.promotion = changes[0].time;
    return rollout.verdict;
  }

  async resolved(): Promise<string> {
    await this.#until("the retraining process hears of it", async () => {
      const firing = await this.#alerting.isFiring(ALERT);
      const { text } = await ask(`${this.#retrainUrl}/metrics`);
      return !firing && /decision="resolved"\} [1-9]/.test(text);
    }, (isOver) => isOver || undefined);
    this.#times.resolved = Date.now();
    return `${ALERT} is over, and Alertmanager has said so`;
  }

  order(): Promise<string> {
    const times = Object.entries(this.#times);
    times.forEach(([name, time], i) => {
      const [before, earlier] = times[Math.max(0, i - 1)];
      // Prometheus looks once a second, and this test ten times.
      assertTrue(time >= earlier - 1500, `${name} came before ${before}: ${JSON.stringify(times)}`);
    });
    const seconds = (this.#times.resolved! - this.#times.shift!) / 1000;
    return Promise.resolve(`${times.length} stations, ${seconds.toFixed(0)} s from end to end`);
  }

  /** Nothing else began, and the new version is watched too. */
  async holds(): Promise<string> {
    const [error] = await this.#until("its labels are seen", () =>
      this.#alerting.query(
        'serin_realised_error_ratio{window="24h",model_version="2"} and on (model, ' +
          'model_version) serin_realised_labels{window="24h"} >= 2000',
      ), some);
    const { json } = await ask(`${this.#retrainUrl}/api/serin/v1/retrainings?limit=100`);
    const begun = json.retrainings.filter(({ run }: Json) => run !== undefined);
    assertEquals(begun.length, 1, "one retraining");
    const { text } = await ask(`${this.#served.adminUrl}/metrics`);
    assertTrue(!/serin_prediction_log_dropped_total\{.*\} [1-9]/.test(text), "no row was dropped");
    return `version 2 is wrong in ${(100 * error).toFixed(1)} %; one retraining`;
  }

  requests(): Promise<string> {
    assertEquals(this.#callers.problems.slice(0, 3), []);
    return Promise.resolve(`${this.#callers.answered} requests were answered`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync();
  }

  /** A step of the retraining, when it has ended. */
  async #stepOf(name: string): Promise<Json> {
    return await this.#until(
      `the step ${name} ends`,
      () => ask(`${this.#retrainUrl}/api/serin/v1/retrainings/${this.#decision}`),
      ({ json: { run } }) => {
        if (run.state === "failed") throw new Error(`the retraining failed: ${run.reason}`);
        return run.steps.find((step: Json) => step.step === name && step.endedMs !== undefined);
      },
    );
  }

  async #until<T, R>(
    what: string,
    look: () => Promise<T>,
    find: (seen: T) => R | undefined,
  ): Promise<R> {
    const deadline = performance.now() + STEP_MS_MAX;
    let last: unknown;
    while (performance.now() < deadline) {
      const seen = await look();
      const found = find(seen);
      if (found !== undefined) return found;
      last = seen;
      await new Promise((done) => setTimeout(done, 100));
    }
    const { told } = this.#alerting;
    const names = [...new Set(told.map(({ labels, to }) => `${labels.alertname} to ${to}`))];
    throw new Error(
      `waited ${STEP_MS_MAX / 1000} s in vain: ${what} (last ${
        JSON.stringify(last)?.slice(0, 500)
      }; ` +
        `told: ${names.join(", ") || "nobody"}; callers: ${
          this.#callers.problems.at(-1) ?? "well"
        })`,
    );
  }
}

const some = (values: number[]) => values.length > 0 ? values : undefined;

/** @returns the error of version 1 on the test rows of its training */
async function trainFirst(bench: Workbench, api: TestRegistry): Promise<number> {
  const data = decodeURIComponent(new URL("../../data/elec2.csv", import.meta.url).pathname);
  const { code, stderr, stdout } = await bench.run(
    ...["train", "--data", data, "--target", "target", "--rows", ROWS.join("-"), "--json"],
    ...["--out", "first", "--registry", api.url, "--register", MODEL],
  );
  if (code !== 0) throw new Error(stderr);
  await api.client.models.setTag(MODEL, "serin.rollout_plan", JSON.stringify(PLAN));
  await api.client.models.setAlias(MODEL, "champion", "1");
  await until("it is champion", () => api.client.models.findByAlias(MODEL, "champion"));
  return 1 - JSON.parse(stdout).metrics.accuracy;
}
