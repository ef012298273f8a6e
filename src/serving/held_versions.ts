import { type Clock, type Log, messageOf, SerinError } from "../core/mod.ts";
import type { IsolatePool } from "./isolate_pool.ts";
import type { ModelCache } from "./model_cache.ts";
import { toModelFile } from "./model_file.ts";
import { withProfile } from "./version_profile.ts";
import type { VersionSource } from "./version_source.ts";

/** How long to wait before a version that could not be fetched is tried again. */
const RETRY_MS = 2000;
/** Files that were not there so many times in a row were never uploaded: the version is at fault. */
const MISSING_TIMES_MAX = 4;

type State =
  | { readonly kind: "loading" }
  | { readonly kind: "warm" }
  | {
    readonly kind: "failed";
    readonly message: string;
    /** The error lies in the version itself. */
    readonly lasting: boolean;
    /** Infinity where trying again cannot help. */
    readonly retryAt: number;
    /** How many times in a row its files were not there. */
    readonly missing: number;
    /** It may have been an accident (`details.mayPass`). */
    readonly mayPass: boolean;
  };

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
      return { version, warm: false, error, lasting: state.lasting };
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
    const { pool, cache, source, clock, log, onChange } = this.#options;
    const what = { model: this.#model, version }, before = this.#states.get(version);
    this.#states.set(version, { kind: "loading" });
    try {
      const { bytes, profile } = await cache.fetch(source, this.#model, version);
      const file = toModelFile(this.#name, version, bytes, this.#model);
      await pool.load(withProfile(file, profile));
      this.#states.set(version, { kind: "warm" });
      log.info("a version is loaded and warm", what);
    } catch (thrown) {
      // Nobody waits for this: whatever was thrown, the versions that are here must go on.
      const { code, message, hint, details } = thrown instanceof SerinError
        ? thrown
        : new SerinError("internal", messageOf(thrown));
      const mayPass = details?.mayPass === true;
      // An isolate may have died of another version's request: twice in a row is no accident.
      const accident = mayPass && !(before?.kind === "failed" && before.mayPass);
      // A file that cannot run will not run later; one that did not arrive may.
      const broken = !accident && (code === "invalid_model" || code === "unsupported_model");
      // Files that are not there may still come: it is tried on, but no rollout waits for them.
      const missing = code !== "not_found" ? 0 : before?.kind === "failed" ? before.missing + 1 : 1;
      const lasting = broken || missing >= MISSING_TIMES_MAX;
      const retryAt = broken ? Infinity : clock.monotonic() + RETRY_MS;
      this.#states.set(version, { kind: "failed", message, lasting, retryAt, missing, mayPass });
      log.error("a version cannot be served", { ...what, error: message, hint });
    }
    onChange();
  }
}
