import { controllerApp } from "../api/ops/mod.ts";
import { retrainRoutes } from "../api/retrain/mod.ts";
import type { CommandContext } from "../cli/mod.ts";
import { parseYamlConfig } from "../config/mod.ts";
import { Lifecycle, type Log, storageError, systemClock, SystemRandom } from "../core/mod.ts";
import { openDatabase } from "../database/mod.ts";
import type { MlflowClient } from "../mlflow/mod.ts";
import {
  RETRAIN_MIGRATIONS,
  RETRAIN_SYNONYMS,
  Retrainer,
  type RetrainerOptions,
  type RetrainSpec,
  retrainSpecSchema,
  RetrainStore,
  useOwnLog,
} from "../retrain/mod.ts";
import { parseModelUri } from "../serving/mod.ts";
import { addProcessMetrics, Metrics } from "../telemetry/mod.ts";
import { readConfigFile } from "./config_file.ts";
import { fetchModel } from "./offline_model.ts";
import { readTraining } from "./model_training.ts";
import { listenOn } from "./listen.ts";
import { openRegistryClient } from "./registry_client.ts";
import { openDataCollector } from "./retrain_data.ts";
import { addRetrainMetrics } from "./retrain_metrics.ts";
import { openPredictions } from "./retrain_predictions.ts";
import { toRetrainRegistry } from "./retrain_registry.ts";
import { checkOwnUrl, openJobTrainer } from "./retrain_job.ts";
import { readRetrainTokens, type RetrainTokenOptions } from "./retrain_tokens.ts";
import { openGate, openTrainer, type WorkRegistry } from "./retrain_work.ts";

/** The options of `serin retrain serve`. */
export interface RetrainServeOptions extends RetrainTokenOptions {
  readonly registry: string;
  readonly registryTokenFile?: string | undefined;
  readonly registryToken?: string | undefined;
  readonly spec: string;
  readonly data: string;
  readonly trainIn: "worker" | "job";
  readonly ownUrl?: string | undefined;
  readonly predictionLog?: string | undefined;
  readonly predictionLogBytes: string;
  readonly port: number;
}

/** Works until SIGTERM or SIGINT; what is under way then goes on at the next start. */
export async function run(options: RetrainServeOptions, context: CommandContext): Promise<void> {
  const { log } = context;
  const spec = useOwnLog(await readSpec(options.spec), options.predictionLog);
  const tokens = await readRetrainTokens(options);
  const given = checkOwnUrl(options), ownUrl = Promise.withResolvers<string>();
  const lifecycle = new Lifecycle();
  lifecycle.stopOnSignals();
  let failure: unknown;
  const onFailure = (thrown: unknown) => {
    failure = thrown;
    void lifecycle.stop();
  };
  try {
    const metrics = new Metrics();
    // Opened before what reads it, and closed after it.
    const predictions = await openPredictions(options, { tokens, metrics, lifecycle, log });
    const { retrainer, store } = await openRetrainer(options, spec, {
      ...{ log, lifecycle, ownUrl: ownUrl.promise, onFailure },
    });
    const webhooks = new Map<string, number>([["taken", 0]]);
    addProcessMetrics(metrics, "retrain");
    addRetrainMetrics(metrics, { retrainer, store, webhooks });
    const app = retrainRoutes({
      ...{ retrainer, tokens, log, list: (query) => store.list(query) },
      onWebhook: (outcome) => webhooks.set(outcome, (webhooks.get(outcome) ?? 0) + 1),
    });
    app.route("/", predictions);
    app.route(
      "/",
      controllerApp({ metrics, alive: () => true, ready: () => ({ ready: true, reasons: [] }) }),
    );
    const server = listenOn(options, app.fetch);
    lifecycle.onStop("server", () => server.close());
    ownUrl.resolve(given ?? server.url);
    const models = spec.models.map(({ model }) => model).join(", ");
    log.info(`serin retrain listening on ${server.url}`, { registry: options.registry, models });
  } catch (thrown) {
    await lifecycle.stop();
    throw thrown;
  }
  await lifecycle.stopped;
  if (failure !== undefined) throw failure;
}

async function openRetrainer(
  options: RetrainServeOptions,
  spec: RetrainSpec,
  { log, lifecycle, ownUrl, onFailure }: {
    log: Log;
    lifecycle: Lifecycle;
    ownUrl: Promise<string>;
    onFailure: (thrown: unknown) => void;
  },
): Promise<{ retrainer: Retrainer; store: RetrainStore }> {
  const { registry: baseUrl, data: folder } = options;
  const { client } = await openRegistryClient(baseUrl, options);
  try {
    await Deno.mkdir(folder, { recursive: true });
  } catch (cause) {
    throw storageError(`Cannot make --data ${folder}`, cause);
  }
  const database = openDatabase(`${folder}/retrain.db`, RETRAIN_MIGRATIONS);
  lifecycle.onStop("database", () => database.close());
  const store = new RetrainStore(database);
  const { registryTokenFile, registryToken } = options;
  const registry = { registry: baseUrl, registryTokenFile, registryToken };
  const ending = new AbortController();
  const retrainer = new Retrainer({
    ...{ spec, store, folder, log, clock: systemClock, random: new SystemRandom(), sleep },
    registry: toRetrainRegistry(client, { baseUrl }),
    ...workParts(options.trainIn, client, { registry, ownUrl, signal: ending.signal }),
  });
  lifecycle.onStop("work", () => ending.abort());
  retrainer.run(ending.signal).catch((thrown) => {
    // Who restarts what failed must see that it did.
    if (!ending.signal.aborted) onFailure(thrown);
  });
  return { retrainer, store };
}

/** What trains: this process itself, or Jobs of Kubernetes. */
function workParts(
  trainIn: RetrainServeOptions["trainIn"],
  client: MlflowClient,
  { registry, ownUrl, signal }: {
    registry: WorkRegistry;
    ownUrl: Promise<string>;
    signal: AbortSignal;
  },
): Pick<RetrainerOptions, "data" | "trainer" | "gate"> {
  const clock = systemClock;
  const data = openDataCollector({
    now: () => clock.now(),
    trainingOf: async ({ model, champion }) => {
      const uri = `models:/${model}@${champion}`;
      const { bytes } = await fetchModel(parseModelUri(uri), { ...registry, uri });
      return readTraining(bytes);
    },
  });
  const both = { data, gate: openGate(registry) };
  if (trainIn === "worker") return { ...both, trainer: openTrainer(registry) };
  const pause = async (ms: number) => {
    await sleep(ms, signal);
    signal.throwIfAborted();
  };
  return { ...both, trainer: openJobTrainer({ client, ownUrl, clock, sleep: pause }) };
}

function sleep(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((done) => {
    const timer = setTimeout(finish, ms);
    function finish() {
      clearTimeout(timer);
      signal.removeEventListener("abort", finish);
      done();
    }
    signal.addEventListener("abort", finish, { once: true });
    if (signal.aborted) finish();
  });
}

async function readSpec(path: string): Promise<RetrainSpec> {
  const text = await readConfigFile("--spec", path);
  return parseYamlConfig(text, retrainSpecSchema, { source: path, synonyms: RETRAIN_SYNONYMS });
}
