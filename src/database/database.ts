import { DatabaseSync, type StatementSync } from "node:sqlite";
import { assert, type Clock, SerinError, storageError, systemClock } from "../core/mod.ts";
import { type ExclusiveLock, lockFolder } from "./folder_lock.ts";
import { type Migration, MIGRATION_TABLE, migrationHash, pendingMigrations } from "./migration.ts";
import { translateError } from "./sqlite_error.ts";
import type { Reader, SqlValue, Transaction } from "./transaction.ts";

/** Prepared statements kept; the least recently used one goes first. */
const STATEMENTS_MAX = 256;

/** How {@linkcode openDatabase} opens. */
export interface DatabaseOptions {
  /** For the time in the table of migrations; default the machine's. */
  readonly clock?: Clock;
}

/** An open database. All its calls are synchronous, so each runs alone. */
export interface Database extends Disposable {
  /**
   * Runs `write` in one transaction (BEGIN IMMEDIATE): when this returns, the change is on disk; when
   * `write` throws, nothing of it is left.
   *
   * @param write synchronous; may not open another transaction
   * @throws {SerinError} `storage` when the disk is full or read-only; `invalid_input` for a text that
   * holds NUL
   * @throws {AssertionError} when called inside a transaction, or when `write` gives a promise
   */
  transaction<T>(write: (tx: Transaction) => T): T;
  /** Runs `read` over one state of the database. */
  read<T>(read: (reader: Reader) => T): T;
  /** Writes what is in the log into the file and gives the folder free. May be called again. */
  close(): void;
}

/**
 * Opens (and makes, where it is missing) an SQLite database and brings its schema up to date. WAL and
 * `synchronous=FULL`: what is acknowledged survives a power cut. The folder belongs to this process
 * until the database is closed. Before an existing file is migrated, a copy is kept beside it.
 *
 * @param path a file, whose folder must exist, or ":memory:"
 * @param migrations of all who keep tables in it, in order
 * @throws {SerinError} `storage` when the folder is missing, read-only or full, when the file is not
 * a database, or when a newer serin has written it; `conflict` when another process has the folder
 *
 * @example A table of one's own
 * ```ts
 * import { openDatabase } from "./mod.ts";
 * using database = openDatabase(":memory:", [
 *   { id: "example/0001", sql: "CREATE TABLE note (text TEXT NOT NULL) STRICT" },
 * ]);
 * database.transaction((tx) => tx.run("INSERT INTO note VALUES (?)", "hello"));
 * const note = database.read((tx) => tx.get<{ text: string }>("SELECT text FROM note"));
 * console.assert(note?.text === "hello");
 * ```
 */
export function openDatabase(
  path: string,
  migrations: readonly Migration[],
  options: DatabaseOptions = {},
): Database {
  const ids = new Set(migrations.map(({ id }) => id));
  assert(ids.size === migrations.length, "two migrations have the same id");
  const memory = path === ":memory:";
  const lock = memory ? undefined : lockFolder(folderOf(path));
  let connection: DatabaseSync | undefined;
  try {
    connection = new DatabaseSync(path);
    setPragmas(connection, memory);
    const database = new SqliteDatabase(connection, path, lock);
    database.migrate(migrations, options.clock ?? systemClock);
    return database;
  } catch (cause) {
    connection?.close();
    lock?.close();
    throw translateError(`Cannot open ${path}`, cause, path);
  }
}

function setPragmas(connection: DatabaseSync, memory: boolean): void {
  const set = (name: string, value: string, expected: string | number) => {
    connection.exec(`PRAGMA ${name} = ${value}`);
    const row = connection.prepare(`PRAGMA ${name}`).get() as Record<string, unknown>;
    const seen = Object.values(row)[0];
    if (seen === expected) return;
    throw new SerinError("storage", `SQLite's ${name} is ${seen}, it must be ${expected}`, {
      hint: "the folder's file system may not support it (network file systems do not): choose " +
        "another with --data",
    });
  };
  set("busy_timeout", "5000", 5000);
  set("journal_mode", "WAL", memory ? "memory" : "wal");
  set("synchronous", "FULL", 2);
  set("foreign_keys", "ON", 1);
}

class SqliteDatabase implements Database {
  readonly #connection: DatabaseSync;
  readonly #path: string;
  readonly #lock: ExclusiveLock | undefined;
  readonly #statements = new Map<string, StatementSync>();
  readonly #transaction: Transaction;
  readonly #reader: Reader;
  #inTransaction = false;

