import { LIMITS } from "../core/mod.ts";
import type { Database, Reader, Transaction } from "../database/mod.ts";
import type {
  DecidedAlert,
  DecisionName,
  DecisionRecord,
  RunEnd,
  RunRecord,
  RunState,
  StepName,
  StepRecord,
} from "./retraining.ts";
import type { Brake } from "./brakes.ts";

/** A decision before it is kept. */
export interface NewDecision {
  readonly id: string;
  readonly model: string;
  readonly decision: DecisionName;
  readonly reason: string;
  readonly alerts: readonly DecidedAlert[];
  readonly brakes: readonly Brake[];
  readonly now: number;
  /** The labels counted so far, where a retraining begins of it. */
  readonly labels?: number;
}

/** How often each decision was made; ends of retrainings are among them. */
export interface DecisionCount {
  readonly model: string;
  readonly decision: string;
  readonly count: number;
}

const DAY_MS = 86_400_000;

/** What retraining remembers; each method is one transaction. */
export class RetrainStore {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /** Counters begin at 0, so that the first failure is seen as a growth. */
  ensureCounts(models: readonly string[], decisions: readonly string[]): void {
    this.#database.transaction((tx) => {
      for (const model of models) {
        for (const decision of decisions) count(tx, { model, decision, by: 0 });
      }
    });
  }

  /** Keeps a decision, and the retraining that begins of it. @returns its id, or an older one's */
  decide(decision: NewDecision): string {
    return this.#database.transaction((tx) => {
      count(tx, { ...decision, by: 1 });
      const begins = decision.decision === "accepted" || decision.decision === "pending";
      const repeated = begins ? undefined : repeat(tx, decision);
      if (repeated !== undefined) return repeated;
      insertDecision(tx, decision);
      if (begins) insertRun(tx, decision);
      prune(tx);
      return decision.id;
    });
  }

  /** A pending one may begin. */
  approve(id: string): void {
    this.#setState(id, "queued");
  }

  /** A step begins, or begins again: recorded before it is taken. */
  beginStep(id: string, step: StepName, now: number, facts: Record<string, unknown>): void {
    this.#database.transaction((tx) => {
      tx.run("UPDATE retrain_run SET state = ? WHERE id = ?", step, id);
      tx.run(
        `INSERT INTO retrain_step VALUES (?, ?, 1, ?, NULL, ?)
          ON CONFLICT (run, step) DO UPDATE SET attempts = attempts + 1, facts = excluded.facts`,
        id,
        step,
        now,
        JSON.stringify(facts),
      );
    });
  }

  /** A step ends, and with it the retraining where `outcome` says so: both or neither. */
  endStep(
    id: string,
    step: StepName,
    now: number,
    { facts, outcome }: {
      facts: Record<string, unknown>;
      outcome?: { end: RunEnd; reason: string } | undefined;
    },
  ): void {
    this.#database.transaction((tx) => {
      tx.run(
        "UPDATE retrain_step SET ended_ms = ?, facts = ? WHERE run = ? AND step = ?",
        ...[now, JSON.stringify(facts), id, step],
      );
      if (outcome !== undefined) endRun(tx, id, now, outcome);
    });
  }

  end(id: string, end: RunEnd, now: number, reason: string): void {
    this.#database.transaction((tx) => endRun(tx, id, now, { end, reason }));
  }

  /** @returns those that have not ended, the oldest first */
  unended(): RunRecord[] {
    return this.#database.read((reader) =>
      reader.all<RunRow>(
        "SELECT * FROM retrain_run WHERE ended_ms IS NULL ORDER BY begun_ms, id LIMIT 1000",
      ).map((row) => toRun(reader, row))
    );
  }

  /** What the brakes need of the past of a model. */
  past(model: string, now: number): {
    lastEndedMs: number | undefined;
    begunWithinDay: number;
    labelsBefore: number | undefined;
  } {
    return this.#database.read((reader) => {
      // One that nobody approved cost nothing.
      const row = reader.get<{ ended: number | null; begun: number }>(
        `SELECT max(ended_ms) AS ended, coalesce(sum(begun_ms > ?2), 0) AS begun
          FROM retrain_run WHERE model = ?1 AND state <> 'expired'`,
        model,
        now - DAY_MS,
      )!;
      // What failed before it had trained has used no labels up.
      const trained = reader.get<{ labels: number }>(
        `SELECT labels FROM retrain_run JOIN retrain_step ON run = id
          WHERE model = ? AND step = 'train' AND retrain_step.ended_ms IS NOT NULL
          ORDER BY begun_ms DESC, id LIMIT 1`,
        model,
      );
      return {
        lastEndedMs: row.ended ?? undefined,
        begunWithinDay: row.begun,
        labelsBefore: trained?.labels,
      };
    });
  }

  /** @returns the retraining that answered all of these alerts, the newest; undefined where one is new */
  answerOf(
    alerts: readonly DecidedAlert[],
  ): { id: string; endedMs: number | undefined } | undefined {
    return this.#database.read((reader) => {
      const runs = alerts.map(({ fingerprint, startsAt }) =>
        reader.get<{ id: string; state: RunState; begun_ms: number; ended_ms: number | null }>(
          `SELECT id, state, begun_ms, ended_ms FROM retrain_answer JOIN retrain_run ON id = run
            WHERE fingerprint = ? AND starts_at = ?`,
          fingerprint,
          startsAt,
        )
      );
      // One that failed has answered nothing: the same alert may ask again.
      const answered = runs.filter((run) => run !== undefined && !ANSWERS_NOTHING.has(run.state));
      if (answered.length < alerts.length) return undefined;
      const newest = answered.toSorted((a, b) => b!.begun_ms - a!.begun_ms)[0]!;
      return { id: newest.id, endedMs: newest.ended_ms ?? undefined };
    });
  }

  /** @returns undefined where no decision has that id */
  find(id: string): DecisionRecord | undefined {
    return this.#database.read((reader) => {
      const row = reader.get<DecisionRow>("SELECT * FROM retrain_decision WHERE id = ?", id);
      return row === undefined ? undefined : toDecision(reader, row);
    });
  }

  /** @returns decisions, the newest first */
  list({ model, limit }: { model?: string | undefined; limit: number }): DecisionRecord[] {
    return this.#database.read((reader) =>
      reader.all<DecisionRow>(
        `SELECT * FROM retrain_decision WHERE ?1 IS NULL OR model = ?1
          ORDER BY last_ms DESC, id LIMIT ?2`,
        model ?? null,
        limit,
      ).map((row) => toDecision(reader, row))
    );
  }

  counts(): DecisionCount[] {
    return this.#database.read((reader) =>
      reader.all<{ model: string; decision: string; count: number }>(
        "SELECT model, decision, count FROM retrain_count ORDER BY model, decision LIMIT 100000",
      ).map((row) => ({ ...row }))
    );
  }

  /** @returns when the last training of each model ended well, milliseconds since the epoch */
  lastTrainings(): { model: string; endedMs: number }[] {
    return this.#database.read((reader) =>
      reader.all<{ model: string; ended: number }>(
        `SELECT model, max(retrain_step.ended_ms) AS ended FROM retrain_step
          JOIN retrain_run ON id = run WHERE step = 'train' AND retrain_step.ended_ms IS NOT NULL
          GROUP BY model LIMIT 100000`,
      ).map(({ model, ended }) => ({ model, endedMs: ended }))
    );
  }

  #setState(id: string, state: RunState): void {
    this.#database.transaction((tx) => {
      tx.run("UPDATE retrain_run SET state = ? WHERE id = ? AND ended_ms IS NULL", state, id);
    });
  }
}

