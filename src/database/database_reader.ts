import { DatabaseSync, type StatementSync } from "node:sqlite";
import { SerinError } from "../core/mod.ts";
import { type Migration, pendingMigrations } from "./migration.ts";
import { translateError } from "./sqlite_error.ts";
import type { Reader, SqlValue } from "./transaction.ts";

/** A database that is only read, beside the process that writes it. */
export interface DatabaseReader extends Disposable {
  /** Each statement sees what was acknowledged before it began. */
  read<T>(read: (reader: Reader) => T): T;
  /** May be called again. */
  close(): void;
}

/** How {@linkcode openDatabaseReader} opens. */
export interface DatabaseReaderOptions {
  /** Whether the schema may be an older one: some of the migrations not applied yet. */
  readonly older?: boolean;
}

/**
 * Opens a database for reading, also while another process has it open. It takes no lock, and changes
 * nothing.
 *
 * @param migrations as they are given to `openDatabase`
 * @throws {SerinError} `not_found` where there is none, `storage` where it cannot be read, is another
 *   program's, or of another serin's schema
 */
export function openDatabaseReader(
  path: string,
  migrations: readonly Migration[],
  options: DatabaseReaderOptions = {},
): DatabaseReader {
  let connection: DatabaseSync | undefined;
  try {
    Deno.statSync(path);
    connection = new DatabaseSync(path, { readOnly: true });
    connection.exec("PRAGMA busy_timeout = 5000");
    const reader = new SqliteReader(connection, path);
    reader.check(migrations, options.older ?? false);
    return reader;
  } catch (cause) {
    connection?.close();
    if (cause instanceof Deno.errors.NotFound) {
      throw new SerinError("not_found", `Cannot open ${path}: there is no such file`, {
        hint: "check the folder's name",
        cause,
      });
    }
    throw translateError(`Cannot open ${path}`, cause, path);
  }
}

class SqliteReader implements DatabaseReader {
  readonly #connection: DatabaseSync;
  readonly #path: string;
  readonly #statements = new Map<string, StatementSync>();
  readonly #reader: Reader;

  constructor(connection: DatabaseSync, path: string) {
    this.#connection = connection;
    this.#path = path;
    this.#reader = {
      get: <T>(sql: string, ...params: readonly SqlValue[]) =>
        this.#statement(sql).get(...params) as T | undefined,
      all: <T>(sql: string, ...params: readonly SqlValue[]) =>
        this.#statement(sql).all(...params) as T[],
    };
  }

  check(migrations: readonly Migration[], older: boolean): void {
    const known = this.#reader.get("SELECT 1 FROM sqlite_schema WHERE name = 'serin_migration'");
    const pending = known === undefined
      ? migrations
      : pendingMigrations(this.#reader, migrations, this.#path);
    if (pending.length === 0 || (older && known !== undefined)) return;
    throw new SerinError("storage", `Cannot read ${this.#path}: it is not of this serin's schema`, {
      hint: "let the serin that writes it start once: it brings the schema up to date",
    });
  }

  read<T>(read: (reader: Reader) => T): T {
    try {
      return read(this.#reader);
    } catch (cause) {
      throw translateError(`Cannot read ${this.#path}`, cause, this.#path);
    }
  }

  close(): void {
    if (this.#connection.isOpen) this.#connection.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  /** Statements are few: they are those of a room's code. */
  #statement(sql: string): StatementSync {
    let statement = this.#statements.get(sql);
    if (statement === undefined) {
      statement = this.#connection.prepare(sql);
      this.#statements.set(sql, statement);
    }
    return statement;
  }
}
