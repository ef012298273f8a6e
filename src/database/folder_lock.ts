import { DatabaseSync } from "node:sqlite";
import { SerinError } from "../core/mod.ts";
import { translateError } from "./sqlite_error.ts";

/** A lock that is held until it is closed, or until the process ends in whatever way. */
export interface ExclusiveLock extends Disposable {
  close(): void;
}

/**
 * Takes a folder for this process alone, by an exclusive SQLite lock on the empty file `.lock` in it.
 * (Deno 2.6 has no `tryLock`; SQLite's lock does not wait, and the kernel drops it with the process,
 * kill -9 included, so that no stale lock file has to be judged.)
 *
 * @param folder an existing folder
 * @throws {SerinError} `conflict` when another process, or another opening in this one, holds it;
 * `storage` when the folder is missing or may not be written
 */
export function lockFolder(folder: string): ExclusiveLock {
  const path = `${folder}/.lock`;
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(path);
    database.exec("PRAGMA busy_timeout = 0");
    // No journal file beside it: nothing is ever written.
    database.exec("PRAGMA journal_mode = MEMORY");
    database.exec("BEGIN EXCLUSIVE");
  } catch (cause) {
    database?.close();
    if (/locked|busy/.test(String(cause))) {
      throw new SerinError("conflict", `Cannot open ${folder}: another process is using it`, {
        hint: "stop the other serin that was started with this --data folder, or choose another",
        cause,
      });
    }
    throw translateError(`Cannot lock ${folder}`, cause, folder);
  }
  const held = database;
  const close = () => {
    if (held.isOpen) held.close();
  };
  return { close, [Symbol.dispose]: close };
}
