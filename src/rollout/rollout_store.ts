import type { Reader, Transaction } from "../database/mod.ts";
import { emptyTotals, type Evidence, type StepTotals, type Total, TOTALS } from "./evidence.ts";
import { type RolloutPlan, rolloutPlanSchema } from "./plan.ts";
import type { Phase, RolloutState } from "./rollout_state.ts";
import type { Arm } from "./sync.ts";

/** What is still to be done to the aliases after a decision. */
export type AliasChange = "promote" | "remove_challenger";

/** A rollout as it is stored. */
export interface StoredRollout {
  readonly id: string;
  readonly model: string;
  /** The served alias; the canary's is `challenger`. */
  readonly alias: string;
  readonly stable: string;
  readonly canary: string;
  readonly salt: string;
  readonly plan: RolloutPlan;
  readonly state: RolloutState;
  readonly active: boolean;
  readonly endedAt: number | undefined;
  /** The sentence with which it ended. */
  readonly verdict: string | undefined;
  readonly aliasChange: AliasChange | undefined;
}

interface RolloutRow {
  id: string;
  model: string;
  alias: string;
  stable: string;
  canary: string;
  salt: string;
  plan: string;
  state: string;
  active: number;
  ended_at: number | null;
  verdict: string | null;
  alias_change: AliasChange | null;
}

const COLUMNS =
  "id, model, alias, stable, canary, salt, plan, state, active, ended_at, verdict, alias_change";

function toRollout(row: RolloutRow): StoredRollout {
  return {
    id: row.id,
    model: row.model,
    alias: row.alias,
    stable: row.stable,
    canary: row.canary,
    salt: row.salt,
    plan: rolloutPlanSchema.parse(JSON.parse(row.plan)),
    state: JSON.parse(row.state) as RolloutState,
    active: row.active === 1,
    endedAt: row.ended_at ?? undefined,
    verdict: row.verdict ?? undefined,
    aliasChange: row.alias_change ?? undefined,
  };
}

/** @returns the rollout of that id */
export function findRollout(reader: Reader, id: string): StoredRollout | undefined {
  const row = reader.get<RolloutRow>(`SELECT ${COLUMNS} FROM rollout WHERE id = ?`, id);
  return row && toRollout(row);
}

/** @returns the rollouts that run, all of them */
export function runningRollouts(reader: Reader): StoredRollout[] {
  return reader.all<RolloutRow>(`SELECT ${COLUMNS} FROM rollout WHERE active = 1 LIMIT 10000`)
    .map(toRollout);
}

/** @returns the newest rollouts first */
export function newestRollouts(reader: Reader, limit: number): StoredRollout[] {
  return reader.all<RolloutRow>(
    `SELECT ${COLUMNS} FROM rollout ORDER BY started_at DESC, id LIMIT ?`,
    limit,
  ).map(toRollout);
}

/** @returns decided rollouts whose aliases were not changed yet */
export function pendingRollouts(reader: Reader): StoredRollout[] {
  return reader.all<RolloutRow>(
    `SELECT ${COLUMNS} FROM rollout WHERE alias_change IS NOT NULL ORDER BY ended_at LIMIT 1000`,
  ).map(toRollout);
}

/** Writes a new, running rollout. */
export function insertRollout(
  tx: Transaction,
  rollout: Pick<
    StoredRollout,
    "id" | "model" | "alias" | "stable" | "canary" | "salt" | "plan" | "state"
  >,
): void {
  tx.run(
    `INSERT INTO rollout (id, model, alias, stable, canary, salt, plan, state, phase, active,
      started_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 1, ?)`,
    rollout.id,
    rollout.model,
    rollout.alias,
    rollout.stable,
    rollout.canary,
    rollout.salt,
    JSON.stringify(rollout.plan),
    JSON.stringify(rollout.state),
    rollout.state.phase,
    rollout.state.startedAt,
  );
}

/** Writes the state of a rollout that goes on. */
export function updateState(tx: Transaction, id: string, state: RolloutState): void {
  tx.run(
    "UPDATE rollout SET state = ?, phase = ? WHERE id = ?",
    JSON.stringify(state),
    state.phase,
    id,
  );
}

/** Ends a rollout: from now on replicas' counts of it are dropped. */
export function endRollout(
  tx: Transaction,
  id: string,
  end: { state: RolloutState; verdict: string; now: number; aliasChange: AliasChange | undefined },
): void {
  tx.run(
    `UPDATE rollout SET state = ?, phase = ?, active = 0, ended_at = ?, verdict = ?,
      alias_change = ? WHERE id = ?`,
    JSON.stringify(end.state),
    end.state.phase,
    end.now,
    end.verdict,
    end.aliasChange ?? null,
    id,
  );
  tx.run("DELETE FROM rollout_replica_total WHERE rollout = ?", id);
  tx.run(`DELETE FROM rollout_replica WHERE NOT EXISTS (SELECT 1 FROM rollout_replica_total AS t
    WHERE t.replica = rollout_replica.replica AND t.incarnation = rollout_replica.incarnation)`);
}

/** The aliases of a rollout's model are as the decision wants them. */
export function clearAliasChange(tx: Transaction, id: string): void {
  tx.run("UPDATE rollout SET alias_change = NULL WHERE id = ?", id);
}

