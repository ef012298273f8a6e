import { z } from "zod";
import { SerinError } from "../core/mod.ts";
import { experimentAnswer, filesAnswer, modelAnswer, runAnswer, versionAnswer } from "./answers.ts";
import { toWireDouble } from "./scalars.ts";
import { openTransport, type Transport, type TransportOptions } from "./transport.ts";

/** A run as a server shows it. */
export type RemoteRun = z.output<typeof runAnswer>;
/** A version of a registered model as a server shows it. */
export type RemoteVersion = z.output<typeof versionAnswer>;
/** A registered model as a server shows it. */
export type RemoteModel = z.output<typeof modelAnswer>;

/** A key and its text. */
export interface Pair {
  readonly key: string;
  readonly value: string;
}

/** One point of a metric; timestamp in milliseconds since the epoch. */
export interface Point {
  readonly key: string;
  readonly value: number;
  readonly timestamp: number;
  readonly step?: number;
}

/** Most of each kind that one log-batch may carry. */
const BATCH = { metrics: 1000, params: 100, tags: 100 } as const;

/**
 * A client of MLflow's REST API, for `serin registry` and for a plain MLflow server alike. Every
 * method throws {SerinError} `unavailable` when the server is out of reach or fails,
 * `unauthenticated`, `permission_denied`, `not_found`, `invalid_input`.
 */
export interface MlflowClient {
  readonly experiments: {
    /** @returns the id, deleted ones too, or undefined where no experiment has that name */
    findByName(name: string): Promise<string | undefined>;
    /**
     * @returns the id of the experiment of that name, made where it was missing
     * @throws {SerinError} `conflict` where it is deleted: nothing can be logged to it
     */
    ensure(name: string): Promise<string>;
  };
  readonly runs: {
    create(
      run: { experimentId: string; name?: string; startedMs: number; tags?: readonly Pair[] },
    ): Promise<RemoteRun>;
    get(runId: string): Promise<RemoteRun>;
    update(runId: string, change: { status?: string; endedMs?: number }): Promise<void>;
    /** Any number of each: it is cut into batches. */
    logBatch(
      runId: string,
      batch: {
        metrics?: readonly Point[];
        params?: readonly Pair[];
        tags?: readonly Pair[];
      },
    ): Promise<void>;
    setTag(runId: string, key: string, value: string): Promise<void>;
  };
  readonly artifacts: {
    /** @param uri a run's or version's artifact URI, `mlflow-artifacts:/…` */
    upload(
      uri: string,
      path: string,
      bytes: Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array>,
    ): Promise<void>;
    /** @returns what is directly in a folder; paths are relative to `uri` */
    list(uri: string, path?: string): Promise<{ path: string; isFolder: boolean; size?: number }[]>;
    /** @throws {SerinError} `not_found` */
    download(uri: string, path: string): Promise<ReadableStream<Uint8Array<ArrayBuffer>>>;
  };
  readonly models: {
    /** Makes the name where it is missing. */
    ensure(name: string): Promise<void>;
    get(name: string): Promise<RemoteModel>;
    /** @returns every registered model, page by page */
    list(): Promise<RemoteModel[]>;
    /** @returns undefined where there is no such alias or model */
    findByAlias(name: string, alias: string): Promise<RemoteVersion | undefined>;
    setAlias(name: string, alias: string, version: string): Promise<void>;
    removeAlias(name: string, alias: string): Promise<void>;
    setTag(name: string, key: string, value: string): Promise<void>;
    /** @throws {SerinError} `not_found` where there is no such tag */
    removeTag(name: string, key: string): Promise<void>;
  };
  readonly versions: {
    create(
      version: {
        name: string;
        source: string;
        runId?: string;
        description?: string;
        tags?: readonly Pair[];
      },
    ): Promise<RemoteVersion>;
    get(name: string, version: string): Promise<RemoteVersion>;
    getDownloadUri(name: string, version: string): Promise<string>;
    setTag(name: string, version: string, key: string, value: string): Promise<void>;
  };
}

/**
 * @throws {SerinError} `configuration` where the address is no http(s) URL
 *
 * @example The version behind an alias
 * ```ts ignore
 * const client = createMlflowClient({ baseUrl: "http://localhost:5000", fetch });
 * const champion = await client.models.findByAlias("iris", "champion");
 * ```
 */
