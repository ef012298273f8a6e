import { until } from "./until.ts";

/** The compiled executable of `SERIN_BIN`, or serin from its sources. */
export function serinCommand(): { command: string; args: string[] } {
  const binary = Deno.env.get("SERIN_BIN");
  if (binary) return { command: binary, args: [] };
  const main = decodeURIComponent(new URL("../../main.ts", import.meta.url).pathname);
  return { command: Deno.execPath(), args: ["run", "-A", "--quiet", main] };
}

/** How a run of serin ended. */
export interface SerinResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs serin to its end. */
export async function runSerin(
  args: readonly string[],
  options: { env?: Record<string, string>; cwd?: string } = {},
): Promise<SerinResult> {
  const { command, args: first } = serinCommand();
  const { code, stdout, stderr } = await new Deno.Command(command, {
    args: [...first, ...args],
    stdin: "null",
    ...options,
  }).output();
  const decoder = new TextDecoder();
  return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}

/** A serin that runs beside the test, as a user would start it. */
export class SerinProcess implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #reading: Promise<void>;
  #stderr = "";
  #ended: Deno.CommandStatus | undefined;

  private constructor(child: Deno.ChildProcess) {
    this.#child = child;
    this.#reading = this.#read();
    child.status.then((status) => this.#ended = status);
  }

  /**
   * Starts `serin ARGS…` and waits until it says that it listens.
   *
   * @throws when it ends before, with what it said
   */
  static async start(
    args: readonly string[],
    options: { cwd?: string; env?: Record<string, string> } = {},
  ): Promise<SerinProcess> {
    const process = SerinProcess.begin(args, options);
    await until(`serin ${args[0]} listens`, () => {
      if (process.#ended === undefined) return /listening on http/.test(process.#stderr);
      throw new Error(`serin ${args.join(" ")} ended: ${process.#stderr}`);
    });
    return process;
  }

  /** Starts `serin ARGS…` and waits for nothing. */
  static begin(
    args: readonly string[],
    options: { cwd?: string; env?: Record<string, string> } = {},
  ): SerinProcess {
    const { command, args: first } = serinCommand();
    const child = new Deno.Command(command, {
      args: [...first, ...args],
      stdin: "null",
      stdout: "null",
      stderr: "piped",
      ...options,
    }).spawn();
    return new SerinProcess(child);
  }

  /** Everything said on stderr. */
  get stderr(): string {
    return this.#stderr;
  }

  /** The process's number. */
  get pid(): number {
    return this.#child.pid;
  }

  /** The address that it listens on. */
  get url(): string {
    return /listening on (http:\/\/\S+)/.exec(this.#stderr)![1];
  }

  /** The admin port's address, of `serin serve`. */
  get adminUrl(): string {
    return /\(admin (http:\/\/[^)]+)\)/.exec(this.#stderr)![1];
  }

  /** Asks it to end, and waits. */
  async stop(): Promise<Deno.CommandStatus> {
    return await this.signal("SIGTERM");
  }

  /** Ends it at once, as a power cut would. */
  async kill(): Promise<Deno.CommandStatus> {
    return await this.signal("SIGKILL");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  /** Sends a signal, and waits for its end. */
  async signal(signal: Deno.Signal): Promise<Deno.CommandStatus> {
    if (this.#ended === undefined) {
      try {
        this.#child.kill(signal);
      } catch {
        // It has just ended.
      }
    }
    const status = await this.#child.status;
    await this.#reading;
    return status;
  }

  async #read(): Promise<void> {
    for await (const text of this.#child.stderr.pipeThrough(new TextDecoderStream())) {
      this.#stderr += text;
    }
  }
}
