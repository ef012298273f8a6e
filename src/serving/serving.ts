import { adminApp, type StatusAccess } from "../api/ops/mod.ts";
import { type Clock, type Log, SerinError, SystemRandom, withDeadline } from "../core/mod.ts";
import { DriftBook } from "../monitor/mod.ts";
import type { PredictionSink } from "../monitor/prediction_log/mod.ts";
import { mustFallBack } from "../rollout/mod.ts";
import { CountLedger } from "../rollout/router/mod.ts";
import {
  LABEL_OUTCOMES,
  type SyncAnswer,
  type SyncPeer,
  type SyncRequest,
} from "../rollout/sync.ts";
import { LabelCounts, type Metrics } from "../telemetry/mod.ts";
import { FixedModels, type FixedUri } from "./fixed_models.ts";
import { FollowedModel } from "./followed_model.ts";
import { HeldVersions } from "./held_versions.ts";
import { cannotListen, IsolatePool } from "./isolate_pool.ts";
import type { ModelCache } from "./model_cache.ts";
import { parseLabels } from "./labels_request.ts";
import { labelsToLog } from "./logged_labels.ts";
import type { ModelUri } from "./model_uri.ts";
import { addServingMetrics } from "./serving_metrics.ts";
import { SyncLoop } from "./sync_loop.ts";
import type { VersionSource } from "./version_source.ts";

/** How long in-flight requests may take when the process ends, unless it says otherwise. */
const GRACE_MS = 20_000;
/** How long the last counts may take, where in-flight requests have used the grace up. */
const LAST_SYNC_MS_MIN = 2000;
/** The most that they may take of a grace that nothing else uses. */
const LAST_SYNC_MS_MAX = 5000;
/** How long the admin port waits for those that are asking. */
const ADMIN_MS_MAX = 1000;
/** How far back drift is watched, unless it says otherwise. */
const DRIFT_WINDOW_MS = 60 * 60_000;
/** How often the data port's readiness is brought up to date. */
const READY_MS = 100;

/** What a serving process is made of. */
export interface ServingOptions {
  readonly host: string;
  readonly port: number;
  readonly adminPort: number;
  readonly workers: number;
  readonly replica: string;
  /** What to serve, by the name that callers use. */
  readonly models: ReadonlyMap<string, ModelUri>;
  readonly peer: SyncPeer;
  readonly source: VersionSource;
  readonly cache: ModelCache;
  readonly metrics: Metrics;
  readonly clock: Clock;
  readonly log: Log;
  /** Who may read `/status`; default everybody. */
  readonly statusAccess?: StatusAccess;
  /** How long in-flight requests may take when it stops; default 20 s. */
  readonly graceMs?: number;
  /** How far back drift is watched; default 1 h. */
  readonly driftWindowMs?: number;
  /** What is asked and answered goes there, and the labels that pass; default nowhere. */
  readonly predictions?: PredictionSink | undefined;
  /** Aborted: a start that is under way gives up. */
  readonly signal?: AbortSignal;
}

/** A running serving process. */
export interface Serving {
  /** The data port's address. */
  readonly url: string;
  /** The admin port's address. */
  readonly adminUrl: string;
  /** Whether every model is warm in every data isolate. */
  ready(): boolean;
  /**
   * Not ready at once; answers what is in flight, up to the grace; sends the last counts.
   *
   * @param options.delayMs goes on accepting for that long before, where it was ready: those who route
   *   to it need time to hear that it is not; default 0
   */
  stop(options?: { delayMs?: number }): Promise<void>;
}

/**
 * Starts serving: data isolates on the data port, admin port, sync.
 *
 * @throws {SerinError} `address_in_use`; what is wrong with a folder, file or fixed version;
 *   `unavailable` where `signal` was aborted before it served
 */
export async function openServing(options: ServingOptions): Promise<Serving> {
  const process = new ServingProcess(options);
  const aborted = Promise.withResolvers<never>();
  const giveUp = () => aborted.reject(new SerinError("unavailable", "Ended while it started"));
  if (options.signal?.aborted) giveUp();
  options.signal?.addEventListener("abort", giveUp, { once: true });
  try {
    await Promise.race([aborted.promise, process.start()]);
  } catch (thrown) {
    await process.stop().catch(() => {});
    throw thrown;
  } finally {
    options.signal?.removeEventListener("abort", giveUp);
  }
  return process;
}

class ServingProcess implements Serving {
  url = "";
  adminUrl = "";
  readonly #options: ServingOptions;
  readonly #ledger = new CountLedger();
  readonly #drift: DriftBook;
  readonly #pool: IsolatePool;
  readonly #sync: SyncLoop;
  readonly #followed: FollowedModel[] = [];
  readonly #fixed: FixedModels;
  readonly #labelCounts = new LabelCounts(LABEL_OUTCOMES);
  #stopping: Promise<void> | undefined;
  #wasReady = false;
  #readyTimer: ReturnType<typeof setInterval> | undefined;
  #admin: Deno.HttpServer<Deno.NetAddr> | undefined;

