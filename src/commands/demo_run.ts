import { type CommandContext, formatTable, openProgress, type Progress } from "../cli/mod.ts";
import { type ControlClient, createControlClient, type RolloutStatus } from "../control/mod.ts";
import { formatDuration, Lifecycle, openLog, SerinError, systemClock } from "../core/mod.ts";
import {
  electricityPath,
  LiveReplay,
  readReplayRows,
  SWAPPED,
  TARGET,
  waitForRolloutEnd,
  writeSwappedData,
} from "../demo/mod.ts";
import { createMlflowClient, type MlflowClient } from "../mlflow/mod.ts";
import { MlflowSource, ModelCache, openServing, RemotePeer, type Serving } from "../serving/mod.ts";
import { Metrics } from "../telemetry/mod.ts";
import { callIsolate } from "./isolate_call.ts";
import type { TrainOptions } from "./train_run.ts";

/** The options of `serin demo`. */
export interface DemoOptions {
  readonly keep: boolean;
  readonly json: boolean;
  readonly rate: number;
  readonly workers: number;
}

const MODEL = "electricity";
/** 48 half-hours × 7 days. */
const WEEK = 336;
const HALF_YEAR = 26 * WEEK;
/** What each version is trained on: rows that lie behind the live requests at that time. */
const ROWS = {
  first: [0, 6 * WEEK],
  fresher: [4000, 4000 + HALF_YEAR],
  faulty: [8000, 8000 + HALF_YEAR],
} as const;
/** Live requests begin where the first version's data end. */
const LIVE_FROM = ROWS.first[1];
/** Minutes of a real rollout become seconds: the statistics are the same, only time is replayed. */
const PLAN = {
  warmupSeconds: 1,
  steps: [
    { share: 0.05, seconds: 3 },
    { share: 0.1, seconds: 3 },
    { share: 0.25, seconds: 3 },
    { share: 0.5, seconds: 3 },
  ],
  holdSeconds: 60,
  labels: "required",
};
const ROLLOUT_MS_MAX = 150_000;

interface Trained {
  readonly registered: { readonly version: string };
  readonly metrics: { readonly auc: number; readonly log_loss: number; readonly accuracy: number };
}

/** What became of one version. */
interface Chapter {
  readonly version: string;
  readonly what: string;
  readonly auc: number;
  rollout: RolloutStatus | undefined;
}

/** Runs the demo; 0 when one version was promoted, one rolled back and no request failed. */
export async function run(options: DemoOptions, context: CommandContext): Promise<number> {
  const lifecycle = new Lifecycle();
  lifecycle.stopOnSignals();
  const progress = openProgress({ interactive: context.interactive });
  const started = performance.now();
  try {
    const demo = await Demo.open(options, lifecycle, progress);
    await demo.play();
    const code = demo.conclude(context, performance.now() - started);
    if (options.keep) {
      progress.say("It goes on; Ctrl-C ends it.");
      await lifecycle.stopped;
    }
    return code;
  } finally {
    progress.end();
    await lifecycle.stop();
  }
}

/** The cast: registry, inference server and live requests, and what happens to them. */
class Demo {
  readonly #folder: string;
  readonly #registryUrl: string;
  readonly #client: MlflowClient;
  readonly #control: ControlClient;
  readonly #options: DemoOptions;
  readonly #lifecycle: Lifecycle;
  readonly #progress: Progress;
  readonly #chapters: Chapter[] = [];
  #serving: Serving | undefined;
  #replay: LiveReplay | undefined;

  private constructor(
    options: DemoOptions,
    lifecycle: Lifecycle,
    progress: Progress,
    place: { folder: string; registryUrl: string },
  ) {
    this.#options = options;
    this.#lifecycle = lifecycle;
    this.#progress = progress;
    this.#folder = place.folder;
    this.#registryUrl = place.registryUrl;
    const reached = { baseUrl: place.registryUrl, fetch: globalThis.fetch };
    this.#client = createMlflowClient(reached);
    this.#control = createControlClient(reached);
  }

  static async open(options: DemoOptions, lifecycle: Lifecycle, progress: Progress): Promise<Demo> {
    const folder = await Deno.makeTempDir({ prefix: "serin-demo-" });
    lifecycle.onStop("folder", () => Deno.remove(folder, { recursive: true }));
    const registryUrl = await startRegistry(`${folder}/registry`, lifecycle);
    progress.say(`registry   ${registryUrl}   MLflow's API, in an isolate of its own`);
    progress.say(`live page  ${registryUrl}/ui/`);
    return new Demo(options, lifecycle, progress, { folder, registryUrl });
  }

