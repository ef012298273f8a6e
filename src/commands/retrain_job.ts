import { KEYS, parseTrainingStatus, type TrainingStatus } from "../controller/mod.ts";
import { type Clock, SerinError } from "../core/mod.ts";
import type { MlflowClient, RemoteVersion } from "../mlflow/mod.ts";
import type { RetrainTrainer, TrainedVersion } from "../retrain/mod.ts";

const LOOK_MS = 2000;
/** A controller looks every second: one that has not taken a request by then is not there. */
const TAKEN_MS_MAX = 5 * 60_000;
/** The longest training that is waited for. */
const TRAINED_MS_MAX = 12 * 3_600_000;
/** A registry that is being restarted is waited for here, and does not count as a try of the step. */
const AWAY_MS_MAX = 60_000;
/** How long a Job asks for its rows: this process may be moved to another node meanwhile. */
const ROWS_WAIT_SECONDS = 300;

/** What {@linkcode openJobTrainer} stands on. */
export interface JobTrainerOptions {
  readonly client: {
    readonly models: Pick<MlflowClient["models"], "get" | "setTag" | "removeTag">;
    readonly versions: Pick<MlflowClient["versions"], "get">;
    readonly runs: Pick<MlflowClient["runs"], "get">;
  };
  /** Where Jobs reach this process; known when it listens. */
  readonly ownUrl: Promise<string>;
  readonly clock: Clock;
  readonly sleep: (ms: number) => Promise<void>;
}

/**
 * Trains in a Job of Kubernetes, which fetches its rows of this process: asks for it by the tag
 * `serin.training_request`, which the controller takes, and waits for the version that bears the
 * retraining's id. The same retraining asks with the same id: it has one Job whatever is restarted.
 */
export function openJobTrainer(options: JobTrainerOptions): RetrainTrainer {
  const { client, ownUrl } = options;
  return {
    isElsewhere: true,
    async train({ model, data: { target }, train: spec }, _data, { rows, id, versionBefore }) {
      const args = [
        ...["--data", `${await ownUrl}/api/serin/v1/retrainings/${id}/rows.csv`],
        ...["--data-wait-seconds", String(ROWS_WAIT_SECONDS)],
        ...["--target", target, "--rows", `${rows.start}-${rows.end}`],
        ...["--tag", `${KEYS.requestTag}=${id}`],
        ...(spec === undefined ? [] : ["--spec", spec]),
      ];
      const found = await new JobWait(options, { model, id, args, versionBefore }).wait();
      return await trainedOf(client, found);
    },
    // Its folder is in the Job: the id leads to what it made.
    runOf: () => Promise.resolve(undefined),
    async withdraw(model, id) {
      const tags = await tagsOf(client, model), standing = standingOf(tags, id);
      // What runs is left to its end, which the controller writes while the request stands.
      const isBegun = standing.name !== "untaken" && standing.status?.job !== "";
      if (idOf(tags[KEYS.requestTag]) !== id || isBegun) return;
      await client.models.removeTag(model, KEYS.requestTag);
    },
  };
}

/**
 * @returns where Jobs reach this process, as `--own-url` says it; undefined: where it listens
 * @throws {SerinError} `configuration`
 */
