import { storageError, syncFolder } from "./atomic_write.ts";
import { SerinError } from "./serin_error.ts";

/**
 * A folder that appears whole or not at all: files go to a temporary folder beside it, which is
 * renamed when all are on disk. A process that is killed while it writes leaves the temporary folder
 * (`NAME.<uuid>.tmp`) behind and the real one as it was; one that is killed between the two renames of
 * a replacement leaves both whole under temporary names (the old one is `NAME.<uuid>.tmp.old`).
 */
export class OutputFolder implements AsyncDisposable {
  readonly #path: string;
  readonly #temporary: string;
  readonly #replace: boolean;

  private constructor(path: string, temporary: string, replace: boolean) {
    this.#path = path;
    this.#temporary = temporary;
    this.#replace = replace;
  }

  /**
   * Makes sure that the folder can be written, before the work that fills it begins.
   *
   * @param overwrite whether a folder that holds something may be replaced
   * @throws {SerinError} `already_exists`, or `storage` where nothing can be written
   */
  static async open(path: string, overwrite: boolean): Promise<OutputFolder> {
    const plain = path.replace(/(?<=.)\/+$/, "");
    const replace = await holdsSomething(plain);
    if (replace && !overwrite) throw isThere(path);
    const temporary = `${plain}.${crypto.randomUUID()}.tmp`;
    try {
      await Deno.mkdir(temporary, { recursive: true });
      // Not kept meanwhile: an interrupted training would leave it behind.
      await Deno.remove(temporary);
    } catch (cause) {
      throw storageError(`Cannot write to ${path}`, cause);
    }
    return new OutputFolder(plain, temporary, replace);
  }

  /**
   * Writes the files and puts the folder in its place.
   *
   * @param files contents by names, which may have folders in them: `a/b.yaml`
   * @throws {SerinError} `storage`, or `already_exists` where another process wrote it meanwhile; the
   * folder is then as it was
   */
  async write(files: ReadonlyMap<string, Uint8Array>): Promise<void> {
    try {
      await Deno.mkdir(this.#temporary);
      const folders = new Set([this.#temporary]);
      for (const [name, content] of files) {
        const path = `${this.#temporary}/${name}`, parent = parentOf(path);
        if (!folders.has(parent)) await Deno.mkdir(parent, { recursive: true });
        folders.add(parent);
        await writeSynced(path, content);
      }
      for (const folder of folders) await syncFolder(folder);
      if (this.#replace) await this.#exchange();
      else await Deno.rename(this.#temporary, this.#path);
      await syncFolder(parentOf(this.#path));
    } catch (cause) {
      if (!this.#replace && await holdsSomething(this.#path)) throw isThere(this.#path);
      throw storageError(`Cannot write ${this.#path}`, cause);
    }
  }

  /** Removes what was not put in place. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.#temporary, { recursive: true }).catch(() => {});
  }

  /** The old folder steps aside first: a folder cannot be renamed onto one that holds something. */
  async #exchange(): Promise<void> {
    const old = `${this.#temporary}.old`;
    await Deno.rename(this.#path, old);
    try {
      await Deno.rename(this.#temporary, this.#path);
    } catch (thrown) {
      await Deno.rename(old, this.#path);
      throw thrown;
    }
    await Deno.remove(old, { recursive: true });
  }
}

function isThere(path: string): SerinError {
  return new SerinError("already_exists", `The folder ${path} is there and is not empty`, {
    hint: "choose another --out, or replace it with --overwrite",
  });
}

async function holdsSomething(path: string): Promise<boolean> {
  try {
    for await (const _ of Deno.readDir(path)) return true;
    return false;
  } catch (cause) {
    if (cause instanceof Deno.errors.NotFound) return false;
    if (cause instanceof Deno.errors.NotADirectory || /not a directory/i.test(String(cause))) {
      throw new SerinError("already_exists", `${path} is a file, not a folder`, {
        hint: "choose another --out",
      });
    }
    throw storageError(`Cannot read ${path}`, cause);
  }
}

async function writeSynced(path: string, content: Uint8Array): Promise<void> {
  const file = await Deno.open(path, { write: true, createNew: true });
  try {
    let written = 0;
    while (written < content.length) written += await file.write(content.subarray(written));
    await file.sync();
  } finally {
    file.close();
  }
}

function parentOf(path: string): string {
  const slash = path.lastIndexOf("/");
  return slash < 0 ? "." : slash === 0 ? "/" : path.slice(0, slash);
}
