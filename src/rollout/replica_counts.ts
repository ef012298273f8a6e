import { SerinError } from "../core/mod.ts";
import type { Reader, Transaction } from "../database/mod.ts";
import { addTotal } from "./rollout_store.ts";
import type { SyncRequest } from "./sync.ts";

/**
 * Adds what a replica's cumulative totals have grown by since its last sync to the totals of
 * running rollouts. A repeated or older sync adds nothing; counts of rollouts that ended, or that
 * this registry does not know, are dropped.
 *
 * @param stepsOf how many steps each running rollout has
 * @returns the rollouts whose totals grew
 * @throws {SerinError} conflict when a total of the same incarnation shrank
 */
export function countReplica(
  tx: Transaction,
  request: SyncRequest,
  stepsOf: ReadonlyMap<string, number>,
): Set<string> {
  const grown = new Set<string>();
  if (request.counts.length === 0 || request.sequence <= lastSequence(tx, request)) return grown;
  for (const { rollout, step, arm, totals } of request.counts) {
    if (step >= (stepsOf.get(rollout) ?? 0)) continue;
    for (const [total, value] of Object.entries(totals)) {
      const growth = replaceTotal(tx, request, [rollout, step, arm, total], value);
      if (growth === 0) continue;
      addTotal(tx, rollout, { step, arm, total, growth });
      grown.add(rollout);
    }
  }
  // Without growth an older sync could not do harm either: nothing is written then.
  if (grown.size > 0) rememberSequence(tx, request);
  return grown;
}

function lastSequence(reader: Reader, { replica, incarnation }: SyncRequest): number {
  const row = reader.get<{ sequence: number }>(
    "SELECT sequence FROM rollout_replica WHERE replica = ? AND incarnation = ?",
    replica,
    incarnation,
  );
  return row?.sequence ?? -1;
}

function rememberSequence(tx: Transaction, request: SyncRequest): void {
  tx.run(
    `INSERT INTO rollout_replica VALUES (?, ?, ?)
      ON CONFLICT (replica, incarnation) DO UPDATE SET sequence = excluded.sequence`,
    request.replica,
    request.incarnation,
    request.sequence,
  );
}

/** @returns by how much the replica's total grew */
function replaceTotal(
  tx: Transaction,
  request: SyncRequest,
  cell: readonly [rollout: string, step: number, arm: string, total: string],
  value: number,
): number {
  const { replica, incarnation } = request, [rollout, step, arm, total] = cell;
  const last = tx.get<{ value: number }>(
    `SELECT value FROM rollout_replica_total WHERE rollout = ? AND replica = ?
      AND incarnation = ? AND step = ? AND arm = ? AND total = ?`,
    rollout,
    replica,
    incarnation,
    step,
    arm,
    total,
  )?.value ?? 0;
  if (value === last) return 0;
  if (value < last) {
    throw new SerinError(
      "conflict",
      `Cannot count replica ${replica}: its total of ${total} (${arm}, step ${step}) went back ` +
        `from ${last} to ${value}`,
      { hint: "totals only grow within one incarnation: a new process needs a new incarnation" },
    );
  }
  tx.run(
    `INSERT INTO rollout_replica_total VALUES (?, ?, ?, ?, ?, ?, ?)
      ON CONFLICT DO UPDATE SET value = excluded.value`,
    rollout,
    replica,
    incarnation,
    step,
    arm,
    total,
    value,
  );
  return value - last;
}