export function createMlflowClient(options: TransportOptions): MlflowClient {
  const transport = openTransport(options);
  return {
    experiments: experimentsOf(transport),
    runs: runsOf(transport),
    artifacts: artifactsOf(transport),
    models: modelsOf(transport),
    versions: versionsOf(transport),
  };
}

/** Reads an answer. @throws {SerinError} `unavailable` where it is not MLflow's */
function read<T>(schema: z.ZodType<T>, answer: unknown): T {
  const result = schema.safeParse(answer);
  if (result.success) return result.data;
  throw new SerinError("unavailable", "The server's answer is not of MLflow's form", {
    hint: "check that the address is of an MLflow server or of serin registry",
    details: { problems: result.error.issues.map(({ path, message }) => ({ path, message })) },
  });
}

async function findOr<T>(code: SerinError["code"], get: () => Promise<T>): Promise<T | undefined> {
  try {
    return await get();
  } catch (thrown) {
    if (thrown instanceof SerinError && thrown.code === code) return undefined;
    throw thrown;
  }
}

function experimentsOf(transport: Transport): MlflowClient["experiments"] {
  const find = (name: string) =>
    findOr("not_found", async () => {
      const query = { experiment_name: name };
      const answer = await transport.get("2.0/mlflow/experiments/get-by-name", query);
      return read(z.object({ experiment: experimentAnswer }), answer).experiment;
    });
  const create = async (name: string) => {
    const answer = await transport.send("POST", "2.0/mlflow/experiments/create", { name });
    return read(z.object({ experiment_id: z.string() }), answer).experiment_id;
  };
  const idOf = (experiment: z.output<typeof experimentAnswer>) => {
    const { name, experiment_id: id, lifecycle_stage } = experiment;
    if (lifecycle_stage !== "deleted") return id;
    throw new SerinError("conflict", `The experiment "${name}" (id ${id}) is deleted`, {
      hint: "name another, or restore it: a deleted experiment keeps its name",
    });
  };
  return {
    findByName: async (name) => (await find(name))?.experiment_id,
    ensure: async (name) => {
      const known = await find(name);
      if (known !== undefined) return idOf(known);
      // Another client may have made it in between.
      const made = await findOr("already_exists", () => create(name));
      if (made !== undefined) return made;
      const other = await find(name);
      if (other !== undefined) return idOf(other);
      throw new SerinError("not_found", `Experiment "${name}" cannot be made and is not there`);
    },
  };
}

function runsOf(transport: Transport): MlflowClient["runs"] {
  const run = z.object({ run: runAnswer });
  return {
    create: async ({ experimentId, name, startedMs, tags }) =>
      read(
        run,
        await transport.send("POST", "2.0/mlflow/runs/create", {
          experiment_id: experimentId,
          run_name: name,
          start_time: startedMs,
          tags,
        }),
      ).run,
    get: async (runId) =>
      read(run, await transport.get("2.0/mlflow/runs/get", { run_id: runId })).run,
    update: async (runId, { status, endedMs }) => {
      const body = { run_id: runId, status, end_time: endedMs };
      await transport.send("POST", "2.0/mlflow/runs/update", body);
    },
    logBatch: async (runId, { metrics = [], params = [], tags = [] }) => {
      const points = metrics.map((point) => ({
        ...point,
        step: point.step ?? 0,
        value: toWireDouble(point.value),
      }));
      const post = (body: object) =>
        transport.send("POST", "2.0/mlflow/runs/log-batch", { run_id: runId, ...body });
      // Params and tags first: whoever sees a metric then sees what it was measured with.
      for (const chunk of chunksOf(params, BATCH.params)) await post({ params: chunk });
      for (const chunk of chunksOf(tags, BATCH.tags)) await post({ tags: chunk });
      for (const chunk of chunksOf(points, BATCH.metrics)) await post({ metrics: chunk });
    },
    setTag: async (runId, key, value) => {
      await transport.send("POST", "2.0/mlflow/runs/set-tag", { run_id: runId, key, value });
    },
  };
}

function* chunksOf<T>(items: readonly T[], size: number): Iterable<readonly T[]> {
  for (let start = 0; start < items.length; start += size) yield items.slice(start, start + size);
}

const ARTIFACTS = "2.0/mlflow-artifacts/artifacts";

