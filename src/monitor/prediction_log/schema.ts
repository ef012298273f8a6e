import type { Migration } from "../../database/mod.ts";

/**
 * Predictions in blocks, as the data isolates pack them: one insertion for hundreds of requests. Labels
 * stand by themselves, and are found by nonce and row when the log is read.
 *
 * Blocks and labels are numbered as they are written, and no number is given twice (AUTOINCREMENT), also
 * after a restart and whatever the clock does: by these numbers a log is sent. `prediction_log` is the
 * name of a log that is sent and how far it was, `prediction_source` how far other logs have come here;
 * those that came last have the highest `touched`.
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
}, {
  id: "predictions/0002",
  sql: `
    CREATE TABLE prediction_label_numbered (
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      nonce BLOB NOT NULL,
      row INTEGER NOT NULL,
      label TEXT NOT NULL,
      arrived_ms INTEGER NOT NULL,
      UNIQUE (nonce, row)
    ) STRICT;
    INSERT INTO prediction_label_numbered (nonce, row, label, arrived_ms)
      SELECT nonce, row, label, arrived_ms FROM prediction_label ORDER BY arrived_ms, nonce, row;
    DROP TABLE prediction_label;
    ALTER TABLE prediction_label_numbered RENAME TO prediction_label;
    CREATE INDEX prediction_label_arrived ON prediction_label (arrived_ms);
    CREATE TABLE prediction_log (
      one INTEGER PRIMARY KEY CHECK (one = 1),
      log TEXT NOT NULL,
      sent_block INTEGER NOT NULL,
      sent_label INTEGER NOT NULL
    ) STRICT;
    CREATE TABLE prediction_source (
      touched INTEGER PRIMARY KEY AUTOINCREMENT,
      log TEXT NOT NULL UNIQUE,
      block INTEGER NOT NULL,
      label INTEGER NOT NULL
    ) STRICT;
  `,
}, {
  // A label's head as `label_block.ts` has it, one label a block: hexadecimal, for want of a better way.
  id: "predictions/0003",
  sql: `
    CREATE TABLE prediction_label_block (
      last_id INTEGER PRIMARY KEY AUTOINCREMENT,
      labels INTEGER NOT NULL,
      arrived_ms INTEGER NOT NULL,
      body BLOB NOT NULL
    ) STRICT;
    INSERT INTO prediction_label_block
      SELECT id, 1, arrived_ms, unhex(
        hex(nonce) ||
        printf('%02x%02x%02x%02x', row & 255, row >> 8 & 255, row >> 16 & 255, row >> 24 & 255) ||
        printf('%02x%02x', octet_length(label) & 255, octet_length(label) >> 8 & 255) ||
        hex(CAST(label AS BLOB))
      ) FROM prediction_label ORDER BY id;
    DELETE FROM sqlite_sequence WHERE name = 'prediction_label_block';
    UPDATE sqlite_sequence SET name = 'prediction_label_block' WHERE name = 'prediction_label';
    DROP TABLE prediction_label;
  `,
}];

/** Name of the database in a log's folder. */
export const PREDICTION_FILE = "predictions.db";