export function checkOwnUrl(
  { ownUrl, trainIn, host }: { ownUrl?: string | undefined; trainIn: string; host: string },
): string | undefined {
  if (ownUrl === undefined) {
    if (trainIn !== "job" || !/^(0\.0\.0\.0|\[?::\]?)$/.test(host)) return undefined;
    throw new SerinError("configuration", `Jobs cannot reach this process at --host ${host}`, {
      hint: "give the address that they reach it by, e.g. --own-url http://serin-retrain:8083",
    });
  }
  const url = URL.parse(ownUrl), hint = "give it as http://host:port";
  if (url === null || !/^https?:$/.test(url.protocol) || /[?#]/.test(ownUrl)) {
    const shown = ownUrl.replace(/[^/]*@/, "…@").replace(/[?#].*$/s, "…");
    const what = `--own-url is no http(s) address without a query: ${shown}`;
    throw new SerinError("configuration", what, { hint });
  }
  if (url.username !== "" || url.password !== "") {
    throw new SerinError("configuration", "--own-url holds a user or a password", { hint });
  }
  return ownUrl.replace(/\/+$/, "");
}

type Tags = Readonly<Record<string, string>>;

/** How a request stands by the tags of its model. */
interface Standing {
  readonly name: "free" | "untaken" | "running" | "succeeded" | "failed";
  /** The request that it is about: ours, or another one that is under way. */
  readonly id?: string;
  readonly status?: TrainingStatus;
}

/** What another one has asked for is not pushed aside while it is under way. */
function standingOf(tags: Tags, id: string): Standing {
  const asked = idOf(tags[KEYS.requestTag]), status = parseTrainingStatus(tags[KEYS.statusTag]);
  if (asked === undefined) return { name: "free" };
  if (status?.id !== asked) return { name: "untaken", id: asked };
  if (asked === id || status.phase === "running") {
    return { name: status.phase, id: asked, status };
  }
  return { name: "free" };
}

interface Asked {
  readonly model: string;
  readonly id: string;
  readonly args: readonly string[];
  readonly versionBefore: number;
}

/** One request, from the asking to the version. */
class JobWait {
  readonly #options: JobTrainerOptions;
  readonly #asked: Asked;
  /** Versions up to this one are not the Job's. */
  #looked: number;

  constructor(options: JobTrainerOptions, asked: Asked) {
    this.#options = options;
    this.#asked = asked;
    this.#looked = asked.versionBefore;
  }

  /** @returns the version that the Job made */
  async wait(): Promise<RemoteVersion> {
    const { clock, sleep } = this.#options, begin = clock.monotonic();
    // The last moments at which the registry answered, and at which nobody was missing.
    let answered = begin, attended = begin;
    for (;;) {
      try {
        const seen = await this.#look();
        if ("version" in seen) return seen.version;
        answered = clock.monotonic();
        if (seen.name !== "untaken") attended = answered;
        this.#checkTime(seen, { trained: answered - begin, untaken: answered - attended });
      } catch (thrown) {
        const isAway = thrown instanceof SerinError && thrown.retriable &&
          !(thrown instanceof NotTaken);
        if (!isAway || clock.monotonic() - answered > AWAY_MS_MAX) throw thrown;
      }
      await sleep(LOOK_MS);
    }
  }

  /** One look at the registry, which may show that it is to be asked (again). */
  async #look(): Promise<Standing | { version: RemoteVersion }> {
    const { client: { models } } = this.#options, { model, id, args } = this.#asked;
    const { tags, latest_versions } = await models.get(model);
    const newest = Math.max(0, ...latest_versions.map(({ version }) => Number(version)));
    // Before its status: where nobody writes that any more, the version is there all the same.
    const version = await this.#findVersion(newest);
    if (version !== undefined) return { version };
    const standing = standingOf(asRecord(tags), id);
    if (standing.name === "free") {
      await models.setTag(model, KEYS.requestTag, JSON.stringify({ id, arguments: args }));
    }
    if (standing.name === "failed") throw failed(standing.status!);
    if (standing.name === "succeeded") throw elsewhere(this.#asked);
    return standing;
  }

  /** Two may train a model at a time: the version that bears the request's id is the Job's. */
  async #findVersion(newest: number): Promise<RemoteVersion | undefined> {
    const { client: { versions } } = this.#options, { model, id } = this.#asked;
    for (let number = newest; number > this.#looked; number--) {
      let version: RemoteVersion;
      try {
        version = await versions.get(model, String(number));
      } catch (thrown) {
        if (thrown instanceof SerinError && thrown.code === "not_found") continue;
        throw thrown;
      }
      if (asRecord(version.tags)[KEYS.requestTag] === id) return version;
    }
    this.#looked = Math.max(this.#looked, newest);
    return undefined;
  }

  #checkTime(seen: Standing, { trained, untaken }: { trained: number; untaken: number }): void {
    if (untaken > TAKEN_MS_MAX) throw new NotTaken(seen.id!);
    if (trained <= TRAINED_MS_MAX) return;
    const what = seen.id === this.#asked.id ? `The Job ${seen.status?.job}` : `Training ${seen.id}`;
    throw new SerinError("conflict", `${what} has not ended in 12 h`, {
      hint: "look at its pod; then ask again",
    });
  }
}

/** Tried again as a step of the retraining, which waits longer each time. */
class NotTaken extends SerinError {
  constructor(id: string) {
    super("unavailable", `No controller has taken the training ${id}`, {
      hint: "check that serin controller runs beside this registry; a request that is not wanted " +
        `is taken back by removing the model's tag ${KEYS.requestTag}`,
    });
  }
}

function failed({ job, message }: TrainingStatus): SerinError {
  const what = job === "" ? "The training failed" : `The training Job ${job} failed`;
  return new SerinError("invalid_data", `${what}: ${message}`, {
    hint: "kubectl logs of the Job says more; the retraining is not tried again by itself",
  });
}

function elsewhere({ id, model }: Asked): SerinError {
  return new SerinError("conflict", `The training ${id} succeeded, and ${model} has no version`, {
    hint: "the CronJob's arguments may register another model: check its --register",
  });
}

async function trainedOf(
  { runs }: JobTrainerOptions["client"],
  { version, run_id: runId }: RemoteVersion,
): Promise<TrainedVersion> {
  const metrics: Record<string, number> = {};
  for (const { key, value } of (await runs.get(runId)).data.metrics) metrics[key] = value;
  return { version, runId, metrics };
}

async function tagsOf({ models }: JobTrainerOptions["client"], model: string): Promise<Tags> {
  return asRecord((await models.get(model)).tags);
}

function asRecord(tags: readonly { readonly key: string; readonly value: string }[]): Tags {
  return Object.fromEntries(tags.map(({ key, value }) => [key, value]));
}

function idOf(request: string | undefined): string | undefined {
  try {
    const id = JSON.parse(request ?? "null")?.id;
    return typeof id === "string" ? id : undefined;
  } catch {
    return undefined;
  }
}
