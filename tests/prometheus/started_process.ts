import { until } from "../../src/testing/mod.ts";

/** A program that a test started: its output is kept, and it is ended with the test. */
export class StartedProcess implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #pumps: Promise<void>[];
  readonly #name: string;
  #text = "";
  #ended = false;

  constructor(command: string, args: readonly string[], options: { cwd?: string } = {}) {
    this.#name = `${command} ${args[0] ?? ""}`;
    this.#child = new Deno.Command(command, {
      ...options,
      args: [...args],
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    this.#pumps = [this.#child.stdout, this.#child.stderr].map((stream) => this.#pump(stream));
    void this.#child.status.then(() => this.#ended = true);
  }

  /** What it printed so far, both streams. */
  get text(): string {
    return this.#text;
  }

  /** Waits for a line; fails at once, with what was printed, when the program ends before. */
  async waitFor(pattern: RegExp): Promise<RegExpExecArray> {
    const match = await until(
      `${this.#name} prints ${pattern}`,
      () => this.#ended ? "ended" as const : pattern.exec(this.#text),
      60_000,
    );
    if (match === "ended") throw new Error(`${this.#name} ended:\n${this.#text}`);
    return match;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#ended) this.#child.kill("SIGTERM");
    const timer = setTimeout(() => this.#child.kill("SIGKILL"), 15_000);
    await this.#child.status;
    clearTimeout(timer);
    await Promise.all(this.#pumps);
  }

  async #pump(stream: ReadableStream<Uint8Array>): Promise<void> {
    for await (const part of stream.pipeThrough(new TextDecoderStream())) this.#text += part;
  }
}