  async play(): Promise<void> {
    const first = await this.#train("the first six weeks", ROWS.first);
    await this.#client.models.setAlias(MODEL, "champion", first.version);
    this.#progress.say(`version ${first.version} is registered; the alias champion points at it`);
    await this.#serve();
    await this.#startReplay();
    await this.#replayed(ROWS.fresher[1]);
    await this.#rollOut(await this.#train("the newest half-year", ROWS.fresher));
    await this.#replayed(ROWS.faulty[1]);
    const swapped = `${this.#folder}/swapped.csv`;
    await writeSwappedData(swapped);
    const fault = `newer still, ${SWAPPED.join(" and ")} swapped`;
    await this.#rollOut(await this.#train(fault, ROWS.faulty, swapped));
  }

  /** Prints the end. @returns the exit code */
  conclude(context: CommandContext, elapsedMs: number): number {
    const replay = this.#replay!;
    this.#progress.end();
    const phases = this.#chapters.map(({ rollout }) => rollout?.phase);
    const good = phases[1] === "promoted" && phases[2] === "rolled_back" && replay.failed === 0;
    if (this.#options.json) context.print(JSON.stringify(this.#report(elapsedMs)));
    else this.#printTable(context, elapsedMs);
    if (replay.failed > 0) {
      this.#progress.say(`${replay.failed} requests failed, the first: ${replay.failure}`);
    }
    return good ? 0 : 1;
  }

  async #train(
    what: string,
    [from, to]: readonly [number, number],
    data = electricityPath(),
  ): Promise<Chapter> {
    this.#progress.say(`train      ${what} (rows ${from} to ${to})`);
    const worker = new Worker(new URL("./train_isolate.ts", import.meta.url), { type: "module" });
    try {
      const trained = await callIsolate<Trained>(
        worker,
        {
          data,
          target: TARGET,
          rows: `${from}-${to}`,
          out: `${this.#folder}/model-${this.#chapters.length + 1}`,
          overwrite: false,
          registry: this.#registryUrl,
          registryWaitSeconds: 10,
          experiment: MODEL,
          register: MODEL,
          json: true,
        } satisfies TrainOptions,
      );
      const { auc, log_loss, accuracy } = trained.metrics;
      const { version } = trained.registered;
      this.#progress.say(
        `version ${version}  on its own test rows: AUC ${auc.toFixed(3)}, log loss ` +
          `${log_loss.toFixed(3)}, accuracy ${percent(accuracy)}; tracked and registered`,
      );
      const chapter: Chapter = { version, what, auc, rollout: undefined };
      this.#chapters.push(chapter);
      return chapter;
    } finally {
      worker.terminate();
    }
  }

  async #serve(): Promise<void> {
    const serving = await openServing({
      host: "127.0.0.1",
      port: 0,
      adminPort: 0,
      workers: this.#options.workers,
      replica: "demo",
      models: new Map([[MODEL, { kind: "alias", model: MODEL, alias: "champion" }]]),
      peer: new RemotePeer({ baseUrl: this.#registryUrl, fetch: globalThis.fetch }),
      source: new MlflowSource(this.#client),
      cache: await ModelCache.open(`${this.#folder}/cache`),
      metrics: new Metrics(),
      clock: systemClock,
      log: openLog({ level: "warn" }),
    });
    this.#lifecycle.onStop("serving", () => serving.stop());
    this.#serving = serving;
    await waitUntil("the inference server is ready", () => serving.ready());
    this.#progress.say(
      `inference  ${serving.url}/v2/models/${MODEL}   metrics ${serving.adminUrl}/metrics`,
    );
  }

  async #startReplay(): Promise<void> {
    const replay = new LiveReplay({
      url: this.#serving!.url,
      model: MODEL,
      rows: await readReplayRows(LIVE_FROM),
      rate: this.#options.rate,
      connections: 8,
      labelDelayMs: [200, 800],
      fetch: globalThis.fetch,
      clock: systemClock,
    });
    replay.start();
    this.#lifecycle.onStop("replay", () => replay.stop());
    this.#replay = replay;
    this.#progress.say("replay     the following weeks arrive as live requests, their labels late");
  }

  /** Waits until the live requests have come to this row. */
  async #replayed(row: number): Promise<void> {
    await waitUntil(`row ${row} is replayed`, () => {
      this.#progress.update(this.#traffic());
      return LIVE_FROM + this.#replay!.position >= row;
    });
  }

  async #rollOut(chapter: Chapter): Promise<void> {
    const request = { model: MODEL, challenger: chapter.version, plan: PLAN };
    const { id } = await this.#control.startRollout(request);
    this.#progress.say(
      `rollout    version ${chapter.version} is the challenger: 5 → 10 → 25 → 50 %`,
    );
    let share = 0;
    const onChange = (seen: RolloutStatus) => {
      if (seen.share > share) {
        this.#progress.say(
          `           ${percent(seen.share)} of traffic, ` +
            `${seen.canaryRequests} canary requests so far, evidence against it ${
              evidenceOf(seen)
            }`,
        );
      }
      share = seen.share;
      this.#progress.update(`${this.#traffic()} · ${seen.phase}, evidence ${evidenceOf(seen)}`);
    };
    const timeoutMs = ROLLOUT_MS_MAX;
    const rollout = await waitForRolloutEnd(this.#control, id, { onChange, timeoutMs });
    chapter.rollout = rollout;
    this.#progress.say(`decided    ${rollout.verdict}`);
  }

  #traffic(): string {
    const replay = this.#replay!;
    const versions = [...replay.tallies()].map(([version, { answered, wrong }]) =>
      `v${version} ${percent(wrong / answered)} wrong`
    );
    return `${replay.answered} live requests (${replay.rate.toFixed(0)}/s), ` +
      `${replay.failed} failed · ${versions.join(", ")}`;
  }

  #report(elapsedMs: number) {
    const { answered, failed, labelsAccepted, rate } = this.#replay!;
    return {
      seconds: elapsedMs / 1000,
      requests: answered,
      failed,
      labels: labelsAccepted,
      rate,
      versions: this.#chapters.map(({ version, what, auc, rollout }) => ({
        version,
        what,
        auc,
        live: this.#replay!.tallies().get(version) ?? null,
        outcome: rollout?.phase ?? "first",
        canary_requests: rollout?.canaryRequests ?? null,
        verdict: rollout?.verdict ?? null,
      })),
      urls: {
        registry: this.#registryUrl,
        serving: this.#serving!.url,
        admin: this.#serving!.adminUrl,
      },
    };
  }

  #printTable(context: CommandContext, elapsedMs: number): void {
    const replay = this.#replay!;
    const rows = this.#chapters.map(({ version, what, auc, rollout }) => [
      version,
      what,
      auc.toFixed(3),
      String(replay.tallies().get(version)?.answered ?? 0),
      rollout === undefined ? "" : wrongOf(rollout),
      rollout === undefined ? "first champion" : outcomeOf(rollout),
    ]);
    const header = [
      ...["version", "trained on", "test AUC", "live requests"],
      ...["wrong answers, to champion", "outcome"],
    ];
    context.print("");
    context.print(formatTable(header, rows));
    context.print("");
    for (const { version, rollout } of this.#chapters) {
      if (rollout !== undefined) context.print(`version ${version}: ${rollout.verdict}`);
    }
    context.print("");
    context.print(
      `${replay.answered} live requests, ${replay.failed} failed, ${replay.labelsAccepted} late labels, ` +
        `${formatDuration(elapsedMs)} in all`,
    );
    context.print(`live page  ${this.#registryUrl}/ui/`);
    context.print(
      `registry   ${this.#registryUrl}/api/2.0/mlflow/registered-models/get?name=${MODEL}`,
    );
    context.print(`metrics    ${this.#serving!.adminUrl}/metrics`);
  }
}

