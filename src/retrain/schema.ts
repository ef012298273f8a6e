import type { Migration } from "../database/mod.ts";

/** Decisions, the retrainings that began of them, and each step before it is taken. */
export const RETRAIN_MIGRATIONS: readonly Migration[] = [{
  id: "retrain/0001",
  sql: `
    CREATE TABLE retrain_decision (
      id TEXT PRIMARY KEY,
      model TEXT NOT NULL,
      decision TEXT NOT NULL,
      reason TEXT NOT NULL,
      alerts TEXT NOT NULL,
      alert_key TEXT NOT NULL,
      brakes TEXT NOT NULL,
      first_ms INTEGER NOT NULL,
      last_ms INTEGER NOT NULL,
      times INTEGER NOT NULL
    ) STRICT;
    CREATE INDEX retrain_decision_last ON retrain_decision (last_ms);
    CREATE TABLE retrain_run (
      id TEXT PRIMARY KEY REFERENCES retrain_decision (id),
      model TEXT NOT NULL,
      state TEXT NOT NULL,
      reason TEXT NOT NULL,
      labels INTEGER NOT NULL,
      begun_ms INTEGER NOT NULL,
      ended_ms INTEGER
    ) STRICT;
    CREATE INDEX retrain_run_model ON retrain_run (model, begun_ms);
    CREATE TABLE retrain_step (
      run TEXT NOT NULL REFERENCES retrain_run (id),
      step TEXT NOT NULL,
      attempts INTEGER NOT NULL,
      started_ms INTEGER NOT NULL,
      ended_ms INTEGER,
      facts TEXT NOT NULL,
      PRIMARY KEY (run, step)
    ) STRICT;
    CREATE TABLE retrain_answer (
      fingerprint TEXT NOT NULL,
      starts_at TEXT NOT NULL,
      run TEXT NOT NULL REFERENCES retrain_run (id),
      PRIMARY KEY (fingerprint, starts_at)
    ) STRICT;
    CREATE TABLE retrain_count (
      model TEXT NOT NULL,
      decision TEXT NOT NULL,
      count INTEGER NOT NULL,
      PRIMARY KEY (model, decision)
    ) STRICT;
  `,
}];
