import type { Migration } from "../database/mod.ts";

/** The tables of this folder. */
export const ARTIFACT_MIGRATIONS: readonly Migration[] = [{
  id: "artifact/0001",
  sql: `
-- One row a file or folder, under its parent: listing a level reads that level only.
CREATE TABLE artifact (
  parent TEXT NOT NULL,
  name TEXT NOT NULL,
  digest TEXT,            -- SHA-256, NULL for a folder
  size INTEGER,           -- bytes, NULL for a folder
  created_ms INTEGER NOT NULL,
  PRIMARY KEY (parent, name)
) STRICT, WITHOUT ROWID;
CREATE INDEX artifact_digest ON artifact (digest) WHERE digest IS NOT NULL;
`,
}];