async function startRegistry(dataFolder: string, lifecycle: Lifecycle): Promise<string> {
  const embedded = decodeURIComponent(new URL("../../", import.meta.url).pathname);
  await Deno.mkdir(dataFolder);
  const worker = new Worker(new URL("./registry_isolate.ts", import.meta.url), {
    type: "module",
    deno: { permissions: { net: true, read: [embedded, dataFolder], write: [dataFolder] } },
  });
  lifecycle.onStop("registry", () => worker.terminate());
  return await callIsolate<string>(worker, { dataFolder });
}

async function waitUntil(what: string, check: () => boolean, timeoutMs = 120_000): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  while (!check()) {
    if (performance.now() > deadline) throw new SerinError("timeout", `Waited in vain: ${what}`);
    await new Promise((done) => setTimeout(done, 50));
  }
}

function outcomeOf(rollout: RolloutStatus): string {
  const seconds = ((rollout.endedAt ?? rollout.startedAt) - rollout.startedAt) / 1000;
  return `${rollout.phase.replaceAll("_", " ")} after ${seconds.toFixed(1)} s, ` +
    `${rollout.canaryRequests} canary requests`;
}

/** Wrong answers of the canary to those of the champion, request by request at the same time. */
function wrongOf({ metrics }: RolloutStatus): string {
  const ratio = metrics.find(({ metric }) => metric === "labels")?.ratio;
  if (ratio === undefined || ratio === null) return "";
  const [estimate, lower, upper] = [ratio.estimate, ratio.lower, ratio.upper].map((x) =>
    x === null ? "∞" : x.toFixed(2)
  );
  return `× ${estimate} (${lower} to ${upper})`;
}

function evidenceOf({ evidence, labelEvidence, evidenceNeeded }: RolloutStatus): string {
  return `${Math.max(evidence, labelEvidence).toPrecision(2)} of ${evidenceNeeded}`;
}

function percent(ratio: number): string {
  return `${(100 * ratio).toFixed(1)} %`;
}
