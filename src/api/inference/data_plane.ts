import {
  type Clock,
  didYouMean,
  LIMITS,
  messageOf,
  type Random,
  SerinError,
} from "../../core/mod.ts";
import {
  type AttemptObserver,
  type Feeds,
  isEngineCrash,
  type NamedTensor,
  type Outcome,
  readOutcome,
  type ServedModel,
  type Signature,
} from "../../inference/mod.ts";
import { type CountCells, type Draw, type Route, ShareRouter } from "../../rollout/router/mod.ts";
import type { InferenceStats } from "../../telemetry/inference_stats.ts";

/** What a token tells of a prediction; sealed by {@linkcode SealToken}. */
export interface PredictionFacts {
  /** The registered model's name. */
  readonly model: string;
  readonly version: string;
  readonly draw: Draw;
  readonly rows: number;
  readonly outcome: Outcome;
  /** Milliseconds since the epoch. */
  readonly time: number;
}

/** Seals the token of a prediction; undefined while no key is known. */
export type SealToken = (facts: PredictionFacts) => string | undefined;

/** A request, free of any transport. */
export interface InferenceRequest {
  readonly model: string;
  /** A version asked for by number: answered by it, outside of any rollout. */
  readonly version: string | undefined;
  /** The caller's sticky key. */
  readonly key: string | undefined;
  /**
   * Reads the request's inputs for a model; throws SerinError when they do not fit, or when the model
   * has not what is asked of it.
   */
  readonly decode: (signature: Signature) => Feeds;
}

/** An answer, free of any transport. */
export interface InferenceAnswer {
  readonly version: string;
  readonly rows: number;
  readonly outputs: readonly NamedTensor[];
  readonly token: string | undefined;
}

/** A request that was answered. */
export interface AnsweredRequest {
  readonly served: ServedModel;
  readonly draw: Draw;
  readonly feeds: Feeds;
  readonly outcome: Outcome;
  /** Milliseconds since the epoch: the token's too. */
  readonly time: number;
  readonly token: string | undefined;
}

/** What a {@linkcode DataPlane} stands on. */
export interface DataPlaneOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly counts: CountCells;
  readonly stats: InferenceStats;
  readonly sealToken: SealToken;
  /** Called when a counted attempt was bad: the registry should hear of it soon. */
  readonly onBadEvent: () => void;
  /** Told of each answer as it is sent, the token included. */
  readonly onAnswer?: (answered: AnsweredRequest) => void;
  /** Called when the engine cannot go on: the isolate must be replaced. */
  readonly onCrash: (why: string) => void;
  /** One number, in memory that the main isolate reads too: requests that run or wait; default own. */
  readonly inflight?: Int32Array;
}

interface Entry {
  readonly versions: Map<string, ServedModel>;
  readonly router: ShareRouter;
  route: Route;
  /** Newest requests, to warm a version on before its first user. */
  readonly recent: Feeds[];
  /** The last two versions whose signatures were compared. */
  compared: { a: ServedModel; b: ServedModel; same: boolean } | undefined;
}

/** Recent requests that are kept a model, and the most rows that one of them may have. */
const RECENT_MAX = 16;
const RECENT_ROWS_MAX = 64;

/**
 * Answers typed requests in one data isolate: draws the version, runs it, counts, seals the token.
 * The transports (Open Inference Protocol, MLflow's scoring) translate to and from it.
 */
export class DataPlane {
  readonly #entries = new Map<string, Entry>();
  readonly #options: DataPlaneOptions;
  /** Requests that each version is answering. */
  readonly #running = new Map<ServedModel, number>();
  readonly #inflight: Int32Array;

  constructor(options: DataPlaneOptions) {
    this.#options = options;
    this.#inflight = options.inflight ?? new Int32Array(1);
  }

  /** Makes a loaded version available; it gets requests only when a route names it. */
  async add(served: ServedModel): Promise<void> {
    const entry = this.#entryOf(served.model);
    await served.warm(entry.recent);
    entry.versions.set(served.version, served);
  }

