/**
 * A registry, a replica and a controller at work, scraped by a real Prometheus: what dashboards are
 * checked against. Registry and replica are real processes under live requests with late labels; three
 * rollouts are run, one is promoted, one rolled back, one goes on; a column drifts; some labels are
 * refused; what takes the replica's log is away for a while. The controller is serin's own over a cluster
 * in memory.
 */
import { addControllerMetrics } from "../../src/commands/controller_metrics.ts";
import { Controller } from "../../src/controller/mod.ts";
import { openLog, SeededRandom, systemClock } from "../../src/core/mod.ts";
import {
  LiveReplay,
  readReplayRows,
  type ReplayRow,
  writeSwappedData,
} from "../../src/demo/mod.ts";
import { addProcessMetrics, Metrics } from "../../src/telemetry/mod.ts";
import {
  FakeKubernetes,
  FakeRegistryPort,
  freePort,
  type SerinProcess,
  TestRegistry,
  until,
} from "../../src/testing/mod.ts";
import { StartedProcess } from "../../tests/prometheus/started_process.ts";
import { post, type Served, Workbench } from "../../tests/support/workbench.ts";

const MODEL = "electricity";
const DATA = decodeURIComponent(new URL("../../data/elec2.csv", import.meta.url).pathname);
const RULES = decodeURIComponent(
  new URL("../../manifests/prometheus/rules.yaml", import.meta.url).pathname,
);
/**
 * Live rows are of the time that most versions were trained on, so that nothing drifts by itself; before
 * row 17,760 some columns are constant.
 */
const ROWS = [20_000, 28_736] as const;
/** Of a rollout that ends, and of one that is still running when it is looked at. */
const SHORT = [0.05, 0.2, 0.5].map((share) => ({ share, seconds: 4 }));
const LONG = [{ share: 0.1, seconds: 4 }, { share: 0.25, seconds: 4 }, {
  share: 0.5,
  seconds: 900,
}];

/** How long nothing takes the replica's log. */
const AWAY_MS = 8_000;

/** What {@linkcode startLoadedSerin} started. */
export interface LoadedSerin extends AsyncDisposable {
  readonly prometheusUrl: string;
  /** When it began, milliseconds since the epoch. */
  readonly from: number;
}

/**
 * Runs all of it until there is something to see everywhere, 2 to 3 minutes.
 *
 * @param prometheus the program
 */
