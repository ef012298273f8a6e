import { type Log, messageOf, SerinError } from "../core/mod.ts";
import type { IsolatePool } from "./isolate_pool.ts";
import type { ModelCache } from "./model_cache.ts";
import { readModelPath, toModelFile } from "./model_file.ts";
import type { ModelUri } from "./model_uri.ts";
import { readProfilePath, withProfile } from "./version_profile.ts";
import type { VersionFiles, VersionSource } from "./version_source.ts";

/** How long to wait before a model that could not be fetched is tried again. */
const RETRY_MS = 1000;

/** A model that stays what it is: no alias moves it. */
export type FixedUri = Exclude<ModelUri, { kind: "alias" }>;

/** What {@linkcode FixedModels} stands on. */
export interface FixedModelsOptions {
  /** By the name that callers use. */
  readonly models: ReadonlyMap<string, FixedUri>;
  readonly pool: IsolatePool;
  readonly cache: ModelCache;
  readonly source: VersionSource;
  readonly log: Log;
}

/** The models of a serving process that are served as one version for good. */
export class FixedModels {
  readonly #options: FixedModelsOptions;
  /** Why a model is not there yet. */
  readonly #waiting = new Map<string, string>();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #stopped = false;

  constructor(options: FixedModelsOptions) {
    this.#options = options;
    for (const name of options.models.keys()) this.#waiting.set(name, "it is being loaded");
  }

  /** Why not all are served; empty when they are. */
  reasons(): string[] {
    return [...this.#waiting].map(([name, why]) => `${name}: ${why}`);
  }

  /** What is served, for people. */
  report(): { name: string; stable: string | null }[] {
    return [...this.#options.models].map(([name, uri]) => ({
      name,
      stable: this.#waiting.has(name) ? null : versionOf(uri),
    }));
  }

  /**
   * Loads all of them. What a registry that is out of reach has is tried again, until it is there.
   *
   * @throws {SerinError} what is wrong with a folder, a file, a version or a run
   */
  async load(): Promise<void> {
    for (const [name, uri] of this.#options.models) {
      if (await this.#tryLoad(name, uri)) continue;
      this.#options.log.warn("a model cannot be fetched yet and is tried again", {
        model: name,
        error: this.#waiting.get(name),
      });
    }
    this.#scheduleRetry();
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
  }

  #scheduleRetry(): void {
    if (this.#waiting.size === 0 || this.#stopped) return;
    this.#timer = setTimeout(async () => {
      await this.#retry();
      this.#scheduleRetry();
    }, RETRY_MS);
  }

  async #retry(): Promise<void> {
    const { models, log } = this.#options;
    for (const name of [...this.#waiting.keys()]) {
      try {
        if (await this.#tryLoad(name, models.get(name)!)) log.info("a model is loaded", { name });
      } catch (thrown) {
        // Nobody waits for this: whatever was thrown, what is served goes on, and it is tried again.
        const { message: error, hint } = thrown instanceof SerinError
          ? thrown
          : new SerinError("internal", messageOf(thrown));
        if (this.#waiting.get(name) === error) continue;
        this.#waiting.set(name, error);
        log.error("a model cannot be served", { model: name, error, hint });
      }
    }
  }

  /** @returns whether it is loaded; false where it may be there later */
  async #tryLoad(name: string, uri: FixedUri): Promise<boolean> {
    const { pool } = this.#options;
    const version = versionOf(uri);
    let files: VersionFiles;
    try {
      files = await this.#fetch(uri);
    } catch (thrown) {
      if (!(thrown instanceof SerinError) || !thrown.retriable) throw thrown;
      this.#waiting.set(name, thrown.message);
      return false;
    }
    const registered = uri.kind === "version" ? uri.model : name;
    const { bytes, profile } = files;
    const load = () =>
      pool.load(withProfile(toModelFile(name, version, bytes, registered), profile));
    await namingPath(uri, load);
    pool.route(name, { stable: version, assignment: null, cells: null });
    this.#waiting.delete(name);
    return true;
  }

  async #fetch(uri: FixedUri): Promise<VersionFiles> {
    const { source, cache } = this.#options;
    if (uri.kind === "path") {
      const bytes = await readModelPath(uri.path);
      return { bytes, profile: await readProfilePath(uri.path) };
    }
    if (uri.kind === "run") return await source.fetchRun(uri.run, uri.path);
    return await cache.fetch(source, uri.model, uri.version);
  }
}

/** Folders, files and runs have no versions: what is served of them is the first. */
function versionOf(uri: FixedUri): string {
  return uri.kind === "version" ? uri.version : "1";
}

/** Does what needs a model; an error also says which folder or file it came from. */
export async function namingPath<T>(uri: ModelUri, work: () => T | Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (thrown) {
    if (!(thrown instanceof SerinError) || uri.kind !== "path") throw thrown;
    const { code, hint, details, message } = thrown;
    const what = `Cannot use the model ${uri.path}: ${message}`;
    throw new SerinError(code, what, { hint, details, cause: thrown });
  }
}
