/** What is to be seen at each station of the operating loop, wherever its cast runs. */
import { assertEquals, assertTrue } from "../../src/testing/mod.ts";
import type { StepTable } from "../cluster/step_table.ts";
import type { Alerting } from "../prometheus/alerting_stack.ts";
import type { RuleTimes } from "../../src/deploy/monitoring/mod.ts";
import type { Json } from "../support/workbench.ts";
import { type Callers, SHIFTED } from "./callers.ts";

/** The alert that is to start a retraining. */
export const ALERT = "SerinModelDegraded";
/** Training and live rows are of the same time, so that nothing drifts by itself. */
export const ROWS = [20_000, 28_736] as const;
/** The rules' own times, shortened; nothing else of them is changed. */
export const TIMES: Partial<RuleTimes> = {
  ...{ driftFor: "2s", driftRows: "20s", qualityFor: "2s", downFor: "5s" },
};
/** Rows of a few thousand draws repeat themselves: they are independent, whatever their order says. */
export const GATE = "latency: { ratio_max: null }\ntest: { block_rows: 1 }\n";

/** @returns a `retrain.yaml` whose rows are only of the new world: an alert comes soon after the shift */
export function retrainYaml(model: string, data: string): string {
  return `models:
  - model: ${model}
    alerts: [${ALERT}]
    data: { ${data}rows_max: 4000, rows_min: 2000 }
    gate: gate.yaml
    brakes: { new_labels_min: 1000 }
`;
}

/** A champion that serves, and all that watches it. */
export interface LoopCast {
  readonly model: string;
  /** The version that serves when it begins. */
  readonly champion: string;
  readonly callers: Callers;
  readonly alerting: Alerting;
  /** The registry's own routes, e.g. `rollouts`. */
  registry(path: string): Promise<Json>;
  /** Routes of `serin retrain serve`, and its metrics page. */
  retrain(path: string): Promise<Json>;
  retrainMetrics(): Promise<string>;
  /** The metrics page of every replica. */
  servingMetrics(): Promise<string[]>;
  /** Done while a retraining is under way; what it did. */
  disturb?(): Promise<string>;
}

const TIME_NAMES = [
  ...["shift", "drift", "quality", "alert", "webhook", "trained", "gated", "challenger"],
  ...["promotion", "resolved"],
] as const;

/** Waits for each station in its turn, and keeps when it was reached. */
export class Stations {
  readonly #cast: LoopCast;
  readonly #waitMs: number;
  /** Milliseconds since the epoch. */
  readonly #times: Partial<Record<typeof TIME_NAMES[number], number>> = {};
  #decision = "";
  #fresh = "";

  /** @param waitMs how long one station may take */
  constructor(cast: LoopCast, waitMs = 120_000) {
    this.#cast = cast;
    this.#waitMs = waitMs;
  }

