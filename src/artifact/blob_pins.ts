import { SerinError, storageError } from "../core/mod.ts";

/**
 * Holds contents of a blob folder that another process owns and deletes from: by hard links, in a
 * folder beside the unfinished uploads, which the owner clears at its start should this process be
 * killed. What cannot be linked (a file system without links) is read where it is.
 */
export class BlobPins implements AsyncDisposable {
  readonly #folder: string;
  readonly #pinned = new Set<string>();
  /** A folder of this process alone, on the same disk; it may keep other temporary files there. */
  readonly workFolder: string;

  private constructor(folder: string, workFolder: string) {
    this.#folder = folder;
    this.workFolder = workFolder;
  }

  /**
   * @param folder of blobs, as `openBlobStore` keeps it
   * @throws {SerinError} `not_found` where it is none, `storage` where it may not be written
   */
  static open(folder: string): BlobPins {
    const workFolder = `${folder}/unfinished/pins-${crypto.randomUUID()}`;
    try {
      Deno.statSync(`${folder}/sha256`);
      Deno.mkdirSync(workFolder, { recursive: true });
    } catch (cause) {
      if (!(cause instanceof Deno.errors.NotFound)) {
        throw storageError(`Cannot write to ${folder}`, cause);
      }
      throw new SerinError("not_found", `${folder} is no folder of a registry's files`, {
        hint: "give the folder that the registry has as --artifacts-destination, if it has one",
        cause,
      });
    }
    return new BlobPins(folder, workFolder);
  }

  /** @returns whether the content is there */
  pin(digest: string): boolean {
    if (this.#pinned.has(digest)) return true;
    const path = this.#pathOf(digest);
    try {
      Deno.linkSync(path, this.#pinOf(digest));
      this.#pinned.add(digest);
      return true;
    } catch {
      return isThere(path);
    }
  }

  /** Opens a content, pinned or not. @returns undefined where there is none */
  async open(digest: string): Promise<Deno.FsFile | undefined> {
    for (const path of [this.#pinOf(digest), this.#pathOf(digest)]) {
      try {
        return await Deno.open(path, { read: true });
      } catch (cause) {
        if (!(cause instanceof Deno.errors.NotFound)) {
          throw storageError(`Cannot read ${path}`, cause);
        }
      }
    }
    return undefined;
  }

  /** Lets go of everything. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.workFolder, { recursive: true }).catch(() => {});
  }

  #pathOf(digest: string): string {
    return `${this.#folder}/sha256/${digest.slice(0, 2)}/${digest}`;
  }

  #pinOf(digest: string): string {
    return `${this.workFolder}/${digest}`;
  }
}

function isThere(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}
