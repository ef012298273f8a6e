import { SerinError, Sha256, storageError } from "../core/mod.ts";

/** Bytes that are on disk, fsynced, but not yet under their digest. */
export interface StoredBlob {
  /** SHA-256, 64 hexadecimal digits. */
  readonly digest: string;
  /** Bytes. */
  readonly size: number;
  /** Puts them under their digest, synced; bytes that are there already are kept once. */
  keep(): void;
  /** Drops them, where they were not kept. */
  drop(): void;
}

/** A folder of bytes by digest: `sha256/ab/abcdef…`. */
export interface BlobStore {
  /**
   * Writes a stream to a temporary file in constant memory and syncs it.
   *
   * @throws {SerinError} `storage` when the disk is full or read-only; what the stream throws
   */
  write(bytes: ReadableStream<Uint8Array> | Uint8Array): Promise<StoredBlob>;
  /** @returns the bytes, or undefined where there are none of that digest */
  open(digest: string): Promise<Deno.FsFile | undefined>;
  /** Deletes the bytes of a digest, if there are any. @returns how many bytes that freed */
  remove(digest: string): number;
}

/**
 * Opens a folder of bytes by digest, makes it where it is missing, and clears what unfinished writes
 * have left in it.
 *
 * @throws {SerinError} `storage` when the folder may not be written, or a symlink leads out of it
 */
export async function openBlobStore(folder: string): Promise<BlobStore> {
  try {
    await Deno.mkdir(`${folder}/sha256`, { recursive: true });
    await Deno.remove(`${folder}/unfinished`, { recursive: true }).catch((cause) => {
      if (!(cause instanceof Deno.errors.NotFound)) throw cause;
    });
    await Deno.mkdir(`${folder}/unfinished`);
    const real = await Deno.realPath(folder);
    for (const part of ["sha256", "unfinished"]) {
      const found = await Deno.realPath(`${folder}/${part}`);
      if (found === `${real}/${part}`) continue;
      throw new SerinError("storage", `Cannot use ${folder}: ${part} leads to ${found}`, {
        hint: "remove the symlink, or give its target as the folder",
      });
    }
    // Folders that a killed process made and had not synced.
    syncFolderNow(`${folder}/sha256`);
    syncFolderNow(folder);
  } catch (cause) {
    if (cause instanceof SerinError) throw cause;
    throw storageError(`Cannot use ${folder} for artifacts`, cause);
  }
  return new FolderBlobStore(folder);
}

class FolderBlobStore implements BlobStore {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  async write(bytes: ReadableStream<Uint8Array> | Uint8Array): Promise<StoredBlob> {
    const temporary = `${this.#folder}/unfinished/${crypto.randomUUID()}`;
    const hash = new Sha256();
    let size = 0;
    try {
      using file = await Deno.open(temporary, { write: true, createNew: true });
      const chunks = bytes instanceof Uint8Array ? [bytes] : bytes;
      for await (const chunk of chunks) {
        hash.update(chunk);
        size += chunk.length;
        let written = 0;
        while (written < chunk.length) written += await file.write(chunk.subarray(written));
      }
      await file.sync();
    } catch (cause) {
      removeIfThere(temporary);
      throw isStorageFailure(cause) ? storageError("Cannot write the artifact", cause) : cause;
    }
    const digest = hash.hex();
    return {
      digest,
      size,
      keep: () => this.#keep(temporary, digest),
      drop: () => removeIfThere(temporary),
    };
  }

  async open(digest: string): Promise<Deno.FsFile | undefined> {
    try {
      return await Deno.open(this.#pathOf(digest), { read: true });
    } catch (cause) {
      if (cause instanceof Deno.errors.NotFound) return undefined;
      throw storageError("Cannot read the artifact", cause);
    }
  }

  remove(digest: string): number {
    const path = this.#pathOf(digest);
    const size = sizeOf(path) ?? 0;
    removeIfThere(path);
    return size;
  }

  #keep(temporary: string, digest: string): void {
    const path = this.#pathOf(digest);
    const folder = path.slice(0, path.lastIndexOf("/"));
    try {
      if (sizeOf(path) !== undefined) {
        // Who put it there may have been killed before the folder was synced.
        syncFolderNow(folder);
        return removeIfThere(temporary);
      }
      if (!isFolder(folder)) {
        Deno.mkdirSync(folder);
        syncFolderNow(`${this.#folder}/sha256`);
      }
      Deno.renameSync(temporary, path);
      syncFolderNow(folder);
    } catch (cause) {
      removeIfThere(temporary);
      throw storageError("Cannot keep the artifact", cause);
    }
  }

  #pathOf(digest: string): string {
    if (!/^[0-9a-f]{64}$/.test(digest)) {
      throw new SerinError("invalid_input", `Not a SHA-256 digest: "${digest}"`);
    }
    return `${this.#folder}/sha256/${digest.slice(0, 2)}/${digest}`;
  }
}

/** Whether the disk failed, and not the sender who went away. */
function isStorageFailure(cause: unknown): boolean {
  if (!(cause instanceof Error) || cause instanceof SerinError) return false;
  return /os error (5|13|28|30|122)\b|No space left|Read-only file system/.test(cause.message) ||
    cause instanceof Deno.errors.PermissionDenied || cause instanceof Deno.errors.NotFound;
}

function sizeOf(path: string): number | undefined {
  try {
    return Deno.statSync(path).size;
  } catch {
    return undefined;
  }
}

function isFolder(path: string): boolean {
  try {
    return Deno.statSync(path).isDirectory;
  } catch {
    return false;
  }
}

function removeIfThere(path: string): void {
  try {
    Deno.removeSync(path);
  } catch (cause) {
    if (!(cause instanceof Deno.errors.NotFound)) {
      throw storageError(`Cannot remove ${path}`, cause);
    }
  }
}

function syncFolderNow(path: string): void {
  using folder = Deno.openSync(path, { read: true });
  folder.syncSync();
}
