import { SerinError, Sha256, storageError, syncFolder, writeFileAtomic } from "../core/mod.ts";
import { type ExclusiveLock, lockFolder } from "../database/mod.ts";
import { hashed, type RestoreSink } from "./restore_backup.ts";

/** In a data folder while a restore is under way, or was when its process ended. */
const MARK = ".restore";
/** Where the files go, in the mark: they may lie elsewhere. */
const MARKED_FILES = `${MARK}/files-folder`;
/** What an empty folder may have: a lock, and what a file system puts at its root. */
const NOTHING: readonly string[] = [".lock", "lost+found"];
const WRITTEN: readonly string[] = ["serin.db", "admin-token", "replica-token"];
const FILES_FOLDERS: readonly string[] = ["sha256", "unfinished"];

/** Keeps contents by digest. */
export interface BlobSink {
  write(bytes: ReadableStream<Uint8Array>): Promise<{
    readonly digest: string;
    keep(): void;
    drop(): void;
  }>;
}

/** How {@linkcode RestoreFolder.open} opens. */
export interface RestoreFolderOptions {
  /** The data folder; made where it is missing. */
  readonly data: string;
  /** Folder of the contents. */
  readonly files: string;
  readonly openBlobs: (folder: string) => Promise<BlobSink>;
}

/**
 * A data folder that is filled whole or not at all. It may be the root of a volume, which cannot be
 * renamed: so it has a mark meanwhile, with which no registry opens it, and which the next restore
 * takes for leave to clear the folder.
 */
export class RestoreFolder implements RestoreSink, AsyncDisposable {
  readonly #data: string;
  readonly #files: string;
  readonly #blobs: BlobSink;
  readonly #lock: ExclusiveLock;
  readonly #made: boolean;
  readonly #tokens: string[] = [];
  #isDone = false;

  private constructor(fields: {
    data: string;
    files: string;
    blobs: BlobSink;
    lock: ExclusiveLock;
    made: boolean;
  }) {
    this.#data = fields.data;
    this.#files = fields.files;
    this.#blobs = fields.blobs;
    this.#lock = fields.lock;
    this.#made = fields.made;
  }

  /**
   * Takes the folder, clears what an unfinished restore left, marks it.
   *
   * @throws {SerinError} `already_exists` where it holds something; `conflict` where another process
   *   has it; `storage`
   */
  static async open({ data, files, openBlobs }: RestoreFolderOptions): Promise<RestoreFolder> {
    await refuseContents(data, files);
    const made = await makeFolder(data);
    const lock = lockFolder(data);
    try {
      await refuseContents(data, files);
      await clear(data, files);
      await Deno.mkdir(`${data}/${MARK}`);
      await writeFileAtomic(`${data}/${MARKED_FILES}`, files);
      await syncFolder(data);
      const blobs = await openBlobs(files);
      return new RestoreFolder({ data, files, blobs, lock, made });
    } catch (thrown) {
      lock.close();
      if (thrown instanceof SerinError) throw thrown;
      throw storageError(`Cannot restore to ${data}`, thrown);
    }
  }

  async database(chunks: AsyncIterable<Uint8Array<ArrayBuffer>>): Promise<string> {
    const path = this.#staged("serin.db");
    const file = await Deno.open(path, { write: true, createNew: true, mode: 0o600 })
      .catch((cause) => {
        throw storageError(`Cannot write ${path}`, cause);
      });
    try {
      for await (const chunk of chunks) await writeAll(file, chunk, path);
      await file.sync();
    } finally {
      file.close();
    }
    return path;
  }

  async blob(digest: string, chunks: AsyncIterable<Uint8Array<ArrayBuffer>>): Promise<string> {
    const written = await this.#blobs.write(ReadableStream.from(chunks));
    if (written.digest === digest) written.keep();
    else written.drop();
    return written.digest;
  }

