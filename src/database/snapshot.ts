import { backup, DatabaseSync } from "node:sqlite";
import { SerinError } from "../core/mod.ts";
import { translateError } from "./sqlite_error.ts";
import type { Reader, SqlValue } from "./transaction.ts";

/** All pages in one step. */
const WHOLE = -1;
/** SQLite asks again and again for the lock of a database that is written all the time. */
const LOCK_MS_MAX = 30_000;

/**
 * Copies a database, page by page, as it is at one moment, also while another process writes it. In one
 * step: SQLite begins anew when the database was written between two steps, and beside a registry that
 * is written all the time would not end. Writers do not wait for the copy (WAL).
 *
 * @param target a file that is not there
 * @param atMoment sees what the copy will have, while nobody can write; writers wait for it, so it must
 *   be quick
 * @throws {SerinError} `not_found` where there is no database; `storage` where it cannot be read, or the
 *   copy not be written, of which nothing is left then; what `atMoment` throws
 *
 * @example A copy of a database that is open
 * ```ts
 * import { openDatabase, openDatabaseReader, snapshotDatabase } from "./mod.ts";
 * const folder = await Deno.makeTempDir();
 * const migrations = [{ id: "example/0001", sql: "CREATE TABLE note (text TEXT NOT NULL) STRICT" }];
 * using database = openDatabase(`${folder}/serin.db`, migrations);
 * database.transaction((tx) => tx.run("INSERT INTO note VALUES ('before')"));
 * await snapshotDatabase(`${folder}/serin.db`, `${folder}/copy.db`);
 * database.transaction((tx) => tx.run("INSERT INTO note VALUES ('after')"));
 * using copy = openDatabaseReader(`${folder}/copy.db`, migrations);
 * console.assert(copy.read((reader) => reader.all("SELECT text FROM note")).length === 1);
 * ```
 */
export async function snapshotDatabase(
  path: string,
  target: string,
  atMoment: (reader: Reader) => void = () => {},
): Promise<void> {
  let source: DatabaseSync | undefined;
  try {
    Deno.statSync(path);
    source = openMoment(path, atMoment);
    await backup(source, target, { rate: WHOLE });
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
    source?.close();
  }
}

/** @returns a connection that sees the state of the moment until it is closed */
function openMoment(path: string, atMoment: (reader: Reader) => void): DatabaseSync {
  const writer = new DatabaseSync(path);
  let source: DatabaseSync | undefined;
  try {
    writer.exec(`PRAGMA busy_timeout = ${LOCK_MS_MAX}`);
    writer.exec("BEGIN IMMEDIATE");
    source = new DatabaseSync(path, { readOnly: true });
    source.exec("PRAGMA busy_timeout = 5000");
    source.exec("BEGIN");
    // The first statement is what fixes the state that it sees.
    source.prepare("SELECT 1 FROM sqlite_schema").get();
    atMoment(readerOf(source));
    writer.exec("ROLLBACK");
    return source;
  } catch (cause) {
    source?.close();
    throw cause;
  } finally {
    writer.close();
  }
}

function readerOf(connection: DatabaseSync): Reader {
  return {
    get: <T>(sql: string, ...params: readonly SqlValue[]) =>
      connection.prepare(sql).get(...params) as T | undefined,
    all: <T>(sql: string, ...params: readonly SqlValue[]) =>
      connection.prepare(sql).all(...params) as T[],
  };
}

function removeIfThere(path: string): void {
  try {
    Deno.removeSync(path);
  } catch (cause) {
    if (!(cause instanceof Deno.errors.NotFound)) throw cause;
  }
}