function endRun(
  tx: Transaction,
  id: string,
  now: number,
  { end, reason }: { end: RunEnd; reason: string },
): void {
  const run = tx.get<{ model: string }>("SELECT model FROM retrain_run WHERE id = ?", id);
  const { changes } = tx.run(
    "UPDATE retrain_run SET state = ?, reason = ?, ended_ms = ? WHERE id = ? AND ended_ms IS NULL",
    ...[end, reason.slice(0, 2000), now, id],
  );
  if (run !== undefined && changes > 0) count(tx, { model: run.model, decision: end, by: 1 });
}

const ANSWERS_NOTHING: ReadonlySet<RunState> = new Set(["failed", "expired"]);

function count(
  tx: Transaction,
  { model, decision, by }: { model: string; decision: string; by: 0 | 1 },
): void {
  tx.run(
    `INSERT INTO retrain_count VALUES (?1, ?2, ?3)
      ON CONFLICT (model, decision) DO UPDATE SET count = count + ?3`,
    ...[model, decision, by],
  );
}

/** Alertmanager repeats itself: the same alerts with the same decision are told once. */
function repeat(tx: Transaction, decision: NewDecision): string | undefined {
  const last = tx.get<{ id: string; decision: string }>(
    `SELECT id, decision FROM retrain_decision WHERE model = ? AND alert_key = ?
      ORDER BY last_ms DESC, id LIMIT 1`,
    ...[decision.model, keyOf(decision.alerts)],
  );
  if (last === undefined || last.decision !== decision.decision) return undefined;
  tx.run(
    "UPDATE retrain_decision SET last_ms = ?, times = times + 1, reason = ?, brakes = ? WHERE id = ?",
    ...[decision.now, decision.reason, JSON.stringify(decision.brakes), last.id],
  );
  return last.id;
}

