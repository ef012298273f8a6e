/**
 * A data isolate's entry point: a Worker that shares the data port with its siblings, holds the
 * models' sessions and answers requests. It may use the network and nothing else: no file, no
 * process, no environment (see isolate_pool.ts).
 */
import { inferenceApp } from "../api/inference/app.ts";
import { DataPlane } from "../api/inference/data_plane.ts";
import { LIMITS, messageOf, openLog, SerinError, systemClock, SystemRandom } from "../core/mod.ts";
import { configureOrt, isEngineCrash, ServedModel } from "../inference/mod.ts";
import { CountCells, createTokenSealer, type TokenSealer } from "../rollout/router/mod.ts";
import { InferenceStats } from "../telemetry/inference_stats.ts";
import { AnswerRecorder } from "./answer_recorder.ts";
import type { FromIsolate, PostedError, ToIsolate, TokenKeys } from "./messages.ts";
import { fromPosted, toPosted } from "./posted_error.ts";
import { sealPrediction } from "./token_facts.ts";
import type { ProfiledFile } from "./version_profile.ts";
import { VersionSketches } from "./version_sketches.ts";

const scope = self as unknown as {
  postMessage(message: FromIsolate, transfer?: Transferable[]): void;
  onmessage: ((event: MessageEvent<ToIsolate>) => void) | null;
  close(): void;
};

/** Turns of the event loop in which waiting connections are accepted before the port is closed. */
const ACCEPT_TURNS = 4;
const ACCEPT_TURN_MS = 10;

/** The least time between two messages about bad events. */
const BAD_EVENT_MS = 20;

const stats = new InferenceStats();
const random = new SystemRandom();
const labelsWaiting = new Map<number, PromiseWithResolvers<unknown>>();
let labelsNext = 0;
let badEventAt = -Infinity;
let ready = false;
let closing = false;
let draining = false;
let starting: Promise<void> | undefined;
let sealer: TokenSealer | undefined;
let dataPlane: DataPlane | undefined;
let sketches: VersionSketches | undefined;
let recorder: AnswerRecorder | undefined;
let server: Deno.HttpServer<Deno.NetAddr> | undefined;

scope.onmessage = ({ data }) => {
  receive(data).catch((thrown) => scope.postMessage({ type: "failed", error: toPosted(thrown) }));
};

async function receive(message: ToIsolate): Promise<void> {
  switch (message.type) {
    case "start":
      return await (starting = start(message));
    case "load": {
      // In the order in which it was told: an "unload" before this one waits for the start too. Whoever
      // started it hears why, if that fails.
      await starting?.catch(() => {});
      const error = await load(message);
      return scope.postMessage({ type: "loaded", id: message.id, ...(error ? { error } : {}) });
    }
    case "unload":
      // What the start still loads would stay for good if it were dropped before it is there.
      await starting;
      return await dataPlane?.remove(message.model, message.version);
    case "route":
      return dataPlane?.apply(message.model, message.route);
    case "keys":
      return useKeys(message.keys);
    case "ready":
      ready = message.ready;
      return;
    case "closing":
      closing = true;
      return;
    case "predictions_taken":
      return recorder?.taken(message.bytes);
    case "ping":
      recorder?.flush();
      return scope.postMessage({ type: "pong", id: message.id, stats: stats.snapshot() });
    case "labelled": {
      const waiting = labelsWaiting.get(message.id);
      labelsWaiting.delete(message.id);
      if (message.error) waiting?.reject(fromPosted(message.error));
      else waiting?.resolve(message.answer);
      return;
    }
    case "drain":
      // Stops accepting, answers what is in flight.
      draining = true;
      await acceptWaiting();
      await server?.shutdown();
      recorder?.flush();
      return scope.postMessage({ type: "drained" });
  }
}