function artifactsOf(transport: Transport): MlflowClient["artifacts"] {
  return {
    upload: async (uri, path, bytes) => {
      const response = await transport.raw("PUT", routeOf(uri, path), bytes);
      await response.body?.cancel();
    },
    list: async (uri, path = "") => {
      const folder = [proxiedPath(uri), path].filter((part) => part !== "").join("/");
      const { files } = read(filesAnswer, await transport.get(ARTIFACTS, { path: folder }));
      return files.map((file) => ({
        path: path === "" ? file.path : `${path}/${file.path}`,
        isFolder: file.is_dir,
        size: file.file_size,
      }));
    },
    download: async (uri, path) => {
      const response = await transport.raw("GET", routeOf(uri, path));
      return response.body ?? new Blob().stream();
    },
  };
}

function routeOf(uri: string, path: string): string {
  const parts = `${proxiedPath(uri)}/${path}`.split("/").filter((part) => part !== "");
  return `${ARTIFACTS}/${parts.map(encodeURIComponent).join("/")}`;
}

/**
 * @returns the path that the server keeps an artifact URI's files under
 * @throws {SerinError} `not_implemented` where the files are elsewhere (S3, a folder)
 */
function proxiedPath(uri: string): string {
  const found = /^mlflow-artifacts:(?:\/\/[^/]*)?\/?(.*)$/.exec(uri) ??
    /^https?:\/\/.*\/api\/2\.0\/mlflow-artifacts\/artifacts\/(.*)$/.exec(uri);
  if (found !== null) return found[1];
  throw new SerinError("not_implemented", `Cannot reach files at ${uri} through the server`, {
    hint: "start the server with --serve-artifacts and a default artifact root mlflow-artifacts:/",
  });
}

function modelsOf(transport: Transport): MlflowClient["models"] {
  const route = "2.0/mlflow/registered-models";
  const version = z.object({ model_version: versionAnswer });
  return {
    ensure: async (name) => {
      await findOr("already_exists", () => transport.send("POST", `${route}/create`, { name }));
    },
    get: async (name) =>
      read(
        z.object({ registered_model: modelAnswer }),
        await transport.get(`${route}/get`, { name }),
      )
        .registered_model,
    list: async () => {
      const models: RemoteModel[] = [];
      const page = z.object({
        registered_models: z.array(modelAnswer).default([]),
        next_page_token: z.string().optional(),
      });
      let token: string | undefined;
      do {
        const query = { max_results: "1000", page_token: token };
        const answer = read(page, await transport.get(`${route}/search`, query));
        models.push(...answer.registered_models);
        token = answer.next_page_token;
      } while (token !== undefined && token !== "");
      return models;
    },
    findByAlias: async (name, alias) => {
      try {
        return read(version, await transport.get(`${route}/alias`, { name, alias })).model_version;
      } catch (thrown) {
        if (!(thrown instanceof SerinError)) throw thrown;
        // MLflow answers INVALID_PARAMETER_VALUE for an alias that is not there.
        const missing = thrown.code === "not_found" ||
          (thrown.code === "invalid_input" && /alias .* not found/.test(thrown.message));
        if (missing) return undefined;
        throw thrown;
      }
    },
    setAlias: async (name, alias, version) => {
      await transport.send("POST", `${route}/alias`, { name, alias, version });
    },
    removeAlias: async (name, alias) => {
      await transport.send("DELETE", `${route}/alias`, { name, alias });
    },
    setTag: async (name, key, value) => {
      await transport.send("POST", `${route}/set-tag`, { name, key, value });
    },
    removeTag: async (name, key) => {
      await transport.send("DELETE", `${route}/delete-tag`, { name, key });
    },
  };
}

function versionsOf(transport: Transport): MlflowClient["versions"] {
  const route = "2.0/mlflow/model-versions";
  const answer = z.object({ model_version: versionAnswer });
  return {
    create: async ({ name, source, runId, description, tags }) =>
      read(
        answer,
        await transport.send("POST", `${route}/create`, {
          name,
          source,
          run_id: runId,
          description,
          tags,
        }),
      ).model_version,
    get: async (name, version) =>
      read(answer, await transport.get(`${route}/get`, { name, version })).model_version,
    getDownloadUri: async (name, version) =>
      read(
        z.object({ artifact_uri: z.string() }),
        await transport.get(`${route}/get-download-uri`, { name, version }),
      ).artifact_uri,
    setTag: async (name, version, key, value) => {
      await transport.send("POST", `${route}/set-tag`, { name, version, key, value });
    },
  };
}