  constructor(options: ServingOptions) {
    this.#options = options;
    const { host, port, workers, peer, log, clock, replica } = options;
    this.#drift = new DriftBook(clock, options.driftWindowMs ?? DRIFT_WINDOW_MS);
    this.#pool = new IsolatePool({
      hostname: host,
      port,
      workers,
      ledger: this.#ledger,
      drift: this.#drift,
      predictions: options.predictions,
      log,
      onBadEvent: () => this.#sync.soon(),
      onLabels: (body) => this.#labels(body),
    });
    this.#sync = new SyncLoop({
      peer,
      replica,
      clock,
      random: new SystemRandom(),
      log,
      report: () => this.#report(),
      apply: (answer) => this.#apply(answer),
      onUnanswered: () => this.#guard(),
    });
    const fixed = new Map<string, FixedUri>();
    for (const [name, uri] of options.models) {
      // Known from the start: whoever asks too early is told to wait, not that there is no such model.
      this.#pool.route(name, { stable: null, assignment: null, cells: null });
      if (uri.kind === "alias") this.#followed.push(this.#follow(name, uri.model, uri.alias));
      else fixed.set(name, uri);
    }
    const { cache, source } = options;
    this.#fixed = new FixedModels({ models: fixed, pool: this.#pool, cache, source, log });
  }

  async start(): Promise<void> {
    const { host, adminPort, metrics } = this.#options;
    this.#admin = this.#listenAdmin(host, adminPort);
    this.adminUrl = urlOf(host, this.#admin.addr.port);
    addServingMetrics(metrics, {
      pool: this.#pool,
      drift: this.#drift,
      sync: this.#sync,
      followed: this.#followed,
      labels: this.#labelCounts,
      ready: () => this.ready(),
      draining: () => this.#stopping !== undefined,
    });
    const port = await this.#pool.start();
    if (this.#stopping !== undefined) return;
    this.url = urlOf(host, port);
    this.#readyTimer = setInterval(() => this.#tellReady(), READY_MS);
    await this.#sync.start();
    if (this.#stopping !== undefined) return;
    if (!this.#sync.reachable) await this.#recall();
    await this.#fixed.load();
    this.#tellReady();
  }

  ready(): boolean {
    return this.#reasons().length === 0;
  }

  stop({ delayMs = 0 }: { delayMs?: number } = {}): Promise<void> {
    this.#stopping ??= this.#stop(delayMs);
    return this.#stopping;
  }

  async #stop(delayMs: number): Promise<void> {
    const { log, graceMs = GRACE_MS } = this.#options;
    clearInterval(this.#readyTimer);
    this.#pool.setReady(false);
    this.#pool.closeConnections();
    this.#fixed.stop();
    if (delayMs > 0 && this.#wasReady) {
      log.info("not ready any more, and still answering", { seconds: delayMs / 1000 });
      await new Promise((done) => setTimeout(done, delayMs));
    }
    const deadline = performance.now() + graceMs;
    // Nobody was sent to one that was never ready: what it loads need not be waited for.
    const isDrained = await this.#pool.stop(graceMs, { loadsMatter: this.#wasReady });
    if (!isDrained) {
      log.warn("requests were cut off after the grace", { graceSeconds: graceMs / 1000 });
    }
    const left = Math.max(LAST_SYNC_MS_MIN, deadline - performance.now());
    await this.#sync.stop(Math.min(LAST_SYNC_MS_MAX, left));
    const late = () => new SerinError("timeout", "Somebody still asks at the admin port");
    await withDeadline(this.#admin?.shutdown() ?? Promise.resolve(), ADMIN_MS_MAX, late)
      .catch((thrown) => log.debug(thrown.message));
  }

  #tellReady(): void {
    const ready = this.ready();
    this.#wasReady ||= ready;
    this.#pool.setReady(ready);
  }

  #listenAdmin(hostname: string, port: number): Deno.HttpServer<Deno.NetAddr> {
    const app = adminApp({
      metrics: this.#options.metrics,
      ready: () => {
        const reasons = this.#reasons();
        return { ready: reasons.length === 0, reasons };
      },
      status: () => this.#status(),
      statusAccess: this.#options.statusAccess ?? "open",
    });
    try {
      return Deno.serve({ hostname, port, onListen: () => {} }, app.fetch);
    } catch (cause) {
      throw cannotListen(hostname, port, "--admin-port", cause);
    }
  }

  #follow(name: string, model: string, alias: string): FollowedModel {
    const { cache, source, clock, log } = this.#options;
    const held = new HeldVersions(name, model, {
      pool: this.#pool,
      cache,
      source,
      clock,
      log,
      onChange: () => {
        this.#update();
        this.#sync.soon();
      },
    });
    return new FollowedModel({ name, model, alias, held, ledger: this.#ledger });
  }

  #report(): Pick<SyncRequest, "models" | "counts"> {
    const models = this.#followed.map(({ model, alias, held }) => ({
      model,
      alias,
      held: held.report(),
    }));
    return { models, counts: this.#ledger.totals() };
  }

  #apply(answer: SyncAnswer): void {
    this.#pool.useKeys(answer.tokenKeys);
    for (const followed of this.#followed) {
      const { model, alias } = followed;
      const mine = answer.models.find((m) => m.model === model && m.alias === alias);
      if (mine === undefined) continue;
      const before = followed.answer?.stable;
      followed.take(mine);
      if (mine.stable !== null && mine.stable !== before) this.#remember(model, alias, mine.stable);
      if (mine.stable === null && before !== null) {
        this.#options.log.warn("the alias points at no version", { model, alias });
      }
    }
    this.#update();
  }

  /** Out of the registry's reach a canary that fails is taken back by this replica's own counts. */
  #guard(): void {
    const counts = this.#ledger.totals();
    for (const followed of this.#followed) {
      const { assignment } = followed.route;
      if (assignment === null || !mustFallBack(counts, assignment)) continue;
      this.#options.log.error(
        "the canary fails and the registry does not answer: stable serves all",
        {
          model: followed.model,
          canary: assignment.canary,
          stable: assignment.stable,
        },
      );
      followed.fallBack();
    }
    this.#update();
  }

  #remember(model: string, alias: string, version: string): void {
    const { cache, log } = this.#options;
    cache.rememberAlias(model, alias, version).catch((thrown) =>
      log.warn("the model cache cannot be written", { error: String(thrown) })
    );
  }

  /** A start without the registry: serve what was served last. */
  async #recall(): Promise<void> {
    for (const followed of this.#followed) {
      const { model, alias } = followed;
      const version = await this.#options.cache.recallAlias(model, alias);
      // The registry may have answered meanwhile: what it says is newer.
      if (version === undefined || followed.answer !== undefined) continue;
      this.#options.log.warn("serving the version of the last time, out of the cache", {
        model,
        version,
      });
      followed.take({ model, alias, stable: version, hold: [version], assignment: null });
    }
    this.#update();
  }

  #update(): void {
    for (const followed of this.#followed) {
      followed.update((route) => this.#pool.route(followed.name, route));
    }
  }

  /** Forwards labels to who knows their predictions, and counts what comes of them. */
  async #labels(body: Uint8Array<ArrayBuffer>): Promise<unknown> {
    try {
      const request = parseLabels(body);
      const answer = await this.#options.peer.labels(request, body);
      this.#labelCounts.answered(answer);
      this.#options.predictions?.addLabels(labelsToLog(request, answer));
      // They may have decided a rollout; without one there is nothing to hear of.
      if (this.#followed.some(({ route }) => route.assignment !== null)) this.#sync.soon();
      return answer;
    } catch (thrown) {
      this.#labelCounts.failed(thrown instanceof SerinError ? thrown.code : "internal");
      throw thrown;
    }
  }

  #reasons(): string[] {
    const reasons: string[] = [];
    if (this.#stopping !== undefined) reasons.push("the process is stopping");
    if (!this.#pool.healthy) reasons.push("the data port does not answer within 2 s");
    reasons.push(...this.#fixed.reasons());
    for (const followed of this.#followed) {
      const why = followed.waitingFor(this.#sync.problem);
      if (why !== undefined) reasons.push(`${followed.model}@${followed.alias}: ${why}`);
    }
    return reasons;
  }

  #status(): unknown {
    return {
      replica: this.#options.replica,
      ready: this.ready(),
      reasons: this.#reasons(),
      registry: {
        reachable: this.#sync.reachable,
        ageSeconds: this.#sync.ageSeconds,
        problem: this.#sync.problem,
      },
      isolates: { workers: this.#options.workers, restarts: this.#pool.restarts },
      models: [
        ...this.#followed.map(({ name, model, alias, route, held }) => ({
          name,
          model,
          alias,
          stable: route.stable,
          assignment: route.assignment,
          held: held.report(),
        })),
        ...this.#fixed.report(),
      ],
      drift: this.#drift.watched(),
    };
  }
}

function urlOf(host: string, port: number): string {
  const name = host === "0.0.0.0" || host === "::" ? "localhost" : host;
  return `http://${name.includes(":") ? `[${name}]` : name}:${port}`;
}
