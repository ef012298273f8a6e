import {
  messageOf,
  SerinError,
  sha256Hex,
  storageError,
  withDeadline,
  writeFileAtomic,
} from "../core/mod.ts";
import { sweepCache } from "./cache_sweep.ts";
import type { VersionFiles, VersionSource } from "./version_source.ts";

/** How long the registry may take to say whether a cached version is still the one it means. */
const IDENTIFY_MS_MAX = 5000;

/** What the cache knows of a version. */
interface CacheEntry {
  readonly sha256: string;
  /** Which version of that number it is, as its registry told it. */
  readonly identity?: string;
  /** The digest of its profile, null where it has none; not there in what an older serin cached. */
  readonly profile?: string | null;
}

/** A version as it was found in the cache. */
interface Cached {
  readonly files: VersionFiles;
  readonly identity: string | undefined;
  /** Whether all its files were looked for when it was fetched. */
  readonly isWhole: boolean;
}

/**
 * Model files on disk, once by digest, and which version has which. A replica that starts while the
 * registry is out of reach serves what it held last. Files are written whole or not at all and are
 * checked against their digest when they are read.
 */
export class ModelCache {
  readonly #folder: string;

  private constructor(folder: string) {
    this.#folder = folder;
  }

  /**
   * @param folder made where it is missing
   * @throws {SerinError} `storage` when it cannot be written
   */
  static async open(folder: string): Promise<ModelCache> {
    try {
      await Deno.mkdir(`${folder}/blobs`, { recursive: true });
      await Deno.mkdir(`${folder}/models`, { recursive: true });
    } catch (cause) {
      throw storageError(`Cannot use the model cache ${folder}`, cause);
    }
    const cache = new ModelCache(folder);
    await cache.#sweep();
    return cache;
  }

  /**
   * A version's files: out of the cache where its registry means the same one, or cannot be asked;
   * else fetched, and kept.
   *
   * @throws {SerinError} what the source throws; `invalid_model` when the file that came is not the
   *   one that its registry names; `storage`
   */
  async fetch(source: VersionSource, model: string, version: string): Promise<VersionFiles> {
    const cached = await this.#find(model, version);
    const identity = await this.#identify(source, [model, version], cached !== undefined);
    const isSame = identity === undefined || identity === cached?.identity;
    if (cached !== undefined && isSame && (cached.isWhole || identity === undefined)) {
      return cached.files;
    }
    const fetched = await source.fetchVersion(model, version).catch((thrown) => {
      // What an older serin cached serves, though its profile is not here.
      if (cached !== undefined && isSame) return undefined;
      throw thrown;
    });
    if (fetched === undefined) return cached!.files;
    await this.#keep([model, version], fetched, identity);
    return { bytes: fetched.bytes, profile: fetched.profile };
  }

  /** @returns undefined where it cannot be asked for now, and a cached file has to do */
  async #identify(
    source: VersionSource,
    [model, version]: readonly [string, string],
    cached: boolean,
  ): Promise<string | undefined> {
    const late = () => new SerinError("unavailable", "The registry does not answer");
    try {
      return await withDeadline(source.identify(model, version), IDENTIFY_MS_MAX, late);
    } catch (thrown) {
      if (cached && thrown instanceof SerinError && thrown.code !== "not_found") return undefined;
      throw thrown;
    }
  }

  /** @returns the version's files, if its model is here and whole */
  async #find(model: string, version: string): Promise<Cached | undefined> {
    const entry = await this.#read<CacheEntry>(this.#entryPath(model, version));
    if (entry === undefined) return undefined;
    const bytes = await this.#readBlob(entry.sha256);
    if (bytes === undefined) return undefined;
    const named = entry.profile ?? undefined;
    const profile = named === undefined ? undefined : await this.#readBlob(named);
    const isWhole = entry.profile === null || profile !== undefined;
    // What is used stays; a cache that may not be written serves all the same.
    const now = new Date();
    await Deno.utime(this.#entryPath(model, version), now, now).catch(() => {});
    return { files: { bytes, profile }, identity: entry.identity, isWhole };
  }

  /** @returns undefined where it is not here, or damaged */
  async #readBlob(sha256: string): Promise<Uint8Array | undefined> {
    const bytes = await Deno.readFile(this.#blobPath(sha256)).catch(() => undefined);
    return bytes === undefined || sha256Hex(bytes) !== sha256 ? undefined : bytes;
  }

  async #keep(
    [model, version]: readonly [string, string],
    { bytes, profile, sha256 }: VersionFiles & { sha256?: string },
    identity: string | undefined,
  ): Promise<void> {
    const seen = sha256Hex(bytes);
    if (sha256 !== undefined && sha256 !== seen) {
      throw new SerinError(
        "invalid_model",
        `${model} version ${version} arrived with the SHA-256 ${seen}, its registry says ${sha256}`,
        {
          hint: "the file was changed or cut off on its way: check the artifact store",
          details: { mayPass: true },
        },
      );
    }
    await writeFileAtomic(this.#blobPath(seen), bytes);
    const digest = profile === undefined ? null : sha256Hex(profile);
    if (profile !== undefined) await writeFileAtomic(this.#blobPath(digest!), profile);
    const known = identity === undefined ? {} : { identity };
    const entry: CacheEntry = { sha256: seen, profile: digest, ...known };
    await this.#writeEntry(model, version, entry);
    await this.#sweep();
  }

  /** Room is made as far as possible: what cannot be removed now is no reason not to serve. */
  async #sweep(): Promise<void> {
    await sweepCache(this.#folder, Date.now()).catch(() => {});
  }

  /** Remembers what an alias pointed at, for a start without the registry. */
  async rememberAlias(model: string, alias: string, version: string): Promise<void> {
    await this.#writeEntry(model, `@${alias}`, { version });
  }

  /** @returns what the alias pointed at when the registry was last heard of */
  async recallAlias(model: string, alias: string): Promise<string | undefined> {
    return (await this.#read<{ version: string }>(this.#entryPath(model, `@${alias}`)))?.version;
  }

  async #writeEntry(model: string, name: string, entry: unknown): Promise<void> {
    const path = this.#entryPath(model, name);
    try {
      await Deno.mkdir(path.slice(0, path.lastIndexOf("/")), { recursive: true });
    } catch (cause) {
      throw storageError(`Cannot write ${path}`, cause);
    }
    await writeFileAtomic(path, JSON.stringify(entry));
  }

  async #read<T>(path: string): Promise<T | undefined> {
    try {
      return JSON.parse(await Deno.readTextFile(path)) as T;
    } catch (thrown) {
      if (thrown instanceof Deno.errors.NotFound || thrown instanceof SyntaxError) return undefined;
      throw storageError(`Cannot read ${path}: ${messageOf(thrown)}`, thrown);
    }
  }

  #blobPath(sha256: string): string {
    return `${this.#folder}/blobs/${sha256}`;
  }

  #entryPath(model: string, name: string): string {
    return `${this.#folder}/models/${
      encodeURIComponent(model).replaceAll(".", "%2E")
    }/${name}.json`;
  }
}