  /** All stations in the order in which they must be reached, and that nothing else happened. */
  async run(table: StepTable): Promise<void> {
    const needed = { needed: true };
    await table.step("all is well: nobody is told", () => this.#quiet(), needed);
    await table.step("inputs shift", () => this.#shift(), needed);
    await table.step("drift gauge", () => this.#drift(), needed);
    await table.step("realised quality", () => this.#quality(), needed);
    await table.step("alert", () => this.#alert(), needed);
    await table.step("webhook", () => this.#webhook(), needed);
    await table.step("retraining", () => this.#retraining(), needed);
    await table.step("gate", () => this.#gate(), needed);
    await table.step("challenger", () => this.#challenger(), needed);
    await table.step("promotion", () => this.#promotion(), needed);
    await table.step("alert resolved", () => this.#resolved(), needed);
    await table.step("in this order", () => this.#order());
    await table.step("the new champion holds", () => this.#holds());
    await table.step("no request failed", () => this.#requests());
  }

  async #quiet(): Promise<string> {
    const { alerting, model } = this.#cast;
    const [rows] = await this.#until("labels and rows are seen", () =>
      alerting.query(
        `version:serin_feature_rows:increase{model="${model}"} >= 5000 and on (model, ` +
          'model_version) serin_realised_labels{window="24h"} >= 5000 and on (model, ' +
          `model_version) serin_feature_drift_psi{column="${SHIFTED}"} < 0.1`,
      ), some);
    const told = alerting.told.filter(({ labels }) => labels.model === model);
    assertEquals(told.map(({ labels }) => labels.alertname), []);
    return `${Math.round(rows)} rows, none too many wrong`;
  }

  #shift(): Promise<string> {
    this.#times.shift = Date.now();
    const request = this.#cast.callers.shift();
    return Promise.resolve(`from request ${request} on ${SHIFTED} is the other way round`);
  }

  async #drift(): Promise<string> {
    const [psi] = await this.#until("the gauge is above its limit", () =>
      this.#cast.alerting.query(
        `serin_feature_drift_psi{column="${SHIFTED}",${this.#version()}} > 0.25`,
      ), some);
    this.#times.drift = Date.now();
    return `PSI of ${SHIFTED} ${psi.toFixed(2)}`;
  }

  async #quality(): Promise<string> {
    const [lower] = await this.#until(
      "the realised error is above what is expected",
      () =>
        this.#cast.alerting.query(
          `serin_realised_error_lower_ratio{window="24h",${this.#version()}} > on (model, ` +
            "model_version) 1.2 * version:serin_expected_error:ratio + 0.01",
        ),
      some,
    );
    this.#times.quality = Date.now();
    return `at least ${(100 * lower).toFixed(1)} % wrong`;
  }

  async #alert(): Promise<string> {
    const { alerting, model } = this.#cast;
    await this.#until(
      `${ALERT} fires`,
      () => alerting.isFiring(ALERT, model),
      (firing) => firing || undefined,
    );
    this.#times.alert = Date.now();
    return `${ALERT} fires`;
  }

  async #webhook(): Promise<string> {
    const { id, firstMs, alerts, brakes } = await this.#until(
      "a decision is made about it",
      () => this.#cast.retrain("retrainings?limit=100"),
      ({ retrainings }) =>
        retrainings.find((one: Json) =>
          one.decision === "accepted" && one.alerts.some(({ name }: Json) => name === ALERT)
        ),
    );
    this.#decision = id;
    this.#times.webhook = firstMs;
    const labels = brakes.find(({ brake }: Json) => brake === "few_labels").text;
    return `${alerts.map(({ name }: Json) => name).join(", ")}: accepted, ${labels}`;
  }

  async #retraining(): Promise<string> {
    const collected = (await this.#stepOf("collect")).facts;
    const disturbed = await this.#cast.disturb?.();
    const { facts, endedMs } = await this.#stepOf("train");
    this.#times.trained = endedMs;
    this.#fresh = facts.version;
    const { start, end } = collected.train;
    return `version ${facts.version} of ${end - start} fresh rows, AUC ${facts.metrics.auc}` +
      (disturbed === undefined ? "" : `; ${disturbed}`);
  }

  async #gate(): Promise<string> {
    const { facts, endedMs } = await this.#stepOf("gate");
    this.#times.gated = endedMs;
    assertEquals(facts.outcome, "passed", facts.verdict);
    return facts.verdict;
  }