  async token(name: string, bytes: Uint8Array): Promise<void> {
    await writeFileAtomic(this.#staged(name), bytes, { mode: 0o600 });
    this.#tokens.push(name);
  }

  /** Puts everything in its place; from then on a registry may open the folder. */
  async commit(): Promise<void> {
    try {
      for (const name of [...this.#tokens, "serin.db"]) {
        await Deno.rename(this.#staged(name), `${this.#data}/${name}`);
      }
      await syncFolder(this.#data);
      await Deno.remove(`${this.#data}/${MARK}`, { recursive: true });
      await syncFolder(this.#data);
      this.#isDone = true;
    } catch (cause) {
      throw storageError(`Cannot restore to ${this.#data}`, cause);
    }
  }

  /** Gives the folder free; takes away what was not committed. */
  async [Symbol.asyncDispose](): Promise<void> {
    try {
      if (this.#isDone) return;
      await clear(this.#data, this.#files);
      // What is left of a folder that was not there before: the lock.
      if (this.#made) await Deno.remove(this.#data, { recursive: true });
    } catch {
      // What could not be cleared has its mark still; why the restore failed is what must be told.
    } finally {
      this.#lock.close();
    }
  }

  #staged(name: string): string {
    return `${this.#data}/${MARK}/${name}`;
  }
}

/** Reads and checks, and keeps nothing but the database for a while. */
export class RestoreCheck implements RestoreSink, Disposable {
  readonly #folder = Deno.makeTempDirSync({ prefix: "serin-restore-" });

  async database(chunks: AsyncIterable<Uint8Array<ArrayBuffer>>): Promise<string> {
    const path = `${this.#folder}/serin.db`;
    using file = await Deno.open(path, { write: true, createNew: true, mode: 0o600 });
    for await (const chunk of chunks) await writeAll(file, chunk, path);
    return path;
  }

  async blob(_: string, chunks: AsyncIterable<Uint8Array<ArrayBuffer>>): Promise<string> {
    const hash = new Sha256();
    for await (const _ of hashed(chunks, hash));
    return hash.hex();
  }

  token(): Promise<void> {
    return Promise.resolve();
  }

  [Symbol.dispose](): void {
    Deno.removeSync(this.#folder, { recursive: true });
  }
}

/** @throws {SerinError} `conflict` where a restore of that data folder has not ended */
export async function refuseUnfinishedRestore(data: string): Promise<void> {
  if (!await isThere(`${data}/${MARK}`)) return;
  throw new SerinError("conflict", `Cannot open ${data}: a restore into it has not ended`, {
    hint: "run `serin restore` again: it clears what the unfinished one left",
  });
}

async function refuseContents(data: string, files: string): Promise<void> {
  if (await isThere(`${data}/${MARK}`)) {
    const marked = await Deno.readTextFile(`${data}/${MARKED_FILES}`).catch(() => files);
    if (marked === files) return;
    throw new SerinError("conflict", `An unfinished restore has put files into ${marked}`, {
      hint:
        `restore with the same --artifacts-destination, or remove ${marked} and ${data}/${MARK}`,
    });
  }
  for (const folder of [data, files]) {
    const found = await firstIn(folder);
    if (found === undefined) continue;
    throw new SerinError("already_exists", `The folder ${folder} is not empty: it has ${found}`, {
      hint: "restore into an empty folder; nothing is ever restored over what is there",
    });
  }
}

async function firstIn(folder: string): Promise<string | undefined> {
  try {
    for await (const { name } of Deno.readDir(folder)) if (!NOTHING.includes(name)) return name;
  } catch (cause) {
    if (!(cause instanceof Deno.errors.NotFound)) {
      throw storageError(`Cannot read ${folder}`, cause);
    }
  }
  return undefined;
}

/** Takes away what a restore writes, the mark last. */
async function clear(data: string, files: string): Promise<void> {
  if (!await isThere(`${data}/${MARK}`)) return;
  for (const name of FILES_FOLDERS) await removeTree(`${files}/${name}`);
  if (files.startsWith(`${data}/`)) await removeTree(files);
  for (const name of WRITTEN) await removeTree(`${data}/${name}`);
  await removeTree(`${data}/${MARK}`);
}

async function removeTree(path: string): Promise<void> {
  await Deno.remove(path, { recursive: true }).catch((cause) => {
    if (!(cause instanceof Deno.errors.NotFound)) throw storageError(`Cannot clear ${path}`, cause);
  });
}

/** @returns whether it was not there */
async function makeFolder(path: string): Promise<boolean> {
  if (await isThere(path)) return false;
  try {
    await Deno.mkdir(path, { recursive: true });
    return true;
  } catch (cause) {
    throw storageError(`Cannot make the folder ${path}`, cause);
  }
}

async function isThere(path: string): Promise<boolean> {
  return await Deno.lstat(path).then(() => true, (cause) => {
    if (cause instanceof Deno.errors.NotFound) return false;
    throw storageError(`Cannot read ${path}`, cause);
  });
}

async function writeAll(file: Deno.FsFile, bytes: Uint8Array, path: string): Promise<void> {
  try {
    let written = 0;
    while (written < bytes.length) written += await file.write(bytes.subarray(written));
  } catch (cause) {
    throw storageError(`Cannot write ${path}`, cause);
  }
}