/** @returns a rollout's totals, one entry a step of its plan */
export function readTotals(reader: Reader, { id, plan }: StoredRollout): StepTotals[] {
  const totals = emptyTotals(plan.steps.length);
  const rows = reader.all<{ step: number; arm: Arm; total: Total; value: number }>(
    "SELECT step, arm, total, value FROM rollout_total WHERE rollout = ? LIMIT 10000",
    id,
  );
  for (const { step, arm, total, value } of rows) {
    if (step < totals.length && TOTALS.includes(total)) totals[step][arm][total] = value;
  }
  return totals;
}

/** Lets a total grow. */
export function addTotal(
  tx: Transaction,
  rollout: string,
  { step, arm, total, growth }: { step: number; arm: string; total: string; growth: number },
): void {
  tx.run(
    `INSERT INTO rollout_total VALUES (?, ?, ?, ?, ?)
      ON CONFLICT DO UPDATE SET value = value + excluded.value`,
    rollout,
    step,
    arm,
    total,
    growth,
  );
}

/** One moment of a rollout. */
export interface HistoryPoint {
  readonly at: number;
  readonly step: number;
  readonly share: number;
  readonly logImmediate: number;
  readonly logLabels: number;
}

/** The closest two points of a history; they grow apart with the rollout's age. */
const HISTORY_MS_MIN = 1000;
const HISTORY_POINTS_MAX = 4096;

/**
 * Adds a point to a rollout's history, at most each second and each 1/256 of its age (so that 30
 * days have some 2,600 points); a change of the state is always a point.
 */
export function addHistory(
  tx: Transaction,
  rollout: StoredRollout,
  point: { now: number; state: RolloutState; share: number; evidence: Evidence; always: boolean },
): void {
  const { now, state, share, evidence, always } = point;
  const last = tx.get<{ at: number | null }>(
    "SELECT max(at) AS at FROM rollout_history WHERE rollout = ?",
    rollout.id,
  )?.at ?? -Infinity;
  const apart = Math.max(HISTORY_MS_MIN, (now - state.startedAt) / 256);
  if (!always && now - last < apart) return;
  tx.run(
    "INSERT OR REPLACE INTO rollout_history VALUES (?, ?, ?, ?, ?, ?)",
    rollout.id,
    now,
    state.step,
    share,
    evidence.logImmediate,
    evidence.logLabels,
  );
}

/** @returns the oldest point first */
export function readHistory(reader: Reader, id: string): HistoryPoint[] {
  return reader.all<
    { at: number; step: number; share: number; log_immediate: number; log_labels: number }
  >(
    `SELECT at, step, share, log_immediate, log_labels FROM rollout_history WHERE rollout = ?
      ORDER BY at DESC LIMIT ?`,
    id,
    HISTORY_POINTS_MAX,
  ).map(({ at, step, share, log_immediate, log_labels }) => ({
    at,
    step,
    share,
    logImmediate: log_immediate,
    logLabels: log_labels,
  })).reverse();
}

/** Aliases as they were last seen. */
export interface ObservedAliases {
  readonly stable: string | null;
  readonly challenger: string | null;
}

/** @returns undefined before the first look */
export function readObserved(
  reader: Reader,
  model: string,
  alias: string,
): ObservedAliases | undefined {
  return reader.get<{ stable: string | null; challenger: string | null }>(
    "SELECT stable, challenger FROM rollout_observed WHERE model = ? AND alias = ?",
    model,
    alias,
  );
}

/** Remembers what was seen; a rollout begins by itself only when the challenger changes. */
export function writeObserved(
  tx: Transaction,
  model: string,
  alias: string,
  { stable, challenger }: ObservedAliases,
): void {
  tx.run(
    `INSERT INTO rollout_observed VALUES (?, ?, ?, ?)
      ON CONFLICT DO UPDATE SET stable = excluded.stable, challenger = excluded.challenger`,
    model,
    alias,
    stable,
    challenger,
  );
}

/** Keeps the plan that the next rollout of a version gets. */
export function writePlanned(
  tx: Transaction,
  model: string,
  canary: string,
  plan: RolloutPlan,
): void {
  tx.run(
    "INSERT OR REPLACE INTO rollout_planned VALUES (?, ?, ?)",
    model,
    canary,
    JSON.stringify(plan),
  );
}

/** @returns the plan that was kept for a version, once */
export function takePlanned(
  tx: Transaction,
  model: string,
  canary: string,
): RolloutPlan | undefined {
  const row = tx.get<{ plan: string }>(
    "SELECT plan FROM rollout_planned WHERE model = ? AND canary = ?",
    model,
    canary,
  );
  if (row === undefined) return undefined;
  tx.run("DELETE FROM rollout_planned WHERE model = ? AND canary = ?", model, canary);
  return rolloutPlanSchema.parse(JSON.parse(row.plan));
}

/**
 * How many rollouts ended how, by model. One that a person decided after it was inconclusive is both:
 * what is counted never goes back.
 */
export function decisionCounts(
  reader: Reader,
): { model: string; phase: Phase; count: number }[] {
  return reader.all<{ model: string; phase: Phase; count: number }>(
    `SELECT model, phase, count(*) AS count FROM (
      SELECT model, phase FROM rollout WHERE active = 0
      UNION ALL SELECT model, 'inconclusive' FROM rollout
        WHERE active = 0 AND json_extract(state, '$.wasInconclusive') = 1
    ) GROUP BY model, phase ORDER BY model, phase LIMIT 10000`,
  ).map((row) => ({ ...row }));
}
