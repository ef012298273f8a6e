import { type Clock, type Log, SerinError } from "../core/mod.ts";
import type { IsolatePool } from "./isolate_pool.ts";
import type { ModelCache } from "./model_cache.ts";
import { toModelFile } from "./model_file.ts";
import type { VersionSource } from "./version_source.ts";

/** How long to wait before a version that could not be fetched is tried again. */
const RETRY_MS = 2000;

type State =
  | { readonly kind: "loading" }
  | { readonly kind: "warm" }
  /** `retryAt` is Infinity where the error lies in the version itself. */
  | { readonly kind: "failed"; readonly message: string; readonly retryAt: number };

/**
 * The versions of one registered model that a replica holds: fetched into the cache, loaded and
 * warmed in every data isolate, dropped when the registry no longer names them.
 */
export class HeldVersions {
  readonly #name: string;
  readonly #model: string;
  readonly #options: {
    pool: IsolatePool;
    cache: ModelCache;
    source: VersionSource;
    clock: Clock;
    log: Log;
    onChange: () => void;
  };
  readonly #states = new Map<string, State>();

  /**
   * @param name what callers say
   * @param model the registered model
   */
  constructor(
    name: string,
    model: string,
    options: {
      pool: IsolatePool;
      cache: ModelCache;
      source: VersionSource;
      clock: Clock;
      log: Log;
      /** A version became warm, or failed. */
      onChange: () => void;
    },
  ) {
    this.#name = name;
    this.#model = model;
    this.#options = options;
  }

  /** @returns whether every data isolate has loaded and run it */
  isWarm(version: string): boolean {
    return this.#states.get(version)?.kind === "warm";
  }

  /** What the sync tells the registry. */
  report(): { version: string; warm: boolean; error?: string; lasting?: boolean }[] {
    return [...this.#states].map(([version, state]) => {
      if (state.kind !== "failed") return { version, warm: state.kind === "warm" };
      const error = state.message.slice(0, 2000);
      return { version, warm: false, error, lasting: state.retryAt === Infinity };
    });
  }

  /** Begins to load what is named and not here; drops what is neither named nor still routed to. */
  want(versions: readonly string[], routed: ReadonlySet<string>): void {
    const { clock, pool } = this.#options;
    for (const version of versions) {
      const state = this.#states.get(version);
      const due = state === undefined ||
        (state.kind === "failed" && clock.monotonic() >= state.retryAt);
      if (due) void this.#load(version);
    }
    for (const [version, state] of this.#states) {
      if (versions.includes(version) || routed.has(version) || state.kind === "loading") continue;
      this.#states.delete(version);
      if (state.kind === "warm") pool.unload(this.#name, version);
    }
  }

  async #load(version: string): Promise<void> {
    const { pool, clock, log, onChange } = this.#options;
    const what = { model: this.#model, version };
    this.#states.set(version, { kind: "loading" });
    try {
      const bytes = await this.#fetch(version);
      await pool.load(toModelFile(this.#name, version, bytes, this.#model));
      this.#states.set(version, { kind: "warm" });
      log.info("a version is loaded and warm", what);
    } catch (thrown) {
      if (!(thrown instanceof SerinError)) throw thrown;
      // A file that cannot run will not run later; one that did not arrive may.
      const lasting = thrown.code === "invalid_model" || thrown.code === "unsupported_model";
      const retryAt = lasting ? Infinity : clock.monotonic() + RETRY_MS;
      this.#states.set(version, { kind: "failed", message: thrown.message, retryAt });
      log.error("a version cannot be served", {
        ...what,
        error: thrown.message,
        hint: thrown.hint,
      });
    }
    onChange();
  }

  async #fetch(version: string): Promise<Uint8Array> {
    const { cache, source } = this.#options;
    const cached = await cache.find(this.#model, version);
    if (cached !== undefined) return cached;
    const { bytes, sha256 } = await source.fetchVersion(this.#model, version);
    await cache.keep(this.#model, version, bytes, sha256);
    return bytes;
  }
}
