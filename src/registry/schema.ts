import type { Migration } from "../database/mod.ts";

/** The tables of this folder. Times are milliseconds since the epoch. */
export const REGISTRY_MIGRATIONS: readonly Migration[] = [{
  id: "registry/0001",
  sql: `
CREATE TABLE registered_model (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  description TEXT NOT NULL,
  created_ms INTEGER NOT NULL,
  updated_ms INTEGER NOT NULL
) STRICT;
CREATE INDEX registered_model_updated ON registered_model (updated_ms);
CREATE TABLE registered_model_tag (
  model INTEGER NOT NULL REFERENCES registered_model (id) ON DELETE CASCADE,
  key TEXT NOT NULL,
  value TEXT NOT NULL,
  PRIMARY KEY (model, key)
) STRICT, WITHOUT ROWID;
-- A deleted version keeps its row, so that its number is never given again.
CREATE TABLE model_version (
  id INTEGER PRIMARY KEY,
  model INTEGER NOT NULL REFERENCES registered_model (id) ON DELETE CASCADE,
  version INTEGER NOT NULL,
  description TEXT,
  source TEXT NOT NULL,
  storage_location TEXT NOT NULL,
  run_id TEXT NOT NULL,
  run_link TEXT NOT NULL,
  model_id TEXT NOT NULL,
  stage TEXT NOT NULL CHECK (stage IN ('None', 'Staging', 'Production', 'Archived', 'Deleted')),
  created_ms INTEGER NOT NULL,
  updated_ms INTEGER NOT NULL,
  UNIQUE (model, version)
) STRICT;
CREATE INDEX model_version_updated ON model_version (updated_ms);
CREATE INDEX model_version_run ON model_version (run_id);
CREATE TABLE model_version_tag (
  model_version INTEGER NOT NULL REFERENCES model_version (id) ON DELETE CASCADE,
  key TEXT NOT NULL,
  value TEXT NOT NULL,
  PRIMARY KEY (model_version, key)
) STRICT, WITHOUT ROWID;
CREATE TABLE model_alias (
  model INTEGER NOT NULL REFERENCES registered_model (id) ON DELETE CASCADE,
  alias TEXT NOT NULL,
  version INTEGER NOT NULL,
  PRIMARY KEY (model, alias),
  FOREIGN KEY (model, version) REFERENCES model_version (model, version)
) STRICT, WITHOUT ROWID;
`,
}, {
  id: "registry/0002",
  sql: `
-- By name, for it outlives the model; ids are never given again, so they are the order.
CREATE TABLE model_alias_change (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  model TEXT NOT NULL,
  alias TEXT NOT NULL,
  version INTEGER,
  previous INTEGER,
  changed_ms INTEGER NOT NULL,
  cause TEXT NOT NULL,
  rollout TEXT
) STRICT;
CREATE INDEX model_alias_change_alias ON model_alias_change (model, alias, id);
CREATE INDEX model_alias_change_model ON model_alias_change (model, id);
`,
}];
