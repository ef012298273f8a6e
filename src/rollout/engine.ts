// Above 500 lines: the one writer of rollouts, whose transactions can only be read together; what they
// are made of (state, evidence, store, aliases, labels, roster) has files of its own.
import {
  type Clock,
  LIMITS,
  type Log,
  messageOf,
  type Random,
  SerinError,
  silentLog,
} from "../core/mod.ts";
import type { Database, Reader, Transaction } from "../database/mod.ts";
import { AliasApplier } from "./alias_applier.ts";
import { AliasReader, type AliasReading } from "./alias_reader.ts";
import { CHALLENGER, type ModelCatalog } from "./catalog.ts";
import { countLabel, matchLabel, pruneLabels, type RefusedLabel } from "./label_book.ts";
import { DEFAULT_PLAN, type RolloutPlan } from "./plan.ts";
import { LabelTally, type QualityReadings, readQuality } from "./quality_book.ts";
import { countReplica } from "./replica_counts.ts";
import { ReplicaRoster, type RosterEntry } from "./replica_roster.ts";
import { isEnded, newRolloutState, type RolloutState, shareOf } from "./rollout_state.ts";
import {
  addHistory,
  type AliasChange,
  endRollout,
  findRollout,
  insertRollout,
  newestRollouts,
  pendingRollouts,
  readObserved,
  readTotals,
  runningRollouts,
  type StoredRollout,
  takePlanned,
  updateState,
  writeObserved,
  writePlanned,
} from "./rollout_store.ts";
import { type Decision, nextStep } from "./state.ts";
import {
  describe,
  engineMetrics,
  type RolloutMetrics,
  type RolloutStatus,
  type RolloutSummary,
  summarise,
} from "./status.ts";
import type { LabelsAnswer, LabelsRequest, SyncAnswer, SyncPeer, SyncRequest } from "./sync.ts";
import { answerSync } from "./sync_answer.ts";
import { TokenKeyring } from "./token_keys.ts";
import { byHand } from "./verdict.ts";

const LISTED_MAX = 200;
const REFUSAL_HINT = "`serin gate --force-reason TEXT` lets it through, and records why";

/** What a {@linkcode RolloutEngine} stands on. */
export interface RolloutEngineOptions {
  /** Opened with `rolloutMigrations` among its migrations. */
  readonly database: Database;
  readonly catalog: ModelCatalog;
  readonly clock: Clock;
  readonly random: Random;
  readonly log?: Log;
  /**
   * The plan of a rollout that begins because the alias `challenger` was set; default DEFAULT_PLAN.
   */
  readonly planFor?: (model: string) => RolloutPlan;
  /** Why a version may not be rolled out (its gate said no), if so; default every version may. */
  readonly refusalOf?: (model: string, version: string) => string | undefined;
}

/**
 * The one place that decides about rollouts. Replicas sync with it; each sync's counts, and what
 * follows from them, are in one transaction that is on disk before the sync is acknowledged.
 * Setting the alias `challenger` of a model begins a rollout, moving it supersedes, removing it
 * aborts. Whoever owns one calls {@linkcode RolloutEngine.tick} at its start and each second.
 *
 * @example A challenger begins a rollout
 * ```ts
 * import { SystemRandom, systemClock } from "../core/mod.ts";
 * import { openDatabase } from "../database/mod.ts";
 * import { FakeCatalog } from "./fake_catalog.ts";
 * import { RolloutEngine, rolloutMigrations } from "./mod.ts";
 * const engine = new RolloutEngine({
 *   database: openDatabase(":memory:", rolloutMigrations),
 *   catalog: new FakeCatalog({ iris: { champion: "1", challenger: "2" } }),
 *   clock: systemClock,
 *   random: new SystemRandom(),
 * });
 * const { models } = await engine.sync({
 *   replica: "pod-1", incarnation: "a", sequence: 0, counts: [],
 *   models: [{ model: "iris", alias: "champion", held: [{ version: "1", warm: true }] }],
 * });
 * console.assert(models[0].hold.join() === "1,2" && models[0].assignment === null);
 * console.assert(engine.list()[0].phase === "warmup");
 * ```
 */