  constructor(connection: DatabaseSync, path: string, lock: ExclusiveLock | undefined) {
    this.#connection = connection;
    this.#path = path;
    this.#lock = lock;
    const get = <T>(sql: string, ...params: readonly SqlValue[]) => {
      refuseNul(params);
      return this.#statement(sql).get(...params) as T | undefined;
    };
    const all = <T>(sql: string, ...params: readonly SqlValue[]) => {
      refuseNul(params);
      return this.#statement(sql).all(...params) as T[];
    };
    const run = (sql: string, ...params: readonly SqlValue[]) => {
      assert(this.#inTransaction, "a transaction was used after its end");
      refuseNul(params);
      const { changes, lastInsertRowid } = this.#statement(sql).run(...params);
      return { changes: Number(changes), lastInsertRowid: Number(lastInsertRowid) };
    };
    this.#reader = { get, all };
    this.#transaction = { get, all, run };
  }

  transaction<T>(write: (tx: Transaction) => T): T {
    assert(!this.#inTransaction, "a transaction was opened inside another: hand its tx down");
    this.#inTransaction = true;
    try {
      this.#statement("BEGIN IMMEDIATE").run();
      const result = write(this.#transaction);
      assert(!(result instanceof Promise), "a transaction must be synchronous");
      this.#statement("COMMIT").run();
      return result;
    } catch (cause) {
      // SQLite has already rolled back by itself after some errors, a full disk among them.
      if (this.#connection.isTransaction) this.#connection.exec("ROLLBACK");
      throw translateError(`Cannot write ${this.#path}`, cause, this.#path);
    } finally {
      this.#inTransaction = false;
    }
  }

  read<T>(read: (reader: Reader) => T): T {
    try {
      return read(this.#reader);
    } catch (cause) {
      throw translateError(`Cannot read ${this.#path}`, cause, this.#path);
    }
  }

  /** Applies what is missing, all in one transaction. */
  migrate(migrations: readonly Migration[], clock: Clock): void {
    const isNew = this.#reader.get("SELECT 1 FROM sqlite_schema") === undefined;
    if (isNew) syncFolderNow(folderOf(this.#path), this.#path);
    const known = this.#reader.get("SELECT 1 FROM sqlite_schema WHERE name = 'serin_migration'");
    if (!isNew && known === undefined) {
      throw new SerinError("storage", `Cannot open ${this.#path}: it is not serin's database`, {
        hint: "it has tables of another program: choose another folder with --data",
      });
    }
    this.#connection.exec(MIGRATION_TABLE);
    const pending = pendingMigrations(this.#reader, migrations, this.#path);
    if (pending.length === 0) return;
    if (!isNew) this.#keepCopy(pending[0].id);
    this.transaction((tx) => {
      for (const migration of pending) {
        this.#connection.exec(migration.sql);
        tx.run(
          "INSERT INTO serin_migration VALUES (?, ?, ?)",
          migration.id,
          migrationHash(migration),
          clock.now(),
        );
      }
    });
  }

  close(): void {
    if (!this.#connection.isOpen) return;
    assert(!this.#inTransaction, "the database was closed inside a transaction");
    this.#statements.clear();
    this.#connection.close();
    this.#lock?.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  /** A copy of the file as it was before `nextId`; this process alone has it open. */
  #keepCopy(nextId: string): void {
    if (this.#path === ":memory:") return;
    this.#connection.exec("PRAGMA wal_checkpoint(TRUNCATE)");
    const copy = `${this.#path}.before-${nextId.replace(/[^A-Za-z0-9._-]/g, "-")}`;
    try {
      Deno.copyFileSync(this.#path, `${copy}.tmp`);
      using file = Deno.openSync(`${copy}.tmp`, { read: true, write: true });
      file.syncSync();
      Deno.renameSync(`${copy}.tmp`, copy);
    } catch (cause) {
      throw storageError(`Cannot keep a copy of ${this.#path} before migrating it`, cause);
    }
  }

  #statement(sql: string): StatementSync {
    let statement = this.#statements.get(sql);
    if (statement === undefined) {
      statement = this.#connection.prepare(sql);
      if (this.#statements.size >= STATEMENTS_MAX) {
        this.#statements.delete(this.#statements.keys().next().value!);
      }
    } else {
      this.#statements.delete(sql);
    }
    this.#statements.set(sql, statement);
    return statement;
  }
}

/** node:sqlite reads a text back up to its first NUL only: what was acknowledged would be lost. */
function refuseNul(params: readonly SqlValue[]): void {
  for (const param of params) {
    if (typeof param !== "string" || !param.includes("\0")) continue;
    throw new SerinError("invalid_input", "A text may not hold the character NUL", {
      hint: "take it out: no text has a use for it",
      details: { text: param.slice(0, 100) },
    });
  }
}

function syncFolderNow(folder: string, path: string): void {
  if (path === ":memory:") return;
  using file = Deno.openSync(folder, { read: true });
  file.syncSync();
}

function folderOf(path: string): string {
  const slash = path.lastIndexOf("/");
  return slash < 0 ? "." : slash === 0 ? "/" : path.slice(0, slash);
}
