import { backup, DatabaseSync } from "node:sqlite";
import { SerinError } from "../core/mod.ts";
import { translateError } from "./sqlite_error.ts";

/** All pages in one step. */
const WHOLE = -1;

/**
 * Copies a database, page by page, as it is at one moment, also while another process writes it. In one
 * step: SQLite begins anew when the database was written between two steps, and beside a registry that
 * is written all the time would not end. Writers do not wait for it (WAL).
 *
 * @param target a file that is not there
 * @throws {SerinError} `not_found` where there is no database; `storage` where it cannot be read, or the
 *   copy not be written, of which nothing is left then
 */
export async function snapshotDatabase(path: string, target: string): Promise<void> {
  let connection: DatabaseSync | undefined;
  try {
    Deno.statSync(path);
    connection = new DatabaseSync(path, { readOnly: true });
    connection.exec("PRAGMA busy_timeout = 5000");
    await backup(connection, target, { rate: WHOLE });
  } catch (cause) {
    for (const file of [target, `${target}-journal`]) removeIfThere(file);
    if (cause instanceof Deno.errors.NotFound) {
      throw new SerinError("not_found", `Cannot read ${path}: there is no such file`, {
        hint: "give the folder of a registry with --data",
        cause,
      });
    }
    throw translateError(`Cannot copy ${path} to ${target}`, cause, path);
  } finally {
    connection?.close();
  }
}

function removeIfThere(path: string): void {
  try {
    Deno.removeSync(path);
  } catch (cause) {
    if (!(cause instanceof Deno.errors.NotFound)) throw cause;
  }
}