function keyOf(alerts: readonly DecidedAlert[]): string {
  return alerts.map(({ fingerprint, startsAt }) => `${fingerprint} ${startsAt}`).toSorted().join();
}

function insertDecision(tx: Transaction, decision: NewDecision): void {
  const { id, model, reason, alerts, brakes, now } = decision;
  tx.run(
    "INSERT INTO retrain_decision VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 1)",
    ...[id, model, decision.decision, reason, JSON.stringify(alerts), keyOf(alerts)],
    ...[JSON.stringify(brakes), now, now],
  );
}

function insertRun(tx: Transaction, decision: NewDecision): void {
  const { id, model, alerts, now, labels = 0 } = decision;
  const state: RunState = decision.decision === "pending" ? "pending" : "queued";
  tx.run(
    "INSERT INTO retrain_run VALUES (?, ?, ?, '', ?, ?, NULL)",
    ...[id, model, state, labels, now],
  );
  for (const { fingerprint, startsAt } of alerts) {
    tx.run("INSERT OR REPLACE INTO retrain_answer VALUES (?, ?, ?)", fingerprint, startsAt, id);
  }
}

function prune(tx: Transaction): void {
  tx.run(
    `DELETE FROM retrain_decision WHERE id IN (SELECT id FROM retrain_decision
      WHERE id NOT IN (SELECT id FROM retrain_run) ORDER BY last_ms DESC LIMIT -1 OFFSET ?)`,
    LIMITS.retrainDecisionsMax,
  );
}

interface RunRow {
  readonly id: string;
  readonly model: string;
  readonly state: RunState;
  readonly reason: string;
  readonly labels: number;
  readonly begun_ms: number;
  readonly ended_ms: number | null;
}

function toRun(reader: Reader, row: RunRow): RunRecord {
  const { id, model, state, reason, labels, begun_ms, ended_ms } = row;
  const steps = reader.all<{
    step: StepName;
    attempts: number;
    started_ms: number;
    ended_ms: number | null;
    facts: string;
  }>("SELECT * FROM retrain_step WHERE run = ? ORDER BY rowid LIMIT 10", id);
  return {
    ...{ id, model, state, reason, labels, begunMs: begun_ms, endedMs: ended_ms ?? undefined },
    steps: steps.map((step): StepRecord => ({
      step: step.step,
      attempts: step.attempts,
      startedMs: step.started_ms,
      endedMs: step.ended_ms ?? undefined,
      facts: JSON.parse(step.facts),
    })),
  };
}

interface DecisionRow {
  readonly id: string;
  readonly model: string;
  readonly decision: DecisionName;
  readonly reason: string;
  readonly alerts: string;
  readonly brakes: string;
  readonly first_ms: number;
  readonly last_ms: number;
  readonly times: number;
}

function toDecision(reader: Reader, row: DecisionRow): DecisionRecord {
  const { id, model, decision, reason, alerts, brakes, first_ms, last_ms, times } = row;
  const run = reader.get<RunRow>("SELECT * FROM retrain_run WHERE id = ?", id);
  return {
    ...{ id, model, decision, reason, firstMs: first_ms, lastMs: last_ms, times },
    alerts: JSON.parse(alerts),
    brakes: JSON.parse(brakes),
    run: run === undefined ? undefined : toRun(reader, run),
  };
}
