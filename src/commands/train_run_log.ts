import { type Clock, SerinError } from "../core/mod.ts";
import type { MlflowClient, Pair } from "../mlflow/mod.ts";
import type { RunLog } from "../train/mod.ts";

/** Where the model's files stand among a run's artifacts. */
const MODEL_PATH = "model";

/** MLflow refuses longer texts of a parameter and of a tag. */
const PARAM_CHARACTERS_MAX = 6000;
const TAG_CHARACTERS_MAX = 8000;

/** Records a training run on an MLflow-compatible server. */
export function openMlflowRunLog(client: MlflowClient, clock: Clock): RunLog {
  return new MlflowRunLog(client, clock);
}

class MlflowRunLog implements RunLog {
  readonly #client: MlflowClient;
  readonly #clock: Clock;
  #run: { id: string; artifactUri: string } | undefined;

  constructor(client: MlflowClient, clock: Clock) {
    this.#client = client;
    this.#clock = clock;
  }

  async start({ experiment, name, params, tags }: Parameters<RunLog["start"]>[0]): Promise<string> {
    const { info } = await this.#client.runs.create({
      experimentId: await this.#client.experiments.ensure(experiment),
      ...(name === undefined ? {} : { name }),
      startedMs: this.#clock.now(),
      tags: pairs({ "mlflow.source.name": "serin train", "mlflow.source.type": "JOB" }, Infinity),
    });
    this.#run = { id: info.run_id, artifactUri: info.artifact_uri };
    try {
      await this.#client.runs.logBatch(info.run_id, {
        params: pairs(params, PARAM_CHARACTERS_MAX),
        tags: pairs(tags, TAG_CHARACTERS_MAX),
      });
    } catch (thrown) {
      await this.finish("FAILED").catch(() => {});
      throw thrown;
    }
    return info.run_id;
  }

  async logMetrics(points: Parameters<RunLog["logMetrics"]>[0]): Promise<void> {
    const timestamp = this.#clock.now();
    const metrics = points.map((point) => ({ ...point, timestamp }));
    await this.#client.runs.logBatch(this.#started().id, { metrics });
  }

  async logModel(files: ReadonlyMap<string, Uint8Array>): Promise<void> {
    const { artifactUri } = this.#started();
    for (const [name, content] of files) {
      const bytes = content as Uint8Array<ArrayBuffer>;
      await this.#client.artifacts.upload(artifactUri, `${MODEL_PATH}/${name}`, bytes);
    }
  }

  async register(name: string, tags: Readonly<Record<string, string>>): Promise<string> {
    const { id, artifactUri } = this.#started();
    await this.#client.models.ensure(name);
    const source = `${artifactUri}/${MODEL_PATH}`;
    const { version } = await this.#client.versions.create({
      ...{ name, source, runId: id },
      ...(Object.keys(tags).length === 0 ? {} : { tags: pairs(tags, TAG_CHARACTERS_MAX) }),
    });
    return String(version);
  }

  async finish(status: "FINISHED" | "FAILED"): Promise<void> {
    await this.#client.runs.update(this.#started().id, { status, endedMs: this.#clock.now() });
  }

  #started(): { id: string; artifactUri: string } {
    if (this.#run !== undefined) return this.#run;
    throw new SerinError("internal", "The run was not started");
  }
}

function pairs(values: Readonly<Record<string, string>>, charactersMax: number): Pair[] {
  return Object.entries(values).map(([key, value]) => ({
    key,
    value: value.length > charactersMax ? `${value.slice(0, charactersMax - 1)}…` : value,
  }));
}
