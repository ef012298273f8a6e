import type { Migration } from "../database/mod.ts";

/** The tables of rollouts, labels and what replicas counted. */
export const rolloutMigrations: readonly Migration[] = [{
  id: "rollout/0001",
  sql: `
CREATE TABLE rollout (
  id TEXT PRIMARY KEY,
  model TEXT NOT NULL,
  alias TEXT NOT NULL,
  stable TEXT NOT NULL,
  canary TEXT NOT NULL,
  salt TEXT NOT NULL,
  plan TEXT NOT NULL,
  state TEXT NOT NULL,
  phase TEXT NOT NULL,
  active INTEGER NOT NULL,
  started_at INTEGER NOT NULL,
  ended_at INTEGER,
  verdict TEXT,
  alias_change TEXT
) STRICT;
CREATE UNIQUE INDEX rollout_active ON rollout (model, alias) WHERE active = 1;
CREATE INDEX rollout_started ON rollout (started_at);
CREATE INDEX rollout_pending ON rollout (id) WHERE alias_change IS NOT NULL;
CREATE TABLE rollout_total (
  rollout TEXT NOT NULL,
  step INTEGER NOT NULL,
  arm TEXT NOT NULL,
  total TEXT NOT NULL,
  value INTEGER NOT NULL,
  PRIMARY KEY (rollout, step, arm, total)
) STRICT, WITHOUT ROWID;
CREATE TABLE rollout_replica (
  replica TEXT NOT NULL,
  incarnation TEXT NOT NULL,
  sequence INTEGER NOT NULL,
  PRIMARY KEY (replica, incarnation)
) STRICT, WITHOUT ROWID;
CREATE TABLE rollout_replica_total (
  rollout TEXT NOT NULL,
  replica TEXT NOT NULL,
  incarnation TEXT NOT NULL,
  step INTEGER NOT NULL,
  arm TEXT NOT NULL,
  total TEXT NOT NULL,
  value INTEGER NOT NULL,
  PRIMARY KEY (rollout, replica, incarnation, step, arm, total)
) STRICT, WITHOUT ROWID;
CREATE TABLE rollout_history (
  rollout TEXT NOT NULL,
  at INTEGER NOT NULL,
  step INTEGER NOT NULL,
  share REAL NOT NULL,
  log_immediate REAL NOT NULL,
  log_labels REAL NOT NULL,
  PRIMARY KEY (rollout, at)
) STRICT, WITHOUT ROWID;
CREATE TABLE rollout_observed (
  model TEXT NOT NULL,
  alias TEXT NOT NULL,
  stable TEXT,
  challenger TEXT,
  PRIMARY KEY (model, alias)
) STRICT, WITHOUT ROWID;
CREATE TABLE rollout_planned (
  model TEXT NOT NULL,
  canary TEXT NOT NULL,
  plan TEXT NOT NULL,
  PRIMARY KEY (model, canary)
) STRICT, WITHOUT ROWID;
CREATE TABLE rollout_secret (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  secret BLOB NOT NULL
) STRICT;
CREATE TABLE rollout_label (
  nonce TEXT NOT NULL,
  row INTEGER NOT NULL,
  label TEXT NOT NULL,
  expires_at INTEGER NOT NULL,
  PRIMARY KEY (nonce, row)
) STRICT, WITHOUT ROWID;
CREATE INDEX rollout_label_expires ON rollout_label (expires_at);
CREATE TABLE rollout_labelled (
  nonce TEXT PRIMARY KEY,
  wrong INTEGER NOT NULL,
  expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX rollout_labelled_expires ON rollout_labelled (expires_at);
CREATE TABLE rollout_quality (
  model TEXT NOT NULL,
  version TEXT NOT NULL,
  labelled INTEGER NOT NULL,
  wrong INTEGER NOT NULL,
  PRIMARY KEY (model, version)
) STRICT, WITHOUT ROWID;
`,
}, {
  id: "rollout/0002",
  sql: `
-- By the stretch of time in which the rows were predicted: begins at bucket, span milliseconds long.
CREATE TABLE rollout_quality_bucket (
  model TEXT NOT NULL,
  version TEXT NOT NULL,
  span INTEGER NOT NULL,
  bucket INTEGER NOT NULL,
  labelled INTEGER NOT NULL,
  wrong INTEGER NOT NULL,
  PRIMARY KEY (model, version, span, bucket)
) STRICT, WITHOUT ROWID;
CREATE INDEX rollout_quality_bucket_at ON rollout_quality_bucket (bucket);
-- By the upper bound of the time from prediction to label.
CREATE TABLE rollout_label_delay (
  model TEXT NOT NULL,
  bound INTEGER NOT NULL,
  labels INTEGER NOT NULL,
  seconds REAL NOT NULL,
  last_at INTEGER NOT NULL,
  PRIMARY KEY (model, bound)
) STRICT, WITHOUT ROWID;
`,
}];
