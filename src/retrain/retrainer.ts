import {
  assert,
  backoffMs,
  type Clock,
  didYouMean,
  type Log,
  messageOf,
  type Random,
  SerinError,
} from "../core/mod.ts";
import type { Alert } from "./alert_webhook.ts";
import { askBrakes, type Brake } from "./brakes.ts";
import { type CollectedRows, findRows } from "./collected_rows.ts";
import type { DataCollector, RetrainGate, RetrainRegistry, RetrainTrainer } from "./ports.ts";
import type { ModelRetraining, RetrainSpec } from "./retrain_spec.ts";
import type { RetrainStore } from "./retrain_store.ts";
import { type RunOutcome, takeStep } from "./retrain_steps.ts";
import { type DecisionName, type DecisionRecord, type RunRecord, STEPS } from "./retraining.ts";

/** What a {@linkcode Retrainer} stands on. */
export interface RetrainerOptions {
  readonly spec: RetrainSpec;
  readonly store: RetrainStore;
  readonly registry: RetrainRegistry;
  readonly data: DataCollector;
  readonly trainer: RetrainTrainer;
  readonly gate: RetrainGate;
  /** Folder for the data and models of retrainings. */
  readonly folder: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** Resolves early where `signal` is aborted. */
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
}

/** A step that was cut off so often by the end of the process is not tried again. */
const ATTEMPTS_MAX = 3;
/** How often a step is tried while what it needs is out of reach: about ten minutes. */
const TRIES_MAX = 12;
const RETRY = { firstMs: 1000, capMs: 60_000 };
/** How often pending ones are looked at. */
const LOOK_MS = 30_000;
const HOUR_MS = 3_600_000;
/** Retrainings whose files are kept. */
const FOLDERS_KEPT = 5;

const COUNTED_FROM_START = ["accepted", "failed", "succeeded"] as const;

/**
 * Decides about alerts, and retrains, one model at a time. Everything is recorded before it is done: a
 * process that ends at any moment goes on where it was when it is started again.
 */
export class Retrainer {
  readonly #options: RetrainerOptions;
  #deciding: Promise<unknown> = Promise.resolve();
  #wake = Promise.withResolvers<void>();
  #working: string | undefined;

  constructor(options: RetrainerOptions) {
    this.#options = options;
    options.store.ensureCounts(
      options.spec.models.map(({ model }) => model),
      COUNTED_FROM_START,
    );
  }

  /** Retrainings under way: 0 or 1. */
  get running(): number {
    return this.#working === undefined ? 0 : 1;
  }

  /**
   * Decides about the alerts of one webhook; one decision a model.
   *
   * @throws {SerinError} `unavailable` where the registry cannot be asked: Alertmanager sends it again
   */
  receive(alerts: readonly Alert[]): Promise<DecisionRecord[]> {
    // One after another: two that come at once must not both see that nothing runs.
    const turn = this.#deciding.then(() => this.#decideAll(alerts));
    this.#deciding = turn.catch(() => {});
    return turn;
  }

  /**
   * Lets a pending retraining begin.
   *
   * @throws {SerinError} `not_found`, or `conflict` where it is not pending (any more)
   */
  approve(id: string): DecisionRecord {
    this.#dropUnapproved();
    const { run } = this.explain(id);
    if (run?.state !== "pending") {
      throw new SerinError("conflict", `${id} waits for no approval: it is ${stateOf(run)}`, {
        hint: "serin retrain history shows which ones do",
      });
    }
    this.#options.store.approve(id);
    this.#options.log.info("a retraining was approved", { id, model: run.model });
    this.#wake.resolve();
    return this.explain(id);
  }

  /** @throws {SerinError} `not_found` */
  explain(id: string): DecisionRecord {
    const found = this.#options.store.find(id);
    if (found !== undefined) return found;
    throw new SerinError("not_found", `There is no retraining decision "${id.slice(0, 100)}"`, {
      hint: "serin retrain history lists them",
    });
  }

