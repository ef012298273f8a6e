import { assert, type Log, messageOf, SerinError } from "../core/mod.ts";
import { readOrtWasm } from "../inference/mod.ts";
import type { DriftBook } from "../monitor/mod.ts";
import type { PredictionSink } from "../monitor/prediction_log/mod.ts";
import { CountCells, type CountLedger, type Route } from "../rollout/router/mod.ts";
import { StatsTotals } from "../telemetry/mod.ts";
import { type IsolateHealth, portAnswers, silenceMsMax } from "./isolate_health.ts";
import type { FromIsolate, PostedError, ToIsolate, TokenKeys } from "./messages.ts";
import { fromPosted, toPosted } from "./posted_error.ts";
import type { ProfiledFile } from "./version_profile.ts";

/** How often every data isolate is asked whether it lives. */
const PING_MS = 250;
/** The shortest time between two restarts of one place: an isolate that dies at once must not spin. */
const RESTART_MS_MIN = 250;

/** A data isolate may use the network and nothing else: model bytes are handed over to it. */
export const DATA_ISOLATE_PERMISSIONS = {
  net: true,
  read: false,
  write: false,
  env: false,
  run: false,
  ffi: false,
  sys: false,
  import: false,
} as const;

interface Isolate {
  readonly place: number;
  readonly worker: IsolateWorker;
  readonly counts: CountCells;
  readonly startedAt: number;
  /** When it last answered, or started. */
  answeredAt: number;
  /** Requests that it answers: one number, in memory that is shared with it. */
  readonly inflight: Int32Array<SharedArrayBuffer>;
  listening: boolean;
  /** Loads that it has not answered. */
  readonly loads: Map<number, (error: PostedError | undefined) => void>;
  /** Loads that block it: opened is not said yet. */
  readonly opening: Set<number>;
  readonly drained: PromiseWithResolvers<void>;
}

/** What the pool needs of its surroundings. */
export interface IsolatePoolOptions {
  readonly hostname: string;
  readonly port: number;
  /** How many data isolates share the port. */
  readonly workers: number;
  readonly ledger: CountLedger;
  readonly drift: DriftBook;
  /** Default: predictions are not logged. */
  readonly predictions?: PredictionSink | undefined;
  readonly log: Log;
  /** A counted attempt was bad, or an isolate died. */
  readonly onBadEvent: () => void;
  /** Labels that arrived at the data port. */
  readonly onLabels: (body: Uint8Array<ArrayBuffer>) => Promise<unknown>;
  /** Default: `data_isolate.ts` in a Worker. */
  readonly openWorker?: (name: string) => IsolateWorker;
}

/** What the pool needs of a Worker. */
export type IsolateWorker = Pick<Worker, "postMessage" | "terminate" | "onmessage" | "onerror">;

/**
 * The data isolates of a serving process, and what they are to hold. An isolate that dies, or that
 * leaves pings without an answer, is replaced by one that holds the same; its counts stay.
 */
export class IsolatePool {
  readonly #options: IsolatePoolOptions;
  readonly #isolates: (Isolate | undefined)[] = [];
  readonly #files = new Map<string, ProfiledFile>();
  readonly #routes = new Map<string, Route>();
  readonly #listening = Promise.withResolvers<number>();
  readonly #stats = new StatsTotals();
  readonly #ortWasm = readOrtWasm();
  #keys: TokenKeys = [];
  #ready = false;
  #closing = false;
  /** All listened once: from then on some are enough. */
  #complete = false;
  #loading: Promise<unknown> = Promise.resolve();
  #nextId = 0;
  #timer: ReturnType<typeof setInterval> | undefined;
  #pingedAt = performance.now();
  #stopping = false;
  #restarts = 0;

  constructor(options: IsolatePoolOptions) {
    this.#options = options;
  }

