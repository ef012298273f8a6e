/** What the steps share: the cluster, the registry in it, the traffic, the versions made so far. */
import { createMlflowClient, type MlflowClient } from "../../src/mlflow/mod.ts";
import { until } from "../../src/testing/mod.ts";
import { type Cluster, type Json } from "./cluster.ts";
import type { ElectricityTraffic } from "./electricity.ts";

/** The registered model of the test. */
export const MODEL = "electricity";

/** How a rollout is planned here: as in life, only faster. */
export const QUICK_PLAN = {
  steps: [{ share: 0.1, seconds: 4 }, { share: 0.3, seconds: 4 }, { share: 0.5, seconds: 4 }],
  warmupSeconds: 3,
  canaryRequestsMin: 20,
  // Pods that share two cores with a whole cluster are not equally fast: wide margins.
  margins: { latencyRatio: 5, latencyDifference: 0.2, labelRatio: 1.35 },
  latencyTolerance: { relative: 2, absoluteMs: 200 },
  holdSeconds: 240,
};

/** The registry inside the cluster, called with its admin token. */
export class ClusterRegistry {
  readonly url: string;
  readonly token: string;
  readonly mlflow: MlflowClient;

  constructor(url: string, token: string) {
    this.url = url;
    this.token = token;
    this.mlflow = createMlflowClient({ baseUrl: url, fetch: globalThis.fetch, token });
  }

  /** @returns the answer's JSON; throws with its text unless the status is 2xx */
  async call(method: string, path: string, body?: unknown): Promise<Json> {
    const answer = await fetch(`${this.url}${path}`, {
      method,
      headers: { authorization: `Bearer ${this.token}`, "content-type": "application/json" },
      signal: AbortSignal.timeout(20_000),
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`);
    return JSON.parse(text);
  }

  /** Sets a tag of the registered model. */
  async setTag(key: string, value: unknown, model = MODEL): Promise<void> {
    const text = typeof value === "string" ? value : JSON.stringify(value);
    const body = { name: model, key, value: text };
    await this.call("POST", "/api/2.0/mlflow/registered-models/set-tag", body);
  }

  /** @returns the registered model's tags */
  async tags(model = MODEL): Promise<Record<string, string>> {
    const path = `/api/2.0/mlflow/registered-models/get?name=${model}`;
    const { registered_model } = await this.call("GET", path);
    const pairs = (registered_model.tags ?? []) as { key: string; value: string }[];
    return Object.fromEntries(pairs.map(({ key, value }) => [key, value]));
  }

  /** Makes an ONNX file the next version of the model. @returns its number */
  async register(bytes: Uint8Array<ArrayBuffer> | undefined): Promise<string> {
    const { experiments, runs, artifacts, versions } = this.mlflow;
    const experimentId = await experiments.ensure("cluster test");
    const { info } = await runs.create({ experimentId, startedMs: Date.now() });
    if (bytes !== undefined) {
      await artifacts.upload(info.artifact_uri, "model/model.onnx", bytes);
    }
    const source = `${info.artifact_uri}/model`;
    return (await versions.create({ name: MODEL, source, runId: info.run_id })).version;
  }

  /** @returns a version's ONNX file */
  async modelFile(version: string): Promise<Uint8Array<ArrayBuffer>> {
    const uri = await this.mlflow.versions.getDownloadUri(MODEL, version);
    const stream = await this.mlflow.artifacts.download(uri, "model.onnx");
    return new Uint8Array(await new Response(stream).arrayBuffer());
  }

  /** @returns the newest rollout of a version */
  async rolloutOf(canary: string): Promise<Json | undefined> {
    const { rollouts } = await this.call("GET", "/api/serin/v1/rollouts");
    return rollouts.find((rollout: Json) => rollout.canary === canary);
  }

  /** @returns the replicas that are alive and hold a version warm */
  async replicasWith(version: string): Promise<string[]> {
    const { replicas } = await this.call("GET", "/api/serin/v1/replicas");
    return replicas
      .filter(({ live, models }: Json) =>
        live &&
        models.some(({ held }: Json) =>
          held.some((each: Json) => each.version === version && each.warm)
        )
      )
      .map(({ replica }: Json) => replica);
  }
}

/** Everything that the steps hand on. */
export interface World {
  readonly cluster: Cluster;
  /** Name of the image in the cluster. */
  readonly image: string;
  /** The folder for what the steps write. */
  readonly folder: string;
  registry: ClusterRegistry;
  /** The steady callers that are there from the first deployment to the end. */
  traffic: ElectricityTraffic;
  servingUrl: string;
  /** The version that was trained first. */
  first: string;
}

/** Moves the alias `challenger` and waits for the decision. @returns the rollout as it ended */
export async function rollOut(world: World, version: string, timeoutMs = 240_000): Promise<Json> {
  const { registry } = world;
  await registry.mlflow.models.setAlias(MODEL, "challenger", version);
  return await until(`the rollout of version ${version} is decided`, async () => {
    const rollout = await registry.rolloutOf(version);
    return rollout !== undefined && rollout.endedAt !== null && rollout;
  }, timeoutMs);
}

/** Trains on some rows by a Job of the cluster. @returns the version that it registered */
export async function trainByJob(
  world: World,
  id: string,
  args: readonly string[],
  model = MODEL,
): Promise<{ version: string; job: string }> {
  const { registry } = world;
  const before = new Set((await versionsOf(registry, model)).map(({ version }) => version));
  await registry.mlflow.models.ensure(model);
  await registry.setTag("serin.training_request", { id, arguments: args }, model);
  const status = await until(`training ${id} has ended`, async () => {
    const text = (await registry.tags(model))["serin.training_status"];
    const status = text === undefined ? undefined : JSON.parse(text);
    return status?.id === id && status.phase !== "running" && status;
  }, 120_000);
  if (status.phase !== "succeeded") throw new Error(`training ${id}: ${status.message}`);
  const made = (await versionsOf(registry, model)).filter(({ version }) => !before.has(version));
  if (made.length !== 1) throw new Error(`training ${id} registered ${made.length} versions`);
  return { version: made[0].version, job: status.job };
}

async function versionsOf(
  registry: ClusterRegistry,
  model: string,
): Promise<{ version: string }[]> {
  const filter = encodeURIComponent(`name='${model}'`);
  const path = `/api/2.0/mlflow/model-versions/search?filter=${filter}`;
  return (await registry.call("GET", path)).model_versions ?? [];
}

/** Fails when a request of the steady callers failed since the last look. */
export function assertNoFailure(world: World): void {
  const { failures } = world.traffic;
  if (failures.length === 0) return;
  const count = failures.length, first = failures.slice(0, 3).join("; ");
  failures.length = 0;
  throw new Error(`${count} requests failed: ${first}`);
}
