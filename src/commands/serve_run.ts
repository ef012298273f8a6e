import { AccessTokens } from "../api/access/mod.ts";
import type { StatusAccess } from "../api/ops/mod.ts";
import type { CommandContext } from "../cli/mod.ts";
import { Lifecycle, type Log, SerinError, systemClock, SystemRandom } from "../core/mod.ts";
import { openDatabase } from "../database/mod.ts";
import {
  RolloutEngine,
  type RolloutEngineOptions,
  rolloutMigrations,
  type SyncPeer,
} from "../rollout/mod.ts";
import {
  emptyCatalog,
  FallbackPeer,
  MlflowCatalog,
  MlflowSource,
  ModelCache,
  type ModelUri,
  nameOfPath,
  openServing,
  parseModelUri,
  RemotePeer,
  type VersionSource,
} from "../serving/mod.ts";
import { Metrics } from "../telemetry/mod.ts";
import { keepTicking } from "./engine_clock.ts";
import { planOfTags } from "./plan_tag.ts";
import { openRegistryClient } from "./registry_client.ts";
import { isLoopback } from "./registry_tokens.ts";
import { openServePredictions, type ServePredictionOptions } from "./serve_predictions.ts";
import { checkToken, readTokenFile } from "./token_file.ts";

/** The options of `serin serve`. */
export interface ServeOptions extends ServePredictionOptions {
  readonly model: readonly string[];
  readonly registry?: string | undefined;
  readonly registryTokenFile?: string | undefined;
  readonly registryToken?: string | undefined;
  readonly host: string;
  readonly port: number;
  readonly adminPort: number;
  readonly workers: number;
  readonly cache: string;
  readonly replica: string;
  readonly driftWindowMinutes: number;
  readonly controlTokenFile?: string | undefined;
  readonly controlToken?: string | undefined;
}

/** Serves until SIGTERM or SIGINT. */
export async function run(options: ServeOptions, context: CommandContext): Promise<void> {
  const { log, positionals } = context;
  const models = readModels(options, positionals[0]);
  const lifecycle = new Lifecycle();
  lifecycle.stopOnSignals();
  const { peer, source, token } = await connect(options, log, lifecycle);
  const metrics = new Metrics();
  const predictions = await openServePredictions(options, { metrics, lifecycle, log });
  const opening = openServing({
    ...options,
    // A pod's name as it is; without any, two on one machine are told apart by their ports.
    replica: options.replica === "local" ? `local:${options.port}` : options.replica,
    models,
    peer,
    source,
    cache: await ModelCache.open(options.cache),
    metrics,
    predictions,
    clock: systemClock,
    log,
    statusAccess: await readStatusAccess(options, token),
    graceMs: options.graceSeconds * 1000,
    driftWindowMs: options.driftWindowMinutes * 60_000,
    signal: lifecycle.signal,
  });
  // Before it is open: a signal during the start is obeyed at once, and ends what was begun.
  const delayMs = options.shutdownDelaySeconds * 1000;
  lifecycle.onStop("serving", async (signal) => {
    const serving = await opening.catch(() => undefined);
    await serving?.stop({ delayMs: signal === "SIGTERM" ? delayMs : 0 });
  });
  try {
    const serving = await opening;
    log.info(`serin serve listening on ${serving.url} (admin ${serving.adminUrl})`);
  } catch (thrown) {
    if (!lifecycle.signal.aborted) throw thrown;
  }
  await lifecycle.stopped;
}

/** Whoever may change what is deployed may see it: the registry's token opens the status too. */
async function readStatusAccess(
  options: ServeOptions,
  registryToken: string | undefined,
): Promise<StatusAccess> {
  const { controlTokenFile: path, controlToken, host } = options;
  if (path !== undefined) {
    return new AccessTokens({ admin: await readTokenFile(path, "--control-token-file") });
  }
  if (controlToken !== undefined) {
    return new AccessTokens({ admin: checkToken("SERIN_CONTROL_TOKEN", controlToken) });
  }
  if (isLoopback(host)) return "open";
  return registryToken === undefined ? "closed" : new AccessTokens({ admin: registryToken });
}

