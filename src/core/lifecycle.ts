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
  readonly #closers: { name: string; close: () => void | Promise<void> }[] = [];
  readonly #stopped = Promise.withResolvers<void>();
  #stopping: Promise<void> | undefined;

  /** Registers what to do at the end. The last registered is done first. */
  onStop(name: string, close: () => void | Promise<void>): void {
    this.#closers.push({ name, close });
  }

  /** Runs the closers once; a closer that fails does not keep the others from running. */
  stop(): Promise<void> {
    this.#stopping ??= this.#run();
    return this.#stopping;
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
        void this.stop();
      };
      Deno.addSignalListener(signal, handler);
      this.onStop(signal, () => Deno.removeSignalListener(signal, handler));
    }
  }

  async #run(): Promise<void> {
    const failures: unknown[] = [];
    for (const { close } of this.#closers.reverse()) {
      try {
        await close();
      } catch (thrown) {
        failures.push(thrown);
      }
    }
    this.#stopped.resolve();
    if (failures.length > 0) throw failures[0];
  }
}
