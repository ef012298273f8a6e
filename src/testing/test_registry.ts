import { createMlflowClient, type MlflowClient } from "../mlflow/mod.ts";

/** A registry's API, as tests use it. */
export class TestRegistry {
  readonly url: string;
  readonly client: MlflowClient;
  readonly #headers: Record<string, string>;

  /** @param token of a registry that wants one */
  constructor(url: string, token?: string) {
    this.url = url;
    this.client = createMlflowClient({ baseUrl: url, fetch: globalThis.fetch, token });
    this.#headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
  }

  /** Makes an ONNX file the next version of a model. @returns its number */
  async register(model: string, bytes: Uint8Array): Promise<string> {
    const { experiments, runs, artifacts, models, versions } = this.client;
    const experimentId = await experiments.ensure("tests");
    const { info } = await runs.create({ experimentId, startedMs: Date.now() });
    const path = "model/model.onnx";
    await artifacts.upload(info.artifact_uri, path, bytes as Uint8Array<ArrayBuffer>);
    await models.ensure(model);
    const source = `${info.artifact_uri}/model`;
    const { version } = await versions.create({ name: model, source, runId: info.run_id });
    return version;
  }

  /** @returns the answer's JSON; throws with its text unless the status is 2xx */
  // deno-lint-ignore no-explicit-any
  async call(method: string, route: string, body?: unknown): Promise<any> {
    const answer = await fetch(`${this.url}/api/serin/v1/${route}`, {
      method,
      headers: this.#headers,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${method} ${route}: ${answer.status} ${text}`);
    return JSON.parse(text);
  }
}
