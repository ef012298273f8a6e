/** What asks a process to end. */
export type StopSignal = "SIGTERM" | "SIGINT";

/** Closes something; told which signal asked for it, if one did. */
export type Closer = (signal?: StopSignal) => void | Promise<void>;

/**
 * What must be closed when a command ends, in the reverse order of opening, once, whatever ends it.
 *
 * @example A server that stops before its database closes
 * ```ts
 * import { Lifecycle } from "./mod.ts";
 * const closed: string[] = [];
 * const lifecycle = new Lifecycle();
 * lifecycle.onStop("database", () => void closed.push("database"));
 * lifecycle.onStop("server", () => void closed.push("server"));
 * await lifecycle.stop();
 * console.assert(closed.join() === "server,database");
 * ```
 */
export class Lifecycle {
  readonly #closers: { name: string; close: Closer }[] = [];
  readonly #begun = new AbortController();
  readonly #stopped = Promise.withResolvers<void>();
  #stopping: Promise<void> | undefined;

  /**
   * Registers what to do at the end. The last registered is done first; what is registered while the
   * end is under way is done too.
   */
  onStop(name: string, close: Closer): void {
    this.#closers.push({ name, close });
  }

  /** Runs the closers once; a closer that fails does not keep the others from running. */
  stop(signal?: StopSignal): Promise<void> {
    if (this.#stopping === undefined) {
      this.#stopping = this.#run(signal);
      this.#begun.abort();
    }
    return this.#stopping;
  }

  /** Aborted as soon as the end begins: what is still being started gives up. */
  get signal(): AbortSignal {
    return this.#begun.signal;
  }

  /** Resolves when {@linkcode Lifecycle.stop} has finished. */
  get stopped(): Promise<void> {
    return this.#stopped.promise;
  }

  /** Stops at SIGTERM or SIGINT; a second signal ends the process at once. */
  stopOnSignals(): void {
    for (const signal of ["SIGTERM", "SIGINT"] as const) {
      const handler = () => {
        if (this.#stopping !== undefined) Deno.exit(signal === "SIGINT" ? 130 : 143);
        void this.stop(signal);
      };
      Deno.addSignalListener(signal, handler);
      this.onStop(signal, () => Deno.removeSignalListener(signal, handler));
    }
  }

  async #run(signal: StopSignal | undefined): Promise<void> {
    const failures: unknown[] = [];
    for (let closer = this.#closers.pop(); closer !== undefined; closer = this.#closers.pop()) {
      try {
        await closer.close(signal);
      } catch (thrown) {
        failures.push(thrown);
      }
    }
    this.#stopped.resolve();
    if (failures.length > 0) throw failures[0];
  }
}
