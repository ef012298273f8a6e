/** What the whole-program tests share: a folder of their own, and serins that end with the test. */
import { assertEquals, assertIncludes, assertTrue } from "../../src/testing/mod.ts";
import {
  runSerin,
  SerinProcess,
  type SerinResult,
  TestRegistry,
  until,
} from "../../src/testing/mod.ts";

// deno-lint-ignore no-explicit-any -- JSON documents, as a user of the API sees them
export type Json = any;

/** An HTTP answer that was read to its end. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** The body, where it is JSON. */
  readonly json: Json;
}

/** One request, read to its end. */
export async function ask(url: string, init: RequestInit = {}): Promise<Answer> {
  const answer = await fetch(url, init);
  const text = await answer.text();
  let json: Json;
  try {
    json = JSON.parse(text);
  } catch {
    // Not JSON: /metrics, a plain page.
  }
  return { status: answer.status, headers: answer.headers, text, json };
}

/** A JSON request. */
export function post(url: string, body: unknown, headers: Record<string, string> = {}) {
  return ask(url, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: typeof body === "string" ? body : JSON.stringify(body),
  });
}

/** The body of an inference request: a column a key, float32. */
export function inferBody(columns: Record<string, readonly unknown[]>): Json {
  const inputs = Object.entries(columns).map(([name, data]) => ({
    name,
    shape: [data.length],
    datatype: "FP32",
    data,
  }));
  return { inputs };
}

/** A folder, and processes that end with the test, the last one first. */
export class Workbench implements AsyncDisposable {
  readonly folder: string;
  readonly #processes: SerinProcess[] = [];

  private constructor(folder: string) {
    this.folder = folder;
  }

  static async open(): Promise<Workbench> {
    return new Workbench(await Deno.makeTempDir({ prefix: "serin test " }));
  }

  path(name: string): string {
    return `${this.folder}/${name}`;
  }

  /** Writes a file of the folder. @returns its path */
  async write(name: string, content: string | Uint8Array): Promise<string> {
    const path = this.path(name);
    await Deno.mkdir(path.slice(0, path.lastIndexOf("/")), { recursive: true });
    const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
    await Deno.writeFile(path, bytes);
    return path;
  }

  /** What is directly in the folder, by name. */
  names(): string[] {
    return [...Deno.readDirSync(this.folder)].map((entry) => entry.name).sort();
  }

  /** Starts `serin ARGS…` in the folder; it ends with the test. */
  async start(...args: string[]): Promise<SerinProcess> {
    const process = await SerinProcess.start(args, { cwd: this.folder });
    this.#processes.push(process);
    return process;
  }

  /** The same, without waiting until it listens, and with further environment variables. */
  begin(args: string[], env: Record<string, string> = {}): SerinProcess {
    const process = SerinProcess.begin(args, { cwd: this.folder, env });
    this.#processes.push(process);
    return process;
  }

  /** Runs `serin ARGS…` in the folder to its end. */
  run(...args: string[]): Promise<SerinResult> {
    return runSerin(args, { cwd: this.folder });
  }

  /**
   * Runs `serin ARGS…`, which must refuse: the exit code, every part on stderr, a hint, nothing on
   * stdout, no sign of a defect, and the folder's content as it was.
   */
  async refused(args: string[], code: number, ...parts: string[]): Promise<string> {
    const before = this.names();
    const { stdout, stderr, ...ended } = await this.run(...args);
    assertEquals({ code: ended.code, stdout }, { code, stdout: "" }, stderr);
    for (const part of ["error: ", "hint: ", ...parts]) assertIncludes(stderr, part);
    assertTrue(!/should not|TypeError|^ +at /m.test(stderr), stderr);
    assertEquals(this.names(), before);
    return stderr;
  }

  /** A registry on the folder's `registry`; `port` to start it where it was before. */
  async registry(port = "0"): Promise<{ process: SerinProcess; api: TestRegistry; port: string }> {
    const args = ["registry", "--port", port, "--data", this.path("registry")];
    const process = await this.start(...args);
    return { process, api: new TestRegistry(process.url), port: new URL(process.url).port };
  }

  /** An inference server with its cache in the folder. Ready, unless `wait` is false. */
  async serve(args: string[], { wait = true } = {}): Promise<Served> {
    const ports = args.includes("--port") ? [] : ["--port", "0"];
    const admin = args.includes("--admin-port") ? [] : ["--admin-port", "0"];
    const cache = args.includes("--cache") ? [] : ["--cache", this.path("cache")];
    const served = new Served(await this.start("serve", ...args, ...ports, ...admin, ...cache));
    if (wait) await served.waitReady();
    return served;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const process of this.#processes.toReversed()) await process.stop();
    await Deno.remove(this.folder, { recursive: true });
  }
}

/** A running `serin serve`, as its callers see it. */
export class Served {
  readonly process: SerinProcess;
  readonly url: string;
  readonly adminUrl: string;

  constructor(process: SerinProcess) {
    this.process = process;
    this.url = process.url;
    this.adminUrl = process.adminUrl;
  }

  async waitReady(): Promise<void> {
    await until(
      "serve is ready",
      async () => (await ask(`${this.url}/v2/health/ready`)).status === 200,
    );
  }

  /** @param columns e.g. `{a: [1], b: [0]}` */
  infer(
    model: string,
    columns: Record<string, readonly unknown[]>,
    headers: Record<string, string> = {},
  ): Promise<Answer> {
    return post(`${this.url}/v2/models/${model}/infer`, inferBody(columns), headers);
  }

  label(labels: unknown[]): Promise<Answer> {
    return post(`${this.url}/v1/labels`, { labels });
  }

  async status(): Promise<Json> {
    return (await ask(`${this.adminUrl}/status`)).json;
  }

  async metrics(): Promise<string> {
    return (await ask(`${this.adminUrl}/metrics`)).text;
  }

  /** Waits until a model's traffic is split. */
  async waitSplit(): Promise<void> {
    await until(
      "traffic is split",
      async () => (await this.status()).models.some((model: Json) => model.assignment !== null),
    );
  }
}