  async #challenger(): Promise<string> {
    const { version, time } = await this.#until(
      "the alias is moved",
      () => this.#cast.registry(`models/${this.#cast.model}/history?alias=challenger`),
      ({ changes }) => changes.find((change: Json) => change.version === this.#fresh),
    );
    this.#times.challenger = time;
    return `challenger is version ${version}`;
  }

  async #promotion(): Promise<string> {
    const { model } = this.#cast;
    const rollout = await this.#until(
      "its rollout ends",
      () => this.#cast.registry("rollouts"),
      ({ rollouts }) =>
        rollouts.find((one: Json) =>
          one.model === model && one.canary === this.#fresh && one.endedAt !== null
        ),
    );
    assertEquals(rollout.phase, "promoted", rollout.verdict);
    const { changes } = await this.#cast.registry(`models/${model}/history?alias=champion`);
    assertEquals([changes[0].version, changes[0].cause], [this.#fresh, "promotion"]);
    this.#times.promotion = changes[0].time;
    return rollout.verdict;
  }

  async #resolved(): Promise<string> {
    const { alerting, model } = this.#cast;
    const resolved = new RegExp(
      `^serin_retrain_decisions_total\\{(?=.*decision="resolved")(?=.*model="${model}").*\\} [1-9]`,
      "m",
    );
    await this.#until("the retraining process hears of it", async () => {
      const firing = await alerting.isFiring(ALERT, model);
      return !firing && resolved.test(await this.#cast.retrainMetrics());
    }, (isOver) => isOver || undefined);
    this.#times.resolved = Date.now();
    return `${ALERT} is over, and Alertmanager has said so`;
  }

  #order(): Promise<string> {
    const times = TIME_NAMES.map((name) => [name, this.#times[name]!] as const);
    times.forEach(([name, time], i) => {
      const [before, earlier] = times[Math.max(0, i - 1)];
      // Prometheus looks once a second, and this test ten times.
      assertTrue(time >= earlier - 1500, `${name} came before ${before}: ${JSON.stringify(times)}`);
    });
    const seconds = (this.#times.resolved! - this.#times.shift!) / 1000;
    return Promise.resolve(`${times.length} stations, ${seconds.toFixed(0)} s from end to end`);
  }

  /** Nothing else began, and the new version is watched too. */
  async #holds(): Promise<string> {
    const { model } = this.#cast;
    const labels = `model="${model}",model_version="${this.#fresh}",window="24h"`;
    const [error] = await this.#until("its labels are seen", () =>
      this.#cast.alerting.query(
        `serin_realised_error_ratio{${labels}} and on (model, model_version) ` +
          `serin_realised_labels{${labels}} >= 2000`,
      ), some);
    const { retrainings } = await this.#cast.retrain("retrainings?limit=100");
    assertEquals(retrainings.filter(({ run }: Json) => run !== undefined).length, 1);
    for (const page of await this.#cast.servingMetrics()) {
      const dropped = /^serin_prediction_log(_labels)?_dropped_total\{?.*\}? [1-9].*$/m.exec(page);
      assertEquals(dropped?.[0], undefined, "no row and no label was dropped");
    }
    return `version ${this.#fresh} is wrong in ${(100 * error).toFixed(1)} %; one retraining`;
  }

  #requests(): Promise<string> {
    const { callers } = this.#cast;
    assertEquals(callers.problems.slice(0, 3), []);
    return Promise.resolve(`${callers.answered} requests were answered`);
  }

  #version(): string {
    const { model, champion } = this.#cast;
    return `model="${model}",model_version="${champion}"`;
  }

  /** A step of the retraining, when it has ended. */
  async #stepOf(name: string): Promise<Json> {
    return await this.#until(
      `the step ${name} ends`,
      () => this.#cast.retrain(`retrainings/${this.#decision}`),
      ({ run }) => {
        if (run?.state === "failed") throw new Error(`the retraining failed: ${run.reason}`);
        return run?.steps.find((step: Json) => step.step === name && step.endedMs !== undefined);
      },
    );
  }

  async #until<T, R>(
    what: string,
    look: () => Promise<T>,
    find: (seen: T) => R | undefined,
  ): Promise<R> {
    const deadline = performance.now() + this.#waitMs;
    let last: unknown;
    while (performance.now() < deadline) {
      const seen = await look();
      const found = find(seen);
      if (found !== undefined) return found;
      last = seen;
      await new Promise((done) => setTimeout(done, 100));
    }
    const { told } = this.#cast.alerting;
    const names = [...new Set(told.map(({ labels, to }) => `${labels.alertname} to ${to}`))];
    throw new Error(
      `waited ${this.#waitMs / 1000} s in vain: ${what} (last ${
        JSON.stringify(last)?.slice(0, 500)
      }; told: ${names.join(", ") || "nobody"}; callers: ${
        this.#cast.callers.problems.at(-1) ?? "well"
      })`,
    );
  }
}

const some = (values: number[]) => values.length > 0 ? values : undefined;