export class RolloutEngine implements SyncPeer {
  readonly #database: Database;
  readonly #catalog: ModelCatalog;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #log: Log;
  readonly #planFor: (model: string) => RolloutPlan;
  readonly #refusalOf: (model: string, version: string) => string | undefined;
  readonly #aliases: AliasReader;
  readonly #applier: AliasApplier;
  readonly #roster: ReplicaRoster;
  readonly #keyring: TokenKeyring;
  /** Ended rollouts as they were listed last: their evidence is not worked out again for each look. */
  #ended: ReadonlyMap<string, RolloutSummary> = new Map();

  constructor(options: RolloutEngineOptions) {
    this.#database = options.database;
    this.#catalog = options.catalog;
    this.#clock = options.clock;
    this.#random = options.random;
    this.#log = options.log ?? silentLog;
    this.#planFor = options.planFor ?? (() => DEFAULT_PLAN);
    this.#refusalOf = options.refusalOf ?? (() => undefined);
    this.#aliases = new AliasReader(options.catalog);
    this.#applier = new AliasApplier({
      database: options.database,
      catalog: options.catalog,
      log: this.#log,
      onApplied: () => this.#aliases.invalidate(),
    });
    const resumed = this.#database.read(runningRollouts).length > 0;
    this.#roster = new ReplicaRoster(options.clock, resumed);
    this.#keyring = new TokenKeyring(this.#readSecret());
  }

  /**
   * @throws {SerinError} conflict when totals shrank within an incarnation (nothing of the sync is
   * counted); unavailable when the catalog is out of reach and nothing is known of a model's
   * aliases (the counts are kept)
   */
  async sync(request: SyncRequest): Promise<SyncAnswer> {
    await this.#applier.apply();
    const models = new Set(request.models.map(({ model }) => model));
    const readings = await this.#read(models);
    this.#roster.hear(request);
    this.#database.transaction((tx) => {
      const running = runningRollouts(tx);
      const stepsOf = stepCounts(running);
      const grown = countReplica(tx, request, stepsOf);
      const touched = running.filter(({ id, model }) => grown.has(id) || models.has(model));
      for (const rollout of touched) this.#look(tx, rollout, grown.has(rollout.id));
      for (const { model, alias } of request.models) {
        this.#reconcile(tx, model, alias, readings.get(model));
      }
    });
    const changed = await this.#applier.apply();
    const fresh = changed ? await this.#read(models) : readings;
    const tokenKeys = this.#keyring.current(this.#clock.now());
    return this.#database.read((reader) =>
      answerSync(reader, request, { readings: fresh, tokenKeys })
    );
  }

  /** @throws {SerinError} too_large for more labels than LIMITS.labelsMax */
  async labels(request: LabelsRequest): Promise<LabelsAnswer> {
    if (request.labels.length > LIMITS.labelsMax) {
      throw new SerinError(
        "too_large",
        `Cannot take ${request.labels.length} labels at once: at most ${LIMITS.labelsMax}`,
        { hint: "send them in several requests" },
      );
    }
    const now = this.#clock.now(), refused: LabelsAnswer["refused"] = [];
    const matched = request.labels.map((label) =>
      matchLabel(label, now, (id) => this.#keyring.find(id, now))
    );
    this.#database.transaction((tx) => {
      refused.length = 0;
      pruneLabels(tx, now);
      const running = runningRollouts(tx), stepsOf = stepCounts(running);
      const grown = new Set<string>(), tally = new LabelTally(now);
      matched.forEach((label, index) => {
        const result = "code" in label ? label : countLabel(tx, label, { stepsOf, tally });
        if ("code" in result) refused.push({ index, ...(result as RefusedLabel) });
        else if (result.rollout !== undefined) grown.add(result.rollout);
      });
      tally.write(tx);
      for (const rollout of running) if (grown.has(rollout.id)) this.#look(tx, rollout, true);
    });
    await this.#applier.apply();
    return { accepted: request.labels.length - refused.length, refused };
  }

  /**
   * Looks at every running rollout, so that time counts without a sync, and finishes what a crash
   * left between a decision and its aliases. Called at the start and each second or so.
   */
  async tick(): Promise<void> {
    await this.#applier.apply();
    const models = this.#database.read(runningRollouts).map(({ model }) => model);
    const readings = await this.#read(new Set(models));
    this.#database.transaction((tx) => {
      for (const rollout of runningRollouts(tx)) this.#look(tx, rollout, false);
      for (const { model, alias } of runningRollouts(tx)) {
        this.#reconcile(tx, model, alias, readings.get(model));
      }
    });
    await this.#applier.apply();
  }

  /**
   * Begins a rollout by hand: keeps the plan and sets the alias `challenger`.
   *
   * @param request.alias the served alias; default the one that live replicas serve the model by
   * @throws {SerinError} not_found for an unknown model or version, invalid_input for a version
   * that is served already, conflict while a rollout of the same version runs
   */
  async start(
    request: { model: string; challenger: string; alias?: string; plan?: RolloutPlan },
  ): Promise<RolloutStatus> {
    const { model, challenger } = request;
    await this.#applier.apply();
    const served = this.#roster.aliasesOf(model).find((alias) => alias !== CHALLENGER);
    const alias = request.alias ?? served ?? "champion";
    const aliases = await this.#catalog.findAliases(model);
    if (aliases === undefined) {
      throw new SerinError("not_found", `No registered model is named "${model}"`);
    }
    this.#checkStart(model, alias, challenger, aliases[alias]);
    const refusal = this.#refusalOf(model, challenger);
    if (refusal !== undefined) {
      const what = `Version ${challenger} of "${model}" may not be rolled out`;
      throw new SerinError("refused", `${what}: ${refusal}`, { hint: REFUSAL_HINT });
    }
    const plan = request.plan ?? this.#planFor(model);
    this.#database.transaction((tx) => writePlanned(tx, model, challenger, plan));
    try {
      await this.#catalog.setAlias(model, CHALLENGER, challenger, { cause: "rollout" });
    } catch (thrown) {
      this.#database.transaction((tx) => void takePlanned(tx, model, challenger));
      throw thrown;
    }
    this.#aliases.invalidate();
    const reading = await this.#aliases.read(model);
    this.#database.transaction((tx) => {
      // An earlier rollout of this version may have ended without a decision: ask again.
      const observed = readObserved(tx, model, alias);
      if (observed?.challenger === challenger) {
        writeObserved(tx, model, alias, { ...observed, challenger: null });
      }
      this.#reconcile(tx, model, alias, reading);
    });
    const started = this.#database.read(runningRollouts).find((rollout) =>
      rollout.model === model && rollout.alias === alias && rollout.canary === challenger
    );
    if (started === undefined) {
      throw new SerinError("conflict", `The aliases of "${model}" were changed at the same time`);
    }
    return this.status(started.id);
  }

  /**
   * Promotes a running or an inconclusive rollout by hand.
   *
   * @throws {SerinError} not_found, or conflict where it was decided already
   */
  async promote(id: string): Promise<RolloutStatus> {
    return await this.#endByHand(id, "promoted", "promote");
  }

  /**
   * Aborts a running or an inconclusive rollout by hand.
   *
   * @throws {SerinError} not_found, or conflict where it was decided already
   */
  async abort(id: string): Promise<RolloutStatus> {
    return await this.#endByHand(id, "aborted", "remove_challenger");
  }

  /** @throws {SerinError} not_found */
  status(id: string): RolloutStatus {
    return this.#database.read((reader) => {
      const rollout = this.#get(reader, id);
      return describe(reader, rollout, this.#decide(reader, rollout));
    });
  }

  /** @returns the newest rollouts first, at most 200 */
  list(): RolloutSummary[] {
    return this.#database.read((reader) => {
      const listed = newestRollouts(reader, LISTED_MAX).map((rollout) => {
        const known = this.#ended.get(rollout.id);
        // One that waits for a person may still be ended by hand.
        if (known !== undefined && known.phase === rollout.state.phase) return known;
        return summarise(rollout, this.#decide(reader, rollout));
      });
      const ended = listed.filter(({ phase }) => isEnded(phase));
      this.#ended = new Map(ended.map((summary) => [summary.id, summary]));
      return listed;
    });
  }

  /** @returns the replicas that synced within the last quarter of an hour, live ones first */
  replicas(): RosterEntry[] {
    return this.#roster.list();
  }

  /** @returns what gauges and counters are made of */
  metrics(): RolloutMetrics {
    return this.#database.read((reader) =>
      engineMetrics(
        reader,
        runningRollouts(reader).map((rollout) => ({
          rollout,
          decision: this.#decide(reader, rollout),
        })),
      )
    );
  }

  /** @returns realised quality by version and window, and how late labels are */
  quality(): QualityReadings {
    return this.#database.read((reader) => readQuality(reader, this.#clock.now()));
  }

  #get(reader: Reader, id: string): StoredRollout {
    const rollout = findRollout(reader, id);
    if (rollout === undefined) throw new SerinError("not_found", `There is no rollout "${id}"`);
    return rollout;
  }

  /** A look that changes nothing. */
  #decide(reader: Reader, rollout: StoredRollout): Decision {
    return nextStep(rollout.plan, rollout.state, {
      now: rollout.endedAt ?? this.#clock.now(),
      totals: readTotals(reader, rollout),
      replicas: this.#roster.observe(rollout.model, rollout.alias, rollout.canary),
    });
  }

  #look(tx: Transaction, rollout: StoredRollout, grown: boolean): void {
    const decision = this.#decide(tx, rollout), { state, evidence } = decision;
    const now = this.#clock.now(), share = shareOf(rollout.plan, state);
    const changed = JSON.stringify(state) !== JSON.stringify(rollout.state);
    if (changed || grown) {
      const always = changed && !(state.phase === "hold" && rollout.state.phase === "hold");
      addHistory(tx, rollout, { now, state, share, evidence, always });
    }
    if (!changed) return;
    if (!isEnded(state.phase)) {
      updateState(tx, rollout.id, state);
      if (state.phase !== rollout.state.phase || state.step !== rollout.state.step) {
        this.#say(rollout, state, decision.verdict);
      }
      return;
    }
    const aliasChange: AliasChange | undefined = state.phase === "promoted"
      ? "promote"
      : state.phase === "rolled_back"
      ? "remove_challenger"
      : undefined;
    this.#end(tx, rollout, { state, verdict: decision.verdict, aliasChange });
  }

  #end(
    tx: Transaction,
    rollout: StoredRollout,
    end: { state: RolloutState; verdict: string; aliasChange: AliasChange | undefined },
  ): void {
    endRollout(tx, rollout.id, { ...end, now: this.#clock.now() });
    this.#say(rollout, end.state, end.verdict);
  }

  #say({ id, model, canary }: StoredRollout, { phase, step }: RolloutState, verdict: string): void {
    this.#log.info(`rollout of ${model} version ${canary}: ${verdict}`, {
      rollout: id,
      phase,
      step,
    });
  }

  /** Brings the running rollout of a served alias in line with what the aliases say. */
  #reconcile(
    tx: Transaction,
    model: string,
    alias: string,
    reading: AliasReading | undefined,
  ): void {
    if (reading === undefined || alias === CHALLENGER || !this.#aliases.isCurrent(reading)) return;
    const running = runningRollouts(tx);
    // Until the aliases follow the last decision, they say nothing about the next rollout.
    if (pendingRollouts(tx).some((rollout) => rollout.model === model)) return;
    const stable = reading.aliases?.[alias] ?? null;
    const challenger = reading.aliases?.[CHALLENGER] ?? null;
    const observed = readObserved(tx, model, alias);
    let begin = observed === undefined || observed.challenger !== challenger ||
      observed.stable === null;
    const current = running.find((one) => one.model === model && one.alias === alias);
    if (current !== undefined) {
      if (current.stable === stable && current.canary === challenger) begin = false;
      else {
        this.#endByAlias(tx, current, { alias, stable, challenger });
        begin = true;
      }
    }
    // A model that nobody has registered leaves no trace, however many are asked for.
    const known = observed !== undefined || stable !== null || challenger !== null;
    if (known && (observed?.stable !== stable || observed?.challenger !== challenger)) {
      writeObserved(tx, model, alias, { stable, challenger });
    }
    if (!begin || stable === null || challenger === null || stable === challenger) return;
    this.#begin(tx, { model, alias, stable, canary: challenger });
  }

  #endByAlias(
    tx: Transaction,
    rollout: StoredRollout,
    { alias, stable, challenger }: {
      alias: string;
      stable: string | null;
      challenger: string | null;
    },
  ): void {
    const decision = this.#decide(tx, rollout), superseded = challenger !== null;
    const why = stable !== rollout.stable
      ? `the alias ${alias} was moved to ${stable === null ? "nothing" : `version ${stable}`}`
      : superseded
      ? `the alias ${CHALLENGER} was moved to version ${challenger}`
      : `the alias ${CHALLENGER} was removed`;
    const state: RolloutState = { ...rollout.state, phase: superseded ? "superseded" : "aborted" };
    const verdict = `${state.phase}: ${why}; ${byHand(decision.evidence)}`;
    this.#end(tx, rollout, { state, verdict, aliasChange: undefined });
  }

  #begin(
    tx: Transaction,
    aliases: { model: string; alias: string; stable: string; canary: string },
  ): void {
    const { model, canary } = aliases, now = this.#clock.now();
    const plan = takePlanned(tx, model, canary) ?? this.#planFor(model);
    const id = `r${hex(this.#random.bytes(8))}`, salt = hex(this.#random.bytes(8));
    insertRollout(tx, { ...aliases, id, salt, plan, state: newRolloutState(now) });
    const begun = findRollout(tx, id)!;
    const refusal = this.#refusalOf(model, canary);
    if (refusal !== undefined) {
      // It is kept as a rollout that ended before its first request, so that whoever looks finds why.
      const state: RolloutState = { ...begun.state, phase: "rolled_back" };
      const verdict = `rolled back before it began: ${refusal}`;
      this.#end(tx, begun, { state, verdict, aliasChange: "remove_challenger" });
      return;
    }
    this.#log.info(`rollout of ${model} version ${canary} begins`, { rollout: id });
    this.#look(tx, begun, true);
  }

  #checkStart(model: string, alias: string, challenger: string, served: string | undefined): void {
    if (served === undefined) {
      throw new SerinError("not_found", `The model "${model}" has no alias "${alias}"`, {
        hint: `set it to the version that is served now`,
      });
    }
    if (served === challenger) {
      throw new SerinError("invalid_input", `Version ${challenger} is the one that is served`);
    }
    const same = this.#database.read(runningRollouts).find((rollout) =>
      rollout.model === model && rollout.alias === alias && rollout.canary === challenger
    );
    if (same !== undefined) {
      throw new SerinError("conflict", `A rollout of version ${challenger} runs: ${same.id}`, {
        hint: "abort it before you begin another",
      });
    }
  }

  async #endByHand(
    id: string,
    phase: "promoted" | "aborted",
    aliasChange: AliasChange,
  ): Promise<RolloutStatus> {
    this.#database.transaction((tx) => {
      const rollout = this.#get(tx, id), { phase: before } = rollout.state;
      const newer = runningRollouts(tx).some((one) =>
        one.id !== id && one.model === rollout.model && one.alias === rollout.alias
      );
      if ((isEnded(before) && before !== "inconclusive") || newer) {
        const why = newer ? "a newer rollout of the model runs" : rollout.verdict ?? before;
        throw new SerinError("conflict", `Cannot end rollout ${id}: ${why}`);
      }
      const { evidence } = this.#decide(tx, rollout);
      const verdict = `${phase} by hand: ${byHand(evidence)}`;
      const wasInconclusive = before === "inconclusive";
      const state = { ...rollout.state, phase, wasInconclusive };
      this.#end(tx, rollout, { state, verdict, aliasChange });
    });
    await this.#applier.apply();
    return this.status(id);
  }

  /** Models whose aliases cannot be read now are left out. */
  async #read(models: Iterable<string>): Promise<Map<string, AliasReading>> {
    const readings = new Map<string, AliasReading>();
    await Promise.all([...models].map(async (model) => {
      try {
        readings.set(model, await this.#aliases.read(model));
      } catch (thrown) {
        this.#log.warn("cannot read aliases", { model, error: messageOf(thrown) });
      }
    }));
    return readings;
  }

  #readSecret(): Uint8Array {
    return this.#database.transaction((tx) => {
      const row = tx.get<{ secret: Uint8Array }>("SELECT secret FROM rollout_secret");
      if (row !== undefined) return row.secret;
      const secret = this.#random.bytes(32);
      tx.run("INSERT INTO rollout_secret VALUES (1, ?)", secret);
      return secret;
    });
  }
}

function stepCounts(rollouts: readonly StoredRollout[]): Map<string, number> {
  return new Map(rollouts.map(({ id, plan }) => [id, plan.steps.length]));
}

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
