import { LIMITS, SerinError } from "../core/mod.ts";
import type { MlflowClient } from "../mlflow/mod.ts";
import type { VersionSource } from "./version_source.ts";

/** The tag in which `serin train` tells a version's digest. */
const SHA256_TAG = "serin.model_sha256";

/** Versions and runs of an MLflow server, or of `serin registry`. */
export class MlflowSource implements VersionSource {
  readonly #client: MlflowClient;

  constructor(client: MlflowClient) {
    this.#client = client;
  }

  async fetchVersion(
    model: string,
    version: string,
  ): Promise<{ bytes: Uint8Array; sha256?: string }> {
    const { tags } = await this.#client.versions.get(model, version);
    const uri = await this.#client.versions.getDownloadUri(model, version);
    const bytes = await this.#fetchOnnx(uri, "", `${model} version ${version}`);
    const sha256 = tags.find(({ key }) => key === SHA256_TAG)?.value;
    return sha256 === undefined ? { bytes } : { bytes, sha256 };
  }

  async fetchRun(run: string, path: string): Promise<{ bytes: Uint8Array }> {
    const { info } = await this.#client.runs.get(run);
    return { bytes: await this.#fetchOnnx(info.artifact_uri, path, `run ${run}, ${path}`) };
  }

  async #fetchOnnx(uri: string, path: string, what: string): Promise<Uint8Array> {
    if (path.endsWith(".onnx")) return await this.#download(uri, path, what);
    const files = (await this.#client.artifacts.list(uri, path === "" ? undefined : path))
      .filter((file) => !file.isFolder && file.path.endsWith(".onnx"));
    const file = files.find((f) => /(^|\/)model\.onnx$/.test(f.path)) ??
      (files.length === 1 ? files[0] : undefined);
    if (file === undefined) {
      const seen = files.map((f) => f.path).join(", ") || "none";
      throw new SerinError("not_found", `${what} holds no model.onnx (.onnx files: ${seen})`, {
        hint: "serin serves ONNX models: log it with mlflow.onnx.log_model or `serin train`",
      });
    }
    return await this.#download(uri, file.path, what);
  }

  async #download(uri: string, path: string, what: string): Promise<Uint8Array> {
    const stream = await this.#client.artifacts.download(uri, path);
    const chunks: Uint8Array[] = [];
    let size = 0;
    for await (const chunk of stream) {
      size += chunk.length;
      if (size > LIMITS.modelBytesMax) {
        throw new SerinError(
          "too_large",
          `${what}: ${path} is above ${LIMITS.modelBytesMax} bytes`,
        );
      }
      chunks.push(chunk);
    }
    const bytes = new Uint8Array(size);
    let at = 0;
    for (const chunk of chunks) {
      bytes.set(chunk, at);
      at += chunk.length;
    }
    return bytes;
  }
}
