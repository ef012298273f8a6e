import { SerinError } from "./serin_error.ts";

/**
 * Writes a file so that a reader, or a crash at any moment, sees the old content or the new one,
 * never a part: temporary file beside it, fsync, rename, fsync of the folder.
 *
 * @param options.mode of the file, e.g. 0o600 for a secret; default what the system gives
 * @throws {SerinError} `storage` when the folder is missing, read-only or full
 */
export async function writeFileAtomic(
  path: string,
  data: Uint8Array | string,
  options: { mode?: number } = {},
): Promise<void> {
  const bytes = typeof data === "string" ? new TextEncoder().encode(data) : data;
  const temporary = `${path}.${crypto.randomUUID()}.tmp`;
  try {
    const file = await Deno.open(temporary, { write: true, createNew: true, ...options });
    try {
      let written = 0;
      while (written < bytes.length) written += await file.write(bytes.subarray(written));
      await file.sync();
    } finally {
      file.close();
    }
    await Deno.rename(temporary, path);
    await syncFolder(folderOf(path));
  } catch (cause) {
    await Deno.remove(temporary).catch(() => {});
    throw storageError(`Cannot write ${path}`, cause);
  }
}

/** Makes a rename or a new file in the folder survive a power cut. */
export async function syncFolder(path: string): Promise<void> {
  const folder = await Deno.open(path, { read: true });
  try {
    await folder.sync();
  } finally {
    folder.close();
  }
}

/** @returns a `storage` error that names the cause and a way out */
export function storageError(what: string, cause: unknown): SerinError {
  let text = cause instanceof Error ? cause.message : String(cause);
  let hint = "check the folder's permissions and that its disk has room";
  if (cause instanceof Deno.errors.NotCapable) {
    // Deno's own words tell to compile it anew.
    text = "serin writes no files of the system";
    hint = "choose another folder";
  } else if (/Not a directory|File exists|os error (17|20)\b/.test(text)) {
    hint = "a part of the path is a file and no folder: choose another path";
  } else if (/No space left|os error 28/.test(text)) hint = "the disk is full: free some space";
  else if (/Read-only file system|os error 30/.test(text)) {
    hint = "the folder is on a read-only file system: choose another with --data or --out";
  } else if (cause instanceof Deno.errors.PermissionDenied) {
    hint = "this user may not write there: choose another folder or change its owner";
  } else if (cause instanceof Deno.errors.NotFound) hint = "the folder does not exist: create it";
  return new SerinError("storage", `${what}: ${text}`, { hint, cause });
}

function folderOf(path: string): string {
  const slash = path.lastIndexOf("/");
  return slash < 0 ? "." : slash === 0 ? "/" : path.slice(0, slash);
}