/** Loads and warms what it is to hold, and only then shares the port: no request meets it empty. */
async function start(message: ToIsolate & { type: "start" }): Promise<void> {
  configureOrt(message.ortWasm);
  const plane = new DataPlane({
    clock: systemClock,
    random,
    counts: new CountCells(message.counts),
    stats,
    sealToken: (facts) => sealer === undefined ? undefined : sealPrediction(sealer, facts),
    onAnswer: (answered) => {
      sketches?.observe(answered);
      recorder?.record(answered);
    },
    onBadEvent: reportBadEvent,
    onCrash: reportCrash,
    inflight: new Int32Array(message.inflight),
  });
  dataPlane = plane;
  sketches = new VersionSketches(message.driftPartMs);
  recorder = AnswerRecorder.open(message.predictionLogRate, random, scope);
  ready = message.ready;
  closing = message.closing;
  useKeys(message.keys);
  // Before anything is waited for: newer routes may arrive meanwhile, and must not be undone.
  for (const [model, route] of message.routes) plane.apply(model, route);
  for (const file of message.files) {
    const served = await ServedModel.open(file);
    watch(served, file);
    await plane.add(served);
  }
  // The others have closed the port: whoever were let in here would be cut off with this isolate.
  if (draining) return;
  const app = inferenceApp({
    dataPlane: plane,
    stats,
    log: openLog(),
    ready: () => ready,
    closing: () => closing,
    defaultModel: () => {
      const models = plane.models();
      return models.length === 1 ? models[0].model : undefined;
    },
    labels: forwardLabels,
  });
  server = Deno.serve({
    hostname: message.hostname,
    port: message.port,
    reusePort: true,
    onListen: ({ port }) => scope.postMessage({ type: "listening", port }),
  }, app.fetch);
}

/**
 * A busy isolate leaves connections to the kernel's queue, and closing the port would reset them: they
 * came while it was open, so they are let in.
 */
async function acceptWaiting(): Promise<void> {
  closing = true;
  for (let turn = 0; turn < ACCEPT_TURNS; turn++) {
    await new Promise((done) => setTimeout(done, ACCEPT_TURN_MS));
  }
}

function useKeys(keys: TokenKeys): void {
  sealer = keys.length > 0 ? createTokenSealer(keys, random) : undefined;
}

async function load({ id, file }: ToIsolate & { type: "load" }): Promise<PostedError | undefined> {
  try {
    const served = await ServedModel.open(file);
    scope.postMessage({ type: "opened", id });
    watch(served, file);
    if (dataPlane === undefined) throw new SerinError("internal", "The data isolate did not start");
    await dataPlane.add(served);
  } catch (thrown) {
    if (isEngineCrash(thrown)) reportCrash(messageOf(thrown));
    return toPosted(thrown);
  }
}

/** Counts what the version is asked and answers from now on, and says where. */
function watch(served: ServedModel, { profile }: ProfiledFile): void {
  const buffer = sketches?.open(served, profile);
  if (buffer === undefined) return;
  const { model, version } = served;
  scope.postMessage({ type: "sketch", model, version, buffer });
}

function reportCrash(why: string): void {
  scope.postMessage({ type: "crashed", why });
}

function reportBadEvent(): void {
  const now = performance.now();
  if (now - badEventAt < BAD_EVENT_MS) return;
  badEventAt = now;
  scope.postMessage({ type: "bad_event" });
}

/** As bytes, which are given away: to read thousands of labels and copy them would hold up answers. */
function forwardLabels(body: Uint8Array<ArrayBuffer>): Promise<unknown> {
  if (labelsWaiting.size >= LIMITS.labelRequestsMax) {
    const what = `${labelsWaiting.size} requests with labels wait for the registry already`;
    throw new SerinError("limit_exceeded", what, {
      hint: "retry after a moment; send more labels in one request, and fewer requests at once",
    });
  }
  const waiting = Promise.withResolvers<unknown>();
  const id = labelsNext++;
  labelsWaiting.set(id, waiting);
  scope.postMessage({ type: "labels", id, body }, [body.buffer]);
  return waiting.promise;
}
