import type { Migration } from "../../database/mod.ts";

/**
 * Predictions in blocks, as the data isolates pack them: one insertion for hundreds of requests. Labels
 * stand by themselves, and are found by nonce and row when the log is read.
 */
export const PREDICTION_MIGRATIONS: readonly Migration[] = [{
  id: "predictions/0001",
  sql: `
    CREATE TABLE prediction_block (
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      model TEXT NOT NULL,
      version TEXT NOT NULL,
      columns TEXT NOT NULL,
      first_ms INTEGER NOT NULL,
      last_ms INTEGER NOT NULL,
      requests INTEGER NOT NULL,
      rows INTEGER NOT NULL,
      body BLOB NOT NULL
    ) STRICT;
    CREATE TABLE prediction_label (
      nonce BLOB NOT NULL,
      row INTEGER NOT NULL,
      label TEXT NOT NULL,
      arrived_ms INTEGER NOT NULL,
      PRIMARY KEY (nonce, row)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX prediction_label_arrived ON prediction_label (arrived_ms);
  `,
}];

/** Name of the database in a log's folder. */
export const PREDICTION_FILE = "predictions.db";