/** What is served, by name; every wrong entry is reported at once. */
function readModels(options: ServeOptions, path: string | undefined): Map<string, ModelUri> {
  const models = new Map<string, ModelUri>();
  const problems: string[] = [];
  for (const text of [...(path === undefined ? [] : [path]), ...options.model]) {
    try {
      const { name, uri } = readModel(text);
      if (models.has(name)) problems.push(`two models are named "${name}": give NAME=URI`);
      models.set(name, uri);
      if (uri.kind !== "path" && options.registry === undefined) {
        problems.push(`${text} needs --registry URL`);
      }
    } catch (thrown) {
      if (!(thrown instanceof SerinError)) throw thrown;
      problems.push(thrown.message);
    }
  }
  if (models.size === 0 && problems.length === 0 && options.registry === undefined) {
    problems.push("nothing to serve was named");
  }
  if (problems.length === 0) return models;
  throw new SerinError("usage", `serin serve: ${problems.join("; ")}`, {
    hint: "serve FOLDER, or --registry URL --model models:/NAME@champion",
  });
}

function readModel(text: string): { name: string; uri: ModelUri } {
  const named = /^([A-Za-z0-9][\w.-]*)=(.+)$/.exec(text);
  const uri = parseModelUri(named?.[2] ?? text);
  if (named !== null) return { name: named[1], uri };
  if (uri.kind === "path") return { name: nameOfPath(uri.path), uri };
  return { name: uri.kind === "run" ? nameOfPath(uri.path) : uri.model, uri };
}

async function connect(
  options: ServeOptions,
  log: Log,
  lifecycle: Lifecycle,
): Promise<{ peer: SyncPeer; source: VersionSource; token?: string | undefined }> {
  let closeEngine = () => {};
  // Named before serving is, so that it is closed after it: the last sync goes there, though as a rule
  // the first one opens it.
  lifecycle.onStop("engine", () => closeEngine());
  const openLocal = (options: LocalEngineOptions): SyncPeer => {
    const { engine, close } = openLocalEngine(options);
    closeEngine = close;
    return engine;
  };
  if (options.registry === undefined) {
    return { peer: openLocal({ catalog: emptyCatalog, log }), source: noSource };
  }
  const baseUrl = options.registry;
  const { client, token } = await openRegistryClient(baseUrl, options);
  const remote = new RemotePeer({ baseUrl, fetch: globalThis.fetch, token });
  const catalog = new MlflowCatalog(client);
  const planFor = (model: string) => planOfTags(model, catalog.tagsOf(model), log);
  const fallBack = () => Promise.resolve(openLocal({ catalog, planFor, log }));
  return {
    peer: new FallbackPeer(remote, fallBack, log),
    source: new MlflowSource(client),
    token,
  };
}

type LocalEngineOptions = Pick<RolloutEngineOptions, "catalog" | "planFor"> & { log: Log };

/** The registry's own engine, in this process and in memory. */
function openLocalEngine(options: LocalEngineOptions): { engine: SyncPeer; close: () => void } {
  const database = openDatabase(":memory:", rolloutMigrations);
  const engine = new RolloutEngine({
    ...options,
    database,
    clock: systemClock,
    random: new SystemRandom(),
  });
  const stopTicking = keepTicking(engine, options.log);
  const close = () => {
    stopTicking();
    database.close();
  };
  return { engine, close };
}

const noSource: VersionSource = {
  identify: () => Promise.reject(new SerinError("usage", "models:/ needs --registry URL")),
  fetchVersion: () => Promise.reject(new SerinError("usage", "models:/ needs --registry URL")),
  fetchRun: () => Promise.reject(new SerinError("usage", "runs:/ needs --registry URL")),
};
