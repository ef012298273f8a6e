/** What SQLite stores. NaN is stored as NULL, so a column that may hold it needs a flag beside it. */
export type SqlValue = null | number | bigint | string | Uint8Array;

/** What a statement changed. */
export interface RunResult {
  /** Rows inserted, updated or deleted. */
  readonly changes: number;
  /** The rowid of the last inserted row of this connection. */
  readonly lastInsertRowid: number;
}

/** Reads one consistent state of the database. Rows have no prototype: map them, or spread them. */
export interface Reader {
  /** @returns the first row, or undefined where there is none */
  get<T = Record<string, SqlValue>>(sql: string, ...params: readonly SqlValue[]): T | undefined;
  /** @returns every row; the statement carries its own LIMIT */
  all<T = Record<string, SqlValue>>(sql: string, ...params: readonly SqlValue[]): T[];
}

/** Reads and writes; exists only inside {@linkcode Database.transaction}. */
export interface Transaction extends Reader {
  /** Runs a statement that gives no rows. */
  run(sql: string, ...params: readonly SqlValue[]): RunResult;
}
