import { LIMITS, messageOf, SerinError, withDeadline } from "../core/mod.ts";
import type { MlflowClient } from "../mlflow/mod.ts";
import type { VersionFiles, VersionSource } from "./version_source.ts";

/** The tag in which `serin train` tells a version's digest. */
const SHA256_TAG = "serin.model_sha256";
/** How long each part of a file may take to arrive. */
const DOWNLOAD_MS_MAX = 30_000;

/** Versions and runs of an MLflow server, or of `serin registry`. */
export class MlflowSource implements VersionSource {
  readonly #client: MlflowClient;
  readonly #downloadMsMax: number;

  /** @param downloadMsMax how long each part of a file may take to arrive */
  constructor(client: MlflowClient, downloadMsMax = DOWNLOAD_MS_MAX) {
    this.#client = client;
    this.#downloadMsMax = downloadMsMax;
  }

  async identify(model: string, version: string): Promise<string> {
    const { creation_timestamp, run_id, source } = await this.#client.versions.get(model, version);
    return JSON.stringify([creation_timestamp, run_id, source]);
  }

  async fetchVersion(
    model: string,
    version: string,
  ): Promise<VersionFiles & { sha256?: string }> {
    const { tags } = await this.#client.versions.get(model, version);
    const uri = await this.#client.versions.getDownloadUri(model, version);
    const files = await this.#fetchFiles(uri, "", `${model} version ${version}`);
    const sha256 = tags.find(({ key }) => key === SHA256_TAG)?.value;
    return sha256 === undefined ? files : { ...files, sha256 };
  }

  async fetchRun(run: string, path: string): Promise<VersionFiles> {
    const { info } = await this.#client.runs.get(run);
    return await this.#fetchFiles(info.artifact_uri, path, `run ${run}, ${path}`);
  }

  async #fetchFiles(uri: string, path: string, what: string): Promise<VersionFiles> {
    const isFile = path.endsWith(".onnx");
    const folder = isFile ? path.slice(0, Math.max(0, path.lastIndexOf("/"))) : path;
    const listed = (await this.#client.artifacts.list(uri, folder === "" ? undefined : folder))
      .filter((file) => !file.isFolder);
    const model = isFile ? path : onnxAmong(listed, what);
    const bytes = await this.#download(uri, model, { what, bytesMax: LIMITS.modelBytesMax });
    const profile = listed.find((file) => /(^|\/)profile\.json$/.test(file.path));
    if (profile === undefined || (profile.size ?? 0) > LIMITS.profileBytesMax) return { bytes };
    return { bytes, profile: await this.#fetchProfile(uri, profile.path, what) };
  }

  /** One that is too large, or is listed and not there, is no reason not to serve, nor to roll back. */
  async #fetchProfile(uri: string, path: string, what: string): Promise<Uint8Array | undefined> {
    try {
      return await this.#download(uri, path, { what, bytesMax: LIMITS.profileBytesMax });
    } catch (thrown) {
      const code = thrown instanceof SerinError ? thrown.code : undefined;
      if (code === "too_large" || code === "not_found") return undefined;
      throw thrown;
    }
  }

  async #download(
    uri: string,
    path: string,
    { what, bytesMax }: { what: string; bytesMax: number },
  ): Promise<Uint8Array> {
    const arriving = <T>(work: Promise<T>) => this.#arriving(work, `${what}: ${path}`);
    const stream = await arriving(this.#client.artifacts.download(uri, path));
    const reader = stream.getReader();
    const chunks: Uint8Array[] = [];
    let size = 0;
    try {
      for (;;) {
        const { done, value } = await arriving(reader.read());
        if (done) break;
        size += value.length;
        if (size > bytesMax) {
          throw new SerinError("too_large", `${what}: ${path} is above ${bytesMax} bytes`);
        }
        chunks.push(value);
      }
    } catch (thrown) {
      reader.cancel().catch(() => {});
      throw thrown;
    }
    const bytes = new Uint8Array(size);
    let at = 0;
    for (const chunk of chunks) {
      bytes.set(chunk, at);
      at += chunk.length;
    }
    return bytes;
  }

  /** A server that dies or falls silent within a file is out of reach: the file may come later. */
  async #arriving<T>(work: Promise<T>, what: string): Promise<T> {
    const hint = "it is tried again; if this lasts, look at the registry and the network to it";
    const broken = (why: string, cause?: unknown) =>
      new SerinError("unavailable", `${what} did not arrive whole: ${why}`, { hint, cause });
    try {
      return await withDeadline(
        work,
        this.#downloadMsMax,
        () => broken(`nothing came for ${this.#downloadMsMax} ms`),
      );
    } catch (thrown) {
      throw thrown instanceof SerinError ? thrown : broken(messageOf(thrown), thrown);
    }
  }
}

function onnxAmong(listed: readonly { path: string }[], what: string): string {
  const files = listed.filter(({ path }) => path.endsWith(".onnx"));
  const file = files.find(({ path }) => /(^|\/)model\.onnx$/.test(path)) ??
    (files.length === 1 ? files[0] : undefined);
  if (file !== undefined) return file.path;
  const seen = files.map(({ path }) => path).join(", ") || "none";
  throw new SerinError("not_found", `${what} holds no model.onnx (.onnx files: ${seen})`, {
    hint: "serin serves ONNX models: log it with mlflow.onnx.log_model or `serin train`",
  });
}