export async function startLoadedSerin(
  prometheus: string,
  say: (text: string) => void,
): Promise<LoadedSerin> {
  await using stack = new AsyncDisposableStack();
  const bench = stack.use(await Workbench.open());
  const registry = await bench.registry();
  const versions = await trainAll(bench, registry.process.url);
  say(`${versions.length} versions are trained`);
  await setPlan(registry.api, SHORT);
  await registry.api.client.models.setAlias(MODEL, "champion", versions[0]);
  const retrain = await Retrain.open(bench, registry.process.url);
  const served = await bench.serve([
    ...["--registry", registry.process.url, "--model", `models:/${MODEL}@champion`],
    ...["--prediction-log", bench.path("log"), "--prediction-log-to", retrain.url],
  ]);
  await retrain.alert();
  const controller = stack.use(startController());
  const targets = {
    "serin-registry": registry.process.url,
    "serin-serving": served.adminUrl,
    "serin-controller": controller.url,
    "serin-retrain": retrain.url,
  };
  const from = Date.now();
  const scraper = stack.use(await startPrometheus(prometheus, bench, targets));
  const rows = await liveRows();
  const traffic = startTraffic(served, rows);
  stack.defer(() => traffic.stop());
  stack.use(startBadLabels(served));
  say("live requests have begun");
  await rollOut(registry.api, versions[1]);
  say("one rollout has ended");
  await rollOut(registry.api, versions[2]);
  say("another one has");
  await retrain.beAway(AWAY_MS);
  await setPlan(registry.api, LONG);
  await registry.api.client.models.setAlias(MODEL, "challenger", versions[3]);
  // A meter's scale changes.
  change(rows, "nswdemand", (value) => Math.min(1, 0.25 + 0.8 * value));
  const hasData = async (query: string) => {
    const url = `${scraper.url}/api/v1/query?query=${encodeURIComponent(query)}`;
    return (await (await fetch(url)).json()).data.result.length > 0;
  };
  const wanted = [
    'max(serin_feature_drift_psi{column="nswdemand"}) > 0.3',
    "max(serin_rollout_step) >= 2 and max(serin_rollout_canary_requests) > 1000",
    "sum(serin_realised_labels) > 2000",
  ];
  for (const query of wanted) await until(query, () => hasData(query), 180_000);
  say("there is something to see");
  const owned = stack.move();
  return {
    prometheusUrl: scraper.url,
    from,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** Rows in an order of chance. */
async function liveRows(): Promise<ReplayRow[]> {
  const rows = (await readReplayRows(ROWS[0])).slice(0, ROWS[1] - ROWS[0]);
  const random = new SeededRandom(7);
  return rows.map((row) => ({ row, key: random.unit() })).sort((a, b) => a.key - b.key)
    .map(({ row }) => row);
}

/** The traffic goes on with the changed rows. */
function change(rows: readonly ReplayRow[], column: string, to: (value: number) => number): void {
  for (const { inputs } of rows) {
    for (const input of inputs as { name: string; value: number }[]) {
      if (input.name === column) input.value = to(input.value);
    }
  }
}

/** Six weeks; half a year, better; the same, with two columns swapped; newer still. */
async function trainAll(bench: Workbench, registryUrl: string): Promise<string[]> {
  const swapped = bench.path("swapped.csv");
  await writeSwappedData(swapped);
  const trainings = [
    [DATA, "18000-20016"],
    [DATA, ROWS.join("-")],
    [swapped, ROWS.join("-")],
    [DATA, "19000-28736"],
  ];
  const versions: string[] = [];
  for (const [data, rows] of trainings) {
    const { code, stdout, stderr } = await bench.run(
      ...["train", "--data", data, "--target", "target", "--rows", rows, "--json"],
      ...["--out", bench.path(`model-${versions.length}`)],
      ...["--registry", registryUrl, "--register", MODEL],
    );
    if (code !== 0) throw new Error(stderr);
    versions.push(JSON.parse(stdout).registered.version);
  }
  return versions;
}

async function setPlan(api: TestRegistry, steps: readonly unknown[]): Promise<void> {
  // Latencies of a busy machine decide nothing.
  const latency = { margins: { latencyRatio: 50, latencyDifference: 0.5 } };
  const plan = { warmupSeconds: 1, steps, holdSeconds: 60, labels: "required", ...latency };
  await api.client.models.setTag(MODEL, "serin.rollout_plan", JSON.stringify(plan));
}

async function rollOut(api: TestRegistry, version: string): Promise<void> {
  await api.client.models.setAlias(MODEL, "challenger", version);
  await until(`the rollout of ${version} ends`, async () => {
    const { rollouts } = await api.call("GET", "rollouts");
    return rollouts.some((one: { canary: string; endedAt: number | null }) =>
      one.canary === version && one.endedAt !== null
    );
  }, 120_000);
}

function startTraffic(served: Served, rows: readonly ReplayRow[]): LiveReplay {
  const traffic = new LiveReplay({
    url: served.url,
    model: MODEL,
    rows,
    rate: 150,
    connections: 8,
    labelDelayMs: [500, 4000],
    fetch: globalThis.fetch,
    clock: systemClock,
  });
  traffic.start();
  return traffic;
}

/** A job that mixes up its predictions: a label a second of which nothing is known. */
function startBadLabels(served: Served): Disposable {
  const bad = [{ prediction: "not-a-prediction", row: 0, label: 1 }];
  const timer = setInterval(() => served.label(bad).catch(() => {}), 1000);
  return { [Symbol.dispose]: () => clearInterval(timer) };
}

/** What retrains, and takes the replica's log. */
class Retrain {
  readonly url: string;
  readonly #start: () => Promise<SerinProcess>;
  #process: SerinProcess;

  private constructor(start: () => Promise<SerinProcess>, process: SerinProcess) {
    this.#start = start;
    this.#process = process;
    this.url = process.url;
  }

  static async open(bench: Workbench, registryUrl: string): Promise<Retrain> {
    const model = { model: MODEL, brakes: { approval: true, new_labels_min: 0 } };
    const spec = await bench.write("retrain.yaml", JSON.stringify({ models: [model] }));
    const args = [
      ...["retrain", "serve", "--registry", registryUrl, "--spec", spec],
      ...["--port", `${freePort()}`, "--data", bench.path("retrain")],
      ...["--prediction-log", bench.path("received")],
    ];
    const start = () => bench.start(...args);
    return new Retrain(start, await start());
  }

  /** One retraining waits for a person from now on. */
  async alert(): Promise<void> {
    const alert = (model: string) => ({
      status: "firing",
      labels: { alertname: "SerinModelDegraded", model },
      annotations: { summary: "worse than expected" },
      startsAt: new Date().toISOString(),
      fingerprint: model,
    });
    const webhook = { version: "4", groupKey: "{}", status: "firing", receiver: "retrain" };
    const body = { ...webhook, alerts: [alert(MODEL), alert("unheard-of")] };
    const answer = await post(`${this.url}/v1/alerts`, body);
    if (answer.status !== 200) throw new Error(`${answer.status} ${answer.text}`);
  }

  /** Ends, and comes back at the same address. */
  async beAway(ms: number): Promise<void> {
    await this.#process.stop();
    await new Promise((resolve) => setTimeout(resolve, ms));
    this.#process = await this.#start();
  }
}

/** serin's controller over a cluster in memory, with its metrics on a port. */
function startController(): { url: string } & AsyncDisposable {
  const api = new FakeKubernetes(), registry = new FakeRegistryPort();
  registry.put(MODEL);
  const source = (kind: string) => ({
    objects: () => api.objects(kind),
    isListed: () => true,
    problem: () => undefined,
  });
  const controller = new Controller({
    client: api,
    registry,
    lease: { isHeld: () => true, holder: () => "check", problem: () => undefined },
    sources: {
      rollouts: source("Rollout"),
      deployments: source("Deployment"),
      training: source("Job"),
    },
    clock: systemClock,
    random: new SeededRandom(1),
    sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
    log: openLog({ write: () => {} }),
    deployment: "serin-serving",
    intervalMs: 500,
  });
  const metrics = new Metrics();
  addProcessMetrics(metrics, "controller");
  addControllerMetrics(metrics, controller);
  const timer = setInterval(() => controller.reconcile().catch(() => {}), 500);
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    async () =>
      new Response(await metrics.text(), { headers: { "content-type": metrics.contentType } }),
  );
  return {
    url: `http://127.0.0.1:${server.addr.port}`,
    async [Symbol.asyncDispose]() {
      clearInterval(timer);
      await server.shutdown();
    },
  };
}

async function startPrometheus(
  program: string,
  bench: Workbench,
  targets: Readonly<Record<string, string>>,
): Promise<{ url: string } & AsyncDisposable> {
  const config = {
    global: { scrape_interval: "1s", scrape_timeout: "1s", evaluation_interval: "2s" },
    rule_files: [RULES],
    scrape_configs: Object.entries(targets).map(([job_name, url]) => ({
      job_name,
      static_configs: [{ targets: [new URL(url).host], labels: { namespace: "serin" } }],
    })),
  };
  const file = await bench.write("prometheus.yml", JSON.stringify(config));
  const address = `127.0.0.1:${freePort()}`;
  const prometheus = new StartedProcess(program, [
    `--config.file=${file}`,
    `--storage.tsdb.path=${bench.path("tsdb")}`,
    `--web.listen-address=${address}`,
  ]);
  await prometheus.waitFor(/Server is ready to receive web requests/);
  const url = `http://${address}`;
  return { url, [Symbol.asyncDispose]: () => prometheus[Symbol.asyncDispose]() };
}