  /** @throws {SerinError} `not_found`, or `conflict` where they are not collected (yet) */
  async rowsOf(id: string): Promise<CollectedRows> {
    return await findRows(this.explain(id), this.#options.folder);
  }

  /** Works on what is queued until `signal` is aborted. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      this.#wake = Promise.withResolvers<void>();
      this.#dropUnapproved();
      const next = this.#options.store.unended().find(({ state }) => state !== "pending");
      if (next !== undefined) {
        await this.#work(next, signal);
        continue;
      }
      await Promise.race([this.#wake.promise, this.#options.sleep(LOOK_MS, signal)]);
    }
  }

  async #decideAll(alerts: readonly Alert[]): Promise<DecisionRecord[]> {
    this.#dropUnapproved();
    const groups = Map.groupBy(alerts, ({ model }) => model);
    const decided: DecisionRecord[] = [];
    for (const [model, group] of groups) {
      const firing = group.filter((alert) => alert.firing);
      decided.push(await this.#decide(model, firing.length > 0 ? firing : group));
    }
    this.#wake.resolve();
    return decided;
  }

  async #decide(model: string | undefined, alerts: readonly Alert[]): Promise<DecisionRecord> {
    const { spec: { models } } = this.#options;
    const keep = (decision: DecisionName, reason: string, rest: Rest = {}) =>
      this.#keep({ model, alerts, decision, reason, ...rest });
    if (!alerts.some(({ firing }) => firing)) return keep("resolved", "the alert is over");
    if (model === undefined) return keep("no_model", "the alert has no label model");
    const spec = models.find((entry) => entry.model === model);
    if (spec === undefined) {
      const meant = didYouMean(model, models.map((entry) => entry.model));
      const reason = `retrain.yaml has no model "${model.slice(0, 200)}"`;
      return keep("unknown_model", meant === undefined ? reason : `${reason}: ${meant}`);
    }
    const wanted = alerts.filter(({ name }) => spec.alerts?.includes(name) ?? true);
    if (wanted.length === 0) {
      return keep("ignored", `retrain.yaml lets only ${spec.alerts!.join(", ")} start it`);
    }
    const { decision, brakes, labels } = await this.#ask(spec, wanted);
    const held = brakes.find(({ passed }) => !passed);
    const reason = held?.text ??
      (decision === "pending"
        ? "it waits for serin retrain approve"
        : "no brake holds it: it begins");
    return this.#keep({ model, alerts: wanted, decision, reason, brakes, labels });
  }

  async #ask(spec: ModelRetraining, alerts: readonly Alert[]) {
    const { store, registry, clock } = this.#options, now = clock.now();
    const look = await registry.look(spec);
    const unended = store.unended().find(({ model }) => model === spec.model);
    const past = store.past(spec.model, now);
    const answeredBy = store.answerOf(alerts);
    const state = { now, answeredBy, unended, ...past, ...look };
    return { ...askBrakes(spec, state), labels: look.labels };
  }

  #keep({ model, alerts, ...decision }: Rest & {
    model: string | undefined;
    alerts: readonly Alert[];
    decision: DecisionName;
    reason: string;
  }): DecisionRecord {
    const { store, clock, log, spec } = this.#options;
    // A name that anybody may send is not made a label of a metric.
    const known = spec.models.some((entry) => entry.model === model) ? model! : "";
    const id = store.decide({
      ...{ brakes: [], ...decision, id: this.#newId(), model: known, now: clock.now() },
      alerts: alerts.map(({ name, fingerprint, startsAt, summary }) => ({
        ...{ name, fingerprint, startsAt, summary },
      })),
    });
    const names = [...new Set(alerts.map(({ name }) => name))].join(", ");
    log.info(`alert: ${decision.decision}`, {
      id,
      model: known,
      alerts: names,
      why: decision.reason,
    });
    return this.explain(id);
  }

  #newId(): string {
    return `t${this.#options.random.bytes(6).toHex()}`;
  }

  #dropUnapproved(): void {
    const { store, clock } = this.#options, now = clock.now();
    for (const { id, model, state, begunMs } of store.unended()) {
      if (state !== "pending") continue;
      const hours = this.#specOf(model)?.brakes.approval_hours_max ?? 0;
      if (now - begunMs < hours * HOUR_MS) continue;
      store.end(id, "expired", now, `nobody approved it within ${hours} h`);
    }
  }

  #specOf(model: string): ModelRetraining | undefined {
    return this.#options.spec.models.find((entry) => entry.model === model);
  }

  async #work(run: RunRecord, signal: AbortSignal): Promise<void> {
    const { store, clock, log } = this.#options, { id, model } = run;
    this.#working = id;
    log.info("a retraining goes on", { id, model, state: run.state });
    try {
      const outcome = await this.#steps(id, signal);
      if (outcome === undefined) return;
      if (outcome.end === "failed") await this.#withdraw(id, model);
      store.end(id, outcome.end, clock.now(), outcome.reason);
      log.info(`a retraining ended: ${outcome.end}`, { id, model, why: outcome.reason });
    } catch (thrown) {
      // What the end of the process broke off is no failure: it goes on at the next start.
      if (signal.aborted) return;
      const hint = thrown instanceof SerinError && thrown.hint !== undefined
        ? ` (${thrown.hint})`
        : "";
      const reason = `${messageOf(thrown)}${hint}`;
      await this.#withdraw(id, model);
      if (signal.aborted) return;
      store.end(id, "failed", clock.now(), reason);
      log.error("a retraining failed", { id, model, error: reason });
    } finally {
      this.#working = undefined;
      if (!signal.aborted) await this.#removeOldFolders();
    }
  }

  /** @returns undefined where the process ends before the retraining does */
  async #steps(id: string, signal: AbortSignal): Promise<RunOutcome | undefined> {
    const { store, clock, trainer } = this.#options;
    for (const step of STEPS) {
      if (signal.aborted) return undefined;
      const run = store.find(id)?.run;
      assert(run !== undefined, "a retraining that is worked on is in the store");
      const before = run.steps.find((record) => record.step === step);
      if (before?.endedMs !== undefined) continue;
      const isCutOff = step !== "train" || !trainer.isElsewhere;
      if (isCutOff && (before?.attempts ?? 0) >= ATTEMPTS_MAX) {
        const reason =
          `the step ${step} was cut off ${ATTEMPTS_MAX} times by the end of the process`;
        return { end: "failed", reason };
      }
      const spec = this.#specOf(run.model);
      if (spec === undefined) {
        return { end: "failed", reason: "retrain.yaml has this model no more" };
      }
      const taken = await this.#retrying(
        signal,
        () => takeStep(step, { ...this.#options, run, spec }),
      );
      if (taken === undefined) return undefined;
      store.endStep(id, step, clock.now(), taken);
      if (taken.outcome !== undefined) return taken.outcome;
    }
    return { end: "failed", reason: "the last step gave no outcome" };
  }

  /** What nobody waits for any more should not begin; where it has, its version gets no alias. */
  async #withdraw(id: string, model: string): Promise<void> {
    const { store, trainer, log } = this.#options;
    const train = store.find(id)?.run?.steps.find(({ step }) => step === "train");
    if (train === undefined || train.endedMs !== undefined) return;
    try {
      await trainer.withdraw(model, id);
    } catch (thrown) {
      log.warn("a training may still begin", { id, model, error: messageOf(thrown) });
    }
  }

