import type { Migration } from "../database/mod.ts";

/** The tables of this folder. Times are milliseconds since the epoch. */
export const TRACKING_MIGRATIONS: readonly Migration[] = [{
  id: "tracking/0001",
  sql: `
CREATE TABLE experiment (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  name TEXT NOT NULL UNIQUE,
  artifact_location TEXT NOT NULL,
  stage TEXT NOT NULL CHECK (stage IN ('active', 'deleted')),
  created_ms INTEGER NOT NULL,
  updated_ms INTEGER NOT NULL
) STRICT;
CREATE TABLE experiment_tag (
  experiment INTEGER NOT NULL REFERENCES experiment (id) ON DELETE CASCADE,
  key TEXT NOT NULL,
  value TEXT NOT NULL,
  PRIMARY KEY (experiment, key)
) STRICT, WITHOUT ROWID;

CREATE TABLE run (
  id INTEGER PRIMARY KEY,
  run_id TEXT NOT NULL UNIQUE,
  experiment INTEGER NOT NULL REFERENCES experiment (id),
  name TEXT NOT NULL,
  user_id TEXT NOT NULL,
  status TEXT NOT NULL,
  started_ms REAL NOT NULL,
  ended_ms REAL,
  artifact_uri TEXT NOT NULL,
  stage TEXT NOT NULL CHECK (stage IN ('active', 'deleted')),
  deleted_ms INTEGER
) STRICT;
CREATE INDEX run_newest ON run (experiment, stage, started_ms DESC, run_id);
CREATE TABLE run_param (
  run INTEGER NOT NULL REFERENCES run (id) ON DELETE CASCADE,
  key TEXT NOT NULL,
  value TEXT NOT NULL,
  PRIMARY KEY (run, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX run_param_value ON run_param (key, value);
CREATE TABLE run_tag (
  run INTEGER NOT NULL REFERENCES run (id) ON DELETE CASCADE,
  key TEXT NOT NULL,
  value TEXT NOT NULL,
  PRIMARY KEY (run, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX run_tag_value ON run_tag (key, value);

-- One row a (run, metric): its newest point. NaN is value 0 with is_nan 1, an infinity the largest
-- double, as in MLflow. Steps and timestamps are REAL, so that any int64 can be read back.
CREATE TABLE metric_series (
  id INTEGER PRIMARY KEY,
  run INTEGER NOT NULL REFERENCES run (id) ON DELETE CASCADE,
  key TEXT NOT NULL,
  value REAL NOT NULL,
  is_nan INTEGER NOT NULL,
  step REAL NOT NULL,
  timestamp REAL NOT NULL,
  UNIQUE (run, key)
) STRICT;
CREATE INDEX metric_series_value ON metric_series (key, value, is_nan);
-- Every point ever logged; the same point twice is one.
CREATE TABLE metric_point (
  series INTEGER NOT NULL REFERENCES metric_series (id) ON DELETE CASCADE,
  timestamp REAL NOT NULL,
  step REAL NOT NULL,
  value REAL NOT NULL,
  is_nan INTEGER NOT NULL,
  PRIMARY KEY (series, timestamp, step, value, is_nan)
) STRICT, WITHOUT ROWID;

CREATE TABLE dataset (
  id INTEGER PRIMARY KEY,
  experiment INTEGER NOT NULL REFERENCES experiment (id) ON DELETE CASCADE,
  name TEXT NOT NULL,
  digest TEXT NOT NULL,
  source_type TEXT NOT NULL,
  source TEXT NOT NULL,
  schema TEXT,
  profile TEXT,
  UNIQUE (experiment, name, digest)
) STRICT;
CREATE TABLE run_dataset (
  id INTEGER PRIMARY KEY,
  run INTEGER NOT NULL REFERENCES run (id) ON DELETE CASCADE,
  dataset INTEGER NOT NULL REFERENCES dataset (id) ON DELETE CASCADE,
  UNIQUE (run, dataset)
) STRICT;
CREATE INDEX run_dataset_dataset ON run_dataset (dataset);
CREATE TABLE run_dataset_tag (
  run_dataset INTEGER NOT NULL REFERENCES run_dataset (id) ON DELETE CASCADE,
  key TEXT NOT NULL,
  value TEXT NOT NULL,
  PRIMARY KEY (run_dataset, key)
) STRICT, WITHOUT ROWID;
-- Models that a run read (input) or made (output). A model may come from another server.
CREATE TABLE run_model (
  id INTEGER PRIMARY KEY,
  run INTEGER NOT NULL REFERENCES run (id) ON DELETE CASCADE,
  direction TEXT NOT NULL CHECK (direction IN ('input', 'output')),
  model_id TEXT NOT NULL,
  step REAL
) STRICT;
CREATE INDEX run_model_run ON run_model (run, direction);

CREATE TABLE logged_model (
  id INTEGER PRIMARY KEY,
  model_id TEXT NOT NULL UNIQUE,
  experiment INTEGER NOT NULL REFERENCES experiment (id),
  name TEXT NOT NULL,
  artifact_location TEXT NOT NULL,
  created_ms INTEGER NOT NULL,
  updated_ms INTEGER NOT NULL,
  status INTEGER NOT NULL,
  stage TEXT NOT NULL CHECK (stage IN ('active', 'deleted')),
  model_type TEXT NOT NULL,
  source_run_id TEXT NOT NULL
) STRICT;
CREATE INDEX logged_model_newest ON logged_model (experiment, stage, created_ms DESC, model_id);
CREATE TABLE logged_model_param (
  model INTEGER NOT NULL REFERENCES logged_model (id) ON DELETE CASCADE,
  key TEXT NOT NULL,
  value TEXT NOT NULL,
  PRIMARY KEY (model, key)
) STRICT, WITHOUT ROWID;
CREATE TABLE logged_model_tag (
  model INTEGER NOT NULL REFERENCES logged_model (id) ON DELETE CASCADE,
  key TEXT NOT NULL,
  value TEXT NOT NULL,
  PRIMARY KEY (model, key)
) STRICT, WITHOUT ROWID;
CREATE TABLE logged_model_metric (
  id INTEGER PRIMARY KEY,
  model INTEGER NOT NULL REFERENCES logged_model (id) ON DELETE CASCADE,
  run_id TEXT NOT NULL,
  key TEXT NOT NULL,
  value REAL NOT NULL,
  is_nan INTEGER NOT NULL,
  step REAL NOT NULL,
  timestamp REAL NOT NULL,
  dataset_name TEXT,
  dataset_digest TEXT,
  UNIQUE (model, key, timestamp, step, run_id)
) STRICT;
CREATE INDEX logged_model_metric_value ON logged_model_metric (key, value);
`,
}];