  /**
   * Starts the isolates.
   *
   * @returns the data port
   * @throws {SerinError} `address_in_use`
   */
  async start(): Promise<number> {
    checkPortIsFree(this.#options.hostname, this.#options.port);
    this.#spawn(0, this.#options.port);
    const port = await this.#listening.promise;
    if (this.#stopping) return port;
    for (let place = 1; place < this.#options.workers; place++) this.#spawn(place, port);
    this.#timer = setInterval(() => this.#ping(), PING_MS);
    return port;
  }

  /** Isolates that were replaced since the start. */
  get restarts(): number {
    return this.#restarts;
  }

  /** Requests that run or wait for their turn, now: also of an isolate that is too busy to be asked. */
  get inflight(): number {
    return this.#live().reduce((sum, { inflight }) => sum + Atomics.load(inflight, 0), 0);
  }

  /** Whether all data isolates listened once, and the data port answers. */
  get healthy(): boolean {
    return this.#complete && portAnswers(this.#live().map(healthOf), performance.now());
  }

  /** What was counted by all isolates since the start, those that died included. */
  get stats(): StatsTotals {
    return this.#stats;
  }

  /**
   * Loads and warms a version in every isolate: in one of them first, for a model that takes its
   * isolate down must not take all of them. Loading holds an isolate up, so while anything is served
   * they load one after another, and one version at a time.
   *
   * @throws {SerinError} what the first isolate that could not load it said
   */
  async load(file: ProfiledFile): Promise<void> {
    const turn = this.#loading.then(() => this.#load(inSharedMemory(file)));
    this.#loading = turn.catch(() => {});
    return await turn;
  }

  async #load(file: ProfiledFile): Promise<void> {
    await this.#waitForOne();
    const key = keyOf(file.model, file.version);
    this.#files.set(key, file);
    this.#options.drift.hold(file.model, file.version, file.profile);
    const [first, ...others] = this.#live();
    let error = first && await this.#loadInto(first, file);
    if (error === undefined && this.#servesNothing()) {
      const errors = await Promise.all(others.map((isolate) => this.#loadInto(isolate, file)));
      error = errors.find((posted) => posted !== undefined);
    } else {
      for (const isolate of others) error ??= await this.#loadInto(isolate, file);
    }
    if (error === undefined) return;
    this.unload(file.model, file.version);
    throw fromPosted(error);
  }

  /**
   * The only isolate may just have died. What its successor is to hold before it listens is known to be
   * held: a version that nobody has tried would take it down at each of its starts.
   */
  async #waitForOne(): Promise<void> {
    while (this.#live().length === 0 && !this.#stopping) {
      await new Promise((done) => setTimeout(done, PING_MS));
    }
  }

  #servesNothing(): boolean {
    return [...this.#routes.values()].every(({ stable }) => stable === null);
  }

  /** Drops a version everywhere, after its last request. */
  unload(model: string, version: string): void {
    this.#files.delete(keyOf(model, version));
    this.#options.drift.drop(model, version);
    this.#tell({ type: "unload", model, version });
  }

  /** Sets the split of a model everywhere. */
  route(model: string, route: Route): void {
    this.#routes.set(model, route);
    this.#tell({ type: "route", model, route });
  }

  /** Sets the keys that seal tokens everywhere. */
  useKeys(keys: TokenKeys): void {
    if (JSON.stringify(keys) === JSON.stringify(this.#keys)) return;
    this.#keys = keys;
    this.#tell({ type: "keys", keys });
  }

  /** Sets what the data port's health routes answer. */
  setReady(ready: boolean): void {
    if (ready === this.#ready) return;
    this.#ready = ready;
    this.#tell({ type: "ready", ready });
  }

  /** From now on each answer closes its connection, so that callers open their next elsewhere. */
  closeConnections(): void {
    this.#closing = true;
    this.#tell({ type: "closing" });
  }

  /**
   * Stops accepting, answers what is in flight and ends the isolates, at most `graceMs` later.
   *
   * @param options.loadsMatter whether one that is held up by a model that it loads may have requests
   * @returns whether all was answered
   */
  async stop(graceMs: number, { loadsMatter }: { loadsMatter: boolean }): Promise<boolean> {
    this.#stopping = true;
    this.setReady(false);
    for (const isolate of this.#live()) {
      const hasRequests = isolate.listening && (loadsMatter || isolate.opening.size === 0);
      if (!hasRequests) isolate.drained.resolve();
    }
    this.#tell({ type: "drain" });
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<false>((done) => timer = setTimeout(() => done(false), graceMs));
    const drained = Promise.all(this.#live().map((isolate) => isolate.drained.promise));
    const isDrained = await Promise.race([drained.then(() => true), late]);
    clearTimeout(timer);
    clearInterval(this.#timer);
    for (const isolate of this.#live()) isolate.worker.terminate();
    return isDrained;
  }

  #live(): Isolate[] {
    return this.#isolates.filter((isolate) => isolate !== undefined);
  }

  #tell(message: ToIsolate): void {
    for (const isolate of this.#live()) isolate.worker.postMessage(message);
  }

  #spawn(place: number, port: number): void {
    const worker = (this.#options.openWorker ?? openDataIsolate)(`data-${place}`);
    const counts = new CountCells();
    const now = performance.now();
    const isolate: Isolate = {
      place,
      worker,
      counts,
      startedAt: now,
      answeredAt: now,
      inflight: new Int32Array(new SharedArrayBuffer(4)),
      listening: false,
      loads: new Map(),
      opening: new Set(),
      drained: Promise.withResolvers<void>(),
    };
    this.#isolates[place] = isolate;
    this.#options.ledger.add(counts);
    worker.onmessage = ({ data }: MessageEvent<FromIsolate>) => this.#receive(isolate, data);
    worker.onerror = (event) => {
      event.preventDefault();
      this.#listening.reject(new SerinError("internal", `A data isolate failed: ${event.message}`));
      this.#replace(isolate, event.message);
    };
    const post = (message: ToIsolate) => worker.postMessage(message);
    post({
      type: "start",
      hostname: this.#options.hostname,
      port,
      ortWasm: this.#ortWasm,
      counts: counts.buffer,
      inflight: isolate.inflight.buffer,
      files: [...this.#files.values()],
      predictionLogRate: this.#options.predictions?.rate,
      driftPartMs: this.#options.drift.partMs,
      routes: [...this.#routes],
      keys: this.#keys,
      ready: this.#ready,
      closing: this.#closing,
    });
  }

  #receive(isolate: Isolate, message: FromIsolate): void {
    isolate.answeredAt = performance.now();
    switch (message.type) {
      case "listening":
        isolate.listening = true;
        this.#complete ||= this.#live().filter((one) => one.listening).length ===
          this.#options.workers;
        return this.#listening.resolve(message.port);
      case "failed":
        this.#options.log.error("a data isolate failed", { ...message.error });
        if (isolate.listening) return;
        // It would answer pings and never listen.
        this.#listening.reject(fromPosted(message.error));
        return this.#replace(isolate, message.error.message);
      case "opened":
        isolate.opening.delete(message.id);
        return;
      case "sketch": {
        if (this.#isolates[isolate.place] !== isolate) return;
        const { model, version, buffer } = message;
        return this.#options.drift.add(isolate.counts, model, version, buffer);
      }
      case "loaded":
        isolate.opening.delete(message.id);
        isolate.loads.get(message.id)?.(message.error);
        isolate.loads.delete(message.id);
        return;
      case "pong":
        return this.#stats.update(isolate.counts, message.stats);
      case "predictions":
        return this.#options.predictions?.add(message.recorded, (bytes) => {
          const taken: ToIsolate = { type: "predictions_taken", bytes };
          if (this.#isolates[isolate.place] === isolate) isolate.worker.postMessage(taken);
        });
      case "bad_event":
        return this.#options.onBadEvent();
      case "crashed":
        return this.#replace(isolate, message.why);
      case "labels":
        void this.#answerLabels(isolate, message.id, message.body);
        return;
      case "drained":
        return isolate.drained.resolve();
    }
  }

  async #answerLabels(isolate: Isolate, id: number, body: Uint8Array<ArrayBuffer>): Promise<void> {
    const post = (message: ToIsolate) => isolate.worker.postMessage(message);
    try {
      post({ type: "labelled", id, answer: await this.#options.onLabels(body) });
    } catch (thrown) {
      post({ type: "labelled", id, error: toPosted(thrown) });
    }
  }

  /** Resolves with the isolate's error, if it has one. */
  #loadInto(isolate: Isolate, file: ProfiledFile): Promise<PostedError | undefined> {
    // One that was replaced meanwhile loads it before it listens.
    if (this.#isolates[isolate.place] !== isolate) return Promise.resolve(undefined);
    const id = this.#nextId++;
    return new Promise((done) => {
      isolate.loads.set(id, done);
      isolate.opening.add(id);
      isolate.worker.postMessage({ type: "load", id, file } satisfies ToIsolate);
    });
  }

  #ping(): void {
    const now = performance.now();
    // This isolate itself was held up (a suspended machine, a starved one): judge nobody by that.
    const heldUp = now - this.#pingedAt > 4 * PING_MS;
    this.#pingedAt = now;
    if (heldUp) { for (const isolate of this.#live()) isolate.answeredAt = now; }
    for (const isolate of this.#live()) {
      const limit = silenceMsMax(healthOf(isolate));
      if (now - isolate.answeredAt > limit) this.#replace(isolate, `no answer for ${limit} ms`);
      else isolate.worker.postMessage({ type: "ping", id: this.#nextId++ } satisfies ToIsolate);
    }
  }

  #replace(isolate: Isolate, why: string): void {
    if (this.#isolates[isolate.place] !== isolate) return;
    isolate.worker.terminate();
    isolate.drained.resolve();
    this.#restarts++;
    this.#stats.retire(isolate.counts);
    this.#options.drift.retire(isolate.counts);
    for (const answer of isolate.loads.values()) answer(diedWhileLoading(why));
    const cutOff = this.#options.ledger.retire(isolate.counts);
    this.#options.log.error("a data isolate died and is replaced", {
      isolate: isolate.place,
      why,
      cutOff: cutOff.map(({ arm, unfinished }) => `${unfinished} of ${arm}`).join(", ") || "none",
    });
    if (cutOff.length > 0) this.#options.onBadEvent();
    this.#isolates[isolate.place] = undefined;
    if (this.#stopping) return;
    const wait = Math.max(0, RESTART_MS_MIN - (performance.now() - isolate.startedAt));
    setTimeout(async () => {
      if (this.#stopping) return;
      this.#spawn(isolate.place, await this.#listening.promise);
    }, wait);
  }
}

/**
 * With `reusePort` a second serin would share the port without a word: ask for it alone first.
 *
 * @throws {SerinError} `address_in_use`
 */
function checkPortIsFree(hostname: string, port: number): void {
  try {
    Deno.listen({ hostname, port }).close();
  } catch (cause) {
    throw cannotListen(hostname, port, "--port", cause);
  }
}

/**
 * @param flag the option that names the port
 * @returns the error for an address that cannot be listened on
 */
export function cannotListen(
  hostname: string,
  port: number,
  flag: "--port" | "--admin-port",
  cause: unknown,
): SerinError {
  if (cause instanceof Deno.errors.AddrInUse) {
    return new SerinError("address_in_use", `Port ${port} on ${hostname} is taken`, {
      hint: `another process listens there: end it, or choose another with ${flag} (0 for any)`,
      cause,
    });
  }
  const what = `Cannot listen on ${hostname}:${port}: ${messageOf(cause)}`;
  return new SerinError("configuration", what, {
    hint: `give an address of this machine with --host and a port you may use with ${flag}`,
    cause,
  });
}

function diedWhileLoading(why: string): PostedError {
  return {
    code: "unsupported_model",
    message: `The data isolate died while it loaded and warmed the model: ${why}`,
    hint: "the model may need more memory than there is, or compute for ever on some request",
    details: { mayPass: true },
  };
}

function openDataIsolate(name: string): IsolateWorker {
  return new Worker(new URL("./data_isolate.ts", import.meta.url), {
    type: "module",
    name,
    deno: { permissions: DATA_ISOLATE_PERMISSIONS },
  });
}

function healthOf({ listening, opening, answeredAt }: Isolate): IsolateHealth {
  return { listening, isLoading: opening.size > 0, answeredAt };
}

/** Handed to an isolate, it is not copied: a large model would hold both isolates up, and cost twice. */
function inSharedMemory(file: ProfiledFile): ProfiledFile {
  const bytes = new Uint8Array(new SharedArrayBuffer(file.bytes.length));
  bytes.set(file.bytes);
  return { ...file, bytes };
}

function keyOf(model: string, version: string): string {
  assert(!model.includes("\n"), "a model's name has no line break");
  return `${model}\n${version}`;
}