  /** While what a step needs is out of reach, it is tried again. */
  async #retrying<T>(signal: AbortSignal, take: () => Promise<T>): Promise<T | undefined> {
    const { random, sleep, log } = this.#options;
    for (let failures = 1;; failures++) {
      try {
        return await take();
      } catch (thrown) {
        if (signal.aborted) return undefined;
        const mayPass = thrown instanceof SerinError && thrown.retriable;
        if (!mayPass || failures >= TRIES_MAX) throw thrown;
        log.warn("a step of a retraining is tried again", { error: thrown.message });
        await sleep(backoffMs(failures, random, RETRY), signal);
        if (signal.aborted) return undefined;
      }
    }
  }

  async #removeOldFolders(): Promise<void> {
    const { store, folder, log } = this.#options;
    const kept = new Set(
      store.list({ limit: 1000 }).flatMap(({ run }) => run === undefined ? [] : [run])
        .toSorted((a, b) => b.begunMs - a.begunMs).slice(0, FOLDERS_KEPT).map(({ id }) => id),
    );
    for (const { id } of store.unended()) kept.add(id);
    try {
      for await (const { name } of Deno.readDir(`${folder}/runs`)) {
        if (!kept.has(name)) await Deno.remove(`${folder}/runs/${name}`, { recursive: true });
      }
    } catch (thrown) {
      if (thrown instanceof Deno.errors.NotFound) return;
      log.warn("old retrainings' files stay", { error: messageOf(thrown) });
    }
  }
}

interface Rest {
  readonly brakes?: readonly Brake[];
  readonly labels?: number;
}

function stateOf(run: RunRecord | undefined): string {
  return run === undefined ? "an alert that began no retraining" : run.state;
}