  /** Forgets a version; its session is closed when its last request is answered. */
  async remove(model: string, version: string): Promise<void> {
    const entry = this.#entries.get(model);
    const served = entry?.versions.get(version);
    if (entry === undefined || served === undefined) return;
    entry.versions.delete(version);
    while (this.#running.get(served)) await new Promise((done) => setTimeout(done, 20));
    this.#running.delete(served);
    await served[Symbol.asyncDispose]();
  }

  /** Takes a new split for a model. */
  apply(model: string, route: Route): void {
    const entry = this.#entryOf(model);
    entry.route = route;
    entry.router.apply(route);
  }

  /** @returns the models that answer, with the versions that each holds */
  models(): { model: string; stable: string | null; versions: ServedModel[] }[] {
    return [...this.#entries].map(([model, entry]) => ({
      model,
      stable: entry.route.stable,
      versions: [...entry.versions.values()],
    }));
  }

  /**
   * @param version a number, or undefined for the stable version
   * @throws {SerinError} `not_found`, or `not_ready` while nothing is loaded
   */
  find(model: string, version?: string): ServedModel {
    const entry = this.#entries.get(model);
    if (entry === undefined) throw unknownModel(model, [...this.#entries.keys()]);
    const wanted = version ?? entry.route.stable;
    const served = wanted === null ? undefined : entry.versions.get(wanted);
    if (served !== undefined) return served;
    if (version === undefined) throw notReady(model);
    const held = [...entry.versions.keys()].join(", ");
    throw new SerinError("not_found", `Model "${model}" has no version ${version} here`, {
      hint: held === "" ? "none is loaded yet" : `versions held: ${held}`,
    });
  }

  /**
   * Answers a request.
   *
   * @throws {SerinError} 4xx codes for the caller's faults (not counted against a version);
   *   `inference_failed` when the version failed (counted)
   */
  async infer(request: InferenceRequest): Promise<InferenceAnswer> {
    const inflight = Atomics.load(this.#inflight, 0);
    if (inflight >= LIMITS.inferenceInflightMax) {
      throw new SerinError(
        "limit_exceeded",
        `${inflight} requests are being answered already`,
        {
          hint: "retry after a moment; start more workers or replicas if this lasts",
        },
      );
    }
    Atomics.add(this.#inflight, 0, 1);
    try {
      return await this.#answer(request, this.#draw(request));
    } finally {
      Atomics.sub(this.#inflight, 0, 1);
    }
  }

  async #answer(request: InferenceRequest, drawn: Draw): Promise<InferenceAnswer> {
    const entry = this.#entryOf(request.model);
    const served = entry.versions.get(drawn.version);
    if (served === undefined) throw notReady(request.model);
    const feeds = this.#decode(request, drawn, served);
    const draw = this.#comparable(request, drawn, served);
    this.#running.set(served, (this.#running.get(served) ?? 0) + 1);
    try {
      const outputs = await served.run(feeds, this.#observe(entry.router, served, draw));
      const outcome = readOutcome(outputs, feeds.rows);
      // What is not a class's probability has no place in the histogram from 0 to 1.
      const probabilities = outcome.labels === undefined ? undefined : outcome.scores;
      this.#options.stats.scored(served.model, served.version, probabilities);
      this.#remember(entry, feeds);
      const time = this.#options.clock.now();
      const token = this.#seal(served, draw, { rows: feeds.rows, outcome, time });
      this.#options.onAnswer?.({ served, draw, feeds, outcome, time, token });
      return { version: served.version, rows: feeds.rows, outputs, token };
    } finally {
      this.#running.set(served, this.#running.get(served)! - 1);
    }
  }

  /**
   * Counts an attempt while the engine is held, so that what an isolate leaves unfinished when it
   * dies is the one attempt that ran, and latency is the version's own, not the queue's.
   */
  #observe(router: ShareRouter, served: ServedModel, draw: Draw): AttemptObserver {
    const { stats, onBadEvent, onCrash } = this.#options;
    const { model, version } = served;
    return {
      began: () => router.start(draw),
      ended: (latencyMs, failure) => {
        if (failure === undefined) stats.answered(model, version, latencyMs / 1000);
        else stats.failed(model, version, latencyMs / 1000, reasonOf(failure));
        if (isEngineCrash(failure)) {
          // Not finished: the isolate is lost, and what it leaves unfinished counts as an error.
          return onCrash(messageOf(failure));
        }
        if (router.finish(draw, { failed: failure !== undefined, latencyMs })) onBadEvent();
      },
    };
  }

  #draw(request: InferenceRequest): Draw {
    const { model, version, key } = request;
    const entry = this.#entries.get(model);
    if (entry === undefined) throw unknownModel(model, [...this.#entries.keys()]);
    if (version !== undefined) {
      this.find(model, version);
      const arm = version === entry.route.assignment?.canary ? "canary" : "stable";
      return { version, arm, assignment: undefined, cell: undefined, keyHash: undefined };
    }
    const draw = entry.router.draw(key);
    if (draw === undefined) throw notReady(model);
    return draw;
  }

  /**
   * A request that the stable version would take and the canary refuses is the canary's failure, not
   * the caller's: a new version with other columns must not hide behind status 400.
   */
  #decode(request: InferenceRequest, draw: Draw, served: ServedModel): Feeds {
    try {
      return request.decode(served.signature);
    } catch (thrown) {
      const stable = draw.assignment?.stable;
      if (draw.arm === "stable" || stable === undefined) throw thrown;
      request.decode(this.find(request.model, stable).signature);
      const { router } = this.#entryOf(request.model);
      router.start(draw);
      this.#options.stats.failed(served.model, served.version, 0, "signature");
      if (router.finish(draw, { failed: true, latencyMs: 0 })) this.#options.onBadEvent();
      throw new SerinError(
        "inference_failed",
        `Version ${draw.version} refuses what version ${stable} takes: ${messageOf(thrown)}`,
      );
    }
  }

  /**
   * A request that the canary takes and the stable version would refuse has no counterpart: whatever
   * came of it, and of its labels, would fall on the canary whenever it falls on anybody.
   */
  #comparable(request: InferenceRequest, draw: Draw, served: ServedModel): Draw {
    const { assignment } = draw, entry = this.#entryOf(request.model);
    if (draw.arm === "stable" || assignment === undefined) return draw;
    const stable = entry.versions.get(assignment.stable);
    if (stable !== undefined && takeTheSame(entry, stable, served)) return draw;
    try {
      request.decode(this.find(request.model, assignment.stable).signature);
      return draw;
    } catch {
      return { ...draw, assignment: undefined, cell: undefined };
    }
  }

  #seal(
    { registered: model, version }: ServedModel,
    draw: Draw,
    { rows, outcome, time }: Pick<PredictionFacts, "rows" | "outcome" | "time">,
  ): string | undefined {
    return this.#options.sealToken({ model, version, draw, rows, outcome, time });
  }

  #remember(entry: Entry, feeds: Feeds): void {
    if (feeds.rows > RECENT_ROWS_MAX) return;
    if (entry.recent.length >= RECENT_MAX) entry.recent.shift();
    entry.recent.push(feeds);
  }

  #entryOf(model: string): Entry {
    let entry = this.#entries.get(model);
    if (entry === undefined) {
      const { random, counts } = this.#options;
      const route: Route = { stable: null, assignment: null, cells: null };
      entry = {
        versions: new Map(),
        router: new ShareRouter({ random, counts }),
        route,
        recent: [],
        compared: undefined,
      };
      this.#entries.set(model, entry);
    }
    return entry;
  }
}

/** Whether two versions take the same requests: then no request has to be held against both. */
function takeTheSame(entry: Entry, a: ServedModel, b: ServedModel): boolean {
  if (entry.compared?.a !== a || entry.compared.b !== b) {
    const same = JSON.stringify(a.signature) === JSON.stringify(b.signature);
    entry.compared = { a, b, same };
  }
  return entry.compared.same;
}

function reasonOf(thrown: unknown): string {
  const reason = thrown instanceof SerinError ? thrown.details?.reason : undefined;
  return typeof reason === "string" ? reason : "exception";
}

function unknownModel(model: string, known: readonly string[]): SerinError {
  return new SerinError("not_found", `No model "${model}" is served here`, {
    hint: didYouMean(model, known) ??
      (known.length > 0
        ? `served: ${known.join(", ")}`
        : "no model is served here at all: serve was started without --model"),
  });
}

function notReady(model: string): SerinError {
  return new SerinError("not_ready", `Model "${model}" is not loaded yet`, {
    hint: "wait for /v2/health/ready; if it lasts, the log of serve tells why",
  });
}
