import { messageOf, SerinError, sha256Hex, storageError, writeFileAtomic } from "../core/mod.ts";

/** What the cache knows of a version. */
interface CacheEntry {
  readonly sha256: string;
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
    return new ModelCache(folder);
  }

  /** @returns the version's file, if it is here and whole */
  async find(model: string, version: string): Promise<Uint8Array | undefined> {
    const entry = await this.#read<CacheEntry>(this.#entryPath(model, version));
    if (entry === undefined) return undefined;
    const bytes = await Deno.readFile(this.#blobPath(entry.sha256)).catch(() => undefined);
    return bytes !== undefined && sha256Hex(bytes) === entry.sha256 ? bytes : undefined;
  }

  /**
   * Keeps a version's file.
   *
   * @param sha256 what its registry says it must be, if it says so
   * @throws {SerinError} `invalid_model` when the digest is another, `storage`
   */
  async keep(model: string, version: string, bytes: Uint8Array, sha256?: string): Promise<void> {
    const seen = sha256Hex(bytes);
    if (sha256 !== undefined && sha256 !== seen) {
      throw new SerinError(
        "invalid_model",
        `${model} version ${version} arrived with the SHA-256 ${seen}, its registry says ${sha256}`,
        { hint: "the file was changed or cut off on its way: check the artifact store" },
      );
    }
    await writeFileAtomic(this.#blobPath(seen), bytes);
    const path = this.#entryPath(model, version);
    await Deno.mkdir(path.slice(0, path.lastIndexOf("/")), { recursive: true });
    await writeFileAtomic(path, JSON.stringify({ sha256: seen } satisfies CacheEntry));
  }

  /** Remembers what an alias pointed at, for a start without the registry. */
  async rememberAlias(model: string, alias: string, version: string): Promise<void> {
    const path = this.#entryPath(model, `@${alias}`);
    await Deno.mkdir(path.slice(0, path.lastIndexOf("/")), { recursive: true });
    await writeFileAtomic(path, JSON.stringify({ version }));
  }

  /** @returns what the alias pointed at when the registry was last heard of */
  async recallAlias(model: string, alias: string): Promise<string | undefined> {
    return (await this.#read<{ version: string }>(this.#entryPath(model, `@${alias}`)))?.version;
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
