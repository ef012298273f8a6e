import { KEYS, parseTrainingStatus, type TrainingStatus } from "../controller/mod.ts";
import { type Clock, SerinError, sha256Hex } from "../core/mod.ts";
import { getColumn } from "../dataset/mod.ts";
import type { MlflowClient } from "../mlflow/mod.ts";
import type { DataCollector, RetrainGate, RetrainTrainer, TrainedVersion } from "../retrain/mod.ts";
import { readTable } from "./data_source.ts";

const LOOK_MS = 2000;
/** A controller looks every second: one that has not taken a request by then is not there. */
const TAKEN_MS_MAX = 5 * 60_000;
/** The longest training that is waited for. */
const TRAINED_MS_MAX = 12 * 3_600_000;

/** What {@linkcode openJobTrainer} stands on. */
export interface JobTrainerOptions {
  readonly client: {
    readonly models: Pick<MlflowClient["models"], "get" | "setTag">;
    readonly versions: Pick<MlflowClient["versions"], "get">;
    readonly runs: Pick<MlflowClient["runs"], "get">;
  };
  readonly clock: Clock;
  readonly sleep: (ms: number) => Promise<void>;
}

/**
 * Trains in a Job of Kubernetes: asks for it by the tag `serin.training_request`, which the controller
 * takes, and waits for its end in `serin.training_status`. The same retraining asks with the same id, so
 * that it has one Job whatever is restarted meanwhile.
 */
export function openJobTrainer({ client, clock, sleep }: JobTrainerOptions): RetrainTrainer {
  const tagsOf = async (model: string) => {
    const { tags } = await client.models.get(model);
    return Object.fromEntries(tags.map(({ key, value }) => [key, value]));
  };
  const ask = async (model: string, id: string, args: readonly string[]) => {
    const tags = await tagsOf(model);
    const asked = idOf(tags[KEYS.requestTag]), status = parseTrainingStatus(tags[KEYS.statusTag]);
    if (asked === id) return;
    const isOpen = asked !== undefined && (status?.id !== asked || status.phase === "running");
    if (isOpen) {
      throw new SerinError("unavailable", `Another training of ${model} is under way: ${asked}`, {
        hint:
          "it is waited for; a request that nobody takes is ended by removing the model's tag " +
          KEYS.requestTag,
      });
    }
    await client.models.setTag(model, KEYS.requestTag, JSON.stringify({ id, arguments: args }));
  };
  const wait = async (model: string, id: string): Promise<void> => {
    const begin = clock.monotonic();
    for (;;) {
      const status = parseTrainingStatus((await tagsOf(model))[KEYS.statusTag]);
      const waited = clock.monotonic() - begin;
      if (isEnded(status, id)) return;
      if (status?.id !== id && waited > TAKEN_MS_MAX) {
        throw new SerinError("unavailable", `No controller has taken the training ${id}`, {
          hint: "check that serin controller runs beside this registry",
        });
      }
      if (waited > TRAINED_MS_MAX) {
        throw new SerinError("conflict", `The Job ${status?.job} has not ended in 12 h`, {
          hint: "look at its pod; then ask again",
        });
      }
      await sleep(LOOK_MS);
    }
  };
  return {
    async train({ model, data: { target }, train: spec }, { path }, { rows, id, versionBefore }) {
      const args = ["--data", path, "--target", target, "--rows", `${rows.start}-${rows.end}`];
      if (spec !== undefined) args.push("--spec", spec);
      await ask(model, id, args);
      await wait(model, id);
      return await findTrained(client, model, { id, versionBefore });
    },
    // Its folder is in the Job: the id leads to what it made.
    runOf: () => Promise.resolve(undefined),
  };
}

/** @throws {SerinError} `invalid_data` with the Job's last words where it failed */
function isEnded(status: TrainingStatus | undefined, id: string): boolean {
  if (status?.id !== id || status.phase === "running") return false;
  if (status.phase === "succeeded") return true;
  throw new SerinError("invalid_data", `The training Job ${status.job} failed: ${status.message}`, {
    hint: "kubectl logs of the Job says more; the retraining is not tried again by itself",
  });
}

/** One training a model runs at a time: the newest version is the Job's. */
async function findTrained(
  client: JobTrainerOptions["client"],
  model: string,
  { id, versionBefore }: { id: string; versionBefore: number },
): Promise<TrainedVersion> {
  const { latest_versions } = await client.models.get(model);
  const newest = Math.max(0, ...latest_versions.map(({ version }) => Number(version)));
  if (newest <= versionBefore) {
    throw new SerinError(
      "conflict",
      `The training ${id} succeeded, and ${model} has no new version`,
      {
        hint: "the CronJob's arguments may register another model: check its --register",
      },
    );
  }
  const { run_id: runId } = await client.versions.get(model, String(newest));
  const metrics: Record<string, number> = {};
  for (const { key, value } of (await client.runs.get(runId)).data.metrics) metrics[key] = value;
  return { version: String(newest), runId, metrics };
}

function idOf(request: string | undefined): string | undefined {
  try {
    const id = JSON.parse(request ?? "null")?.id;
    return typeof id === "string" ? id : undefined;
  } catch {
    return undefined;
  }
}

/**
 * The rows of a file that training Jobs see by the same path: nothing is copied, and its digest is kept,
 * so that what is judged is what was trained from.
 */
export function openSharedFile(): DataCollector {
  return {
    async collect({ data: { csv = [], target } }) {
      if (csv.length !== 1 || /[*?]/.test(csv[0])) {
        throw new SerinError("configuration", "Training in Jobs wants data.csv to be one file", {
          hint: "give the path that the CronJob serin-train sees, e.g. csv: [/data/fresh.csv]",
        });
      }
      const [path] = csv;
      const table = await readTable("data.csv", path);
      getColumn(table, target);
      return { path, rows: table.rows, source: path, digest: await digestOf(path) };
    },
  };
}

/** Refuses to judge by other rows than those that were cut off before the training. */
export function onSameFile(gate: RetrainGate): RetrainGate {
  return {
    async judge(spec, data, options) {
      if (await digestOf(data.path) === data.digest) return await gate.judge(spec, data, options);
      throw new SerinError("conflict", `${data.path} has changed since the training began`, {
        hint: "write fresh rows to a new file, or between two retrainings",
      });
    },
  };
}

async function digestOf(path: string): Promise<string> {
  return sha256Hex(await Deno.readFile(path));
}
