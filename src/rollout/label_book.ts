import { LIMITS } from "../core/mod.ts";
import type { Reader, Transaction } from "../database/mod.ts";
import { type LabelTally, pruneQuality } from "./quality_book.ts";
import { addTotal } from "./rollout_store.ts";
import type { LABEL_REFUSALS, LabelsRequest } from "./sync.ts";
import { isWrong, mayBeClass, openToken, type PredictionToken } from "./token.ts";

type Refusal = typeof LABEL_REFUSALS[number];
type Label = LabelsRequest["labels"][number];

/** A clock of a sealing machine may be this much ahead. */
const CLOCK_AHEAD_MS_MAX = 10 * 60 * 1000;
const PRUNED_AT_ONCE = 20_000;

/** A label that was refused, and why. */
export interface RefusedLabel {
  readonly code: Refusal;
  readonly message: string;
}

/** Labels of a model's version: rows, not assignments. For watching quality, not for the test. */
export interface LabelQuality {
  readonly model: string;
  readonly version: string;
  readonly labelled: number;
  readonly wrong: number;
}

/** A label whose prediction is known. */
export interface MatchedLabel {
  readonly token: PredictionToken;
  readonly row: number;
  readonly label: Label["label"];
  readonly predicted: number | string;
}

/** Opens a label's token. Needs no database. */
export function matchLabel(
  { prediction, row, label }: Label,
  now: number,
  findKey: (id: string) => Uint8Array | undefined,
): MatchedLabel | RefusedLabel {
  const token = openToken(prediction, findKey);
  if (token === "invalid_token") {
    return refuse(
      token,
      "it is no token of this registry, or damaged (serve without --registry makes new keys at each start)",
    );
  }
  if (token === "unknown_key") return refuse(token, "its key is not known, or too old");
  const age = now - token.time;
  if (age > LIMITS.labelHorizonMs || age < -CLOCK_AHEAD_MS_MAX) {
    return refuse("expired", `it was answered at ${new Date(token.time).toISOString()}`);
  }
  if (row >= token.rows) {
    return refuse("row_out_of_range", `row ${row} of an answer with ${token.rows} rows`);
  }
  const predicted = token.predictions?.[row]?.label;
  if (predicted === undefined) {
    return refuse(
      "no_prediction",
      "its answer was too large, or no class, to be kept in the token",
    );
  }
  if (!mayBeClass(predicted, label)) {
    return refuse(
      "no_class",
      `${JSON.stringify(label)} can be no class of a model that predicts numbers (${predicted}): ` +
        "send the number that stands for it in training",
    );
  }
  return { token, row, label, predicted };
}

/**
 * Counts one label: for the version's quality, and where its assignment belongs to a running
 * rollout and has no sticky key, for the test: the first label of an assignment as labelled, its
 * first wrong one as wrong.
 *
 * @param to.stepsOf how many steps each running rollout has
 * @param to.tally takes it up for the version's quality; written by the caller, in the same transaction
 * @returns the rollout whose totals grew, undefined for none, or the refusal
 */
export function countLabel(
  tx: Transaction,
  matched: MatchedLabel,
  { stepsOf, tally }: { stepsOf: ReadonlyMap<string, number>; tally: LabelTally },
): { rollout: string | undefined } | RefusedLabel {
  const { token, row, label, predicted } = matched, wrong = isWrong(predicted, label);
  const expiresAt = token.time + LIMITS.labelHorizonMs, text = canonical(predicted, label);
  const known = tx.get<{ label: string }>(
    "SELECT label FROM rollout_label WHERE nonce = ? AND row = ?",
    token.nonce,
    row,
  );
  if (known !== undefined) {
    if (known.label === text) return { rollout: undefined };
    return refuse("already_labelled", `row ${row} was labelled ${JSON.stringify(known.label)}`);
  }
  tx.run("INSERT INTO rollout_label VALUES (?, ?, ?, ?)", token.nonce, row, text, expiresAt);
  tally.add({ model: token.model, version: token.version, time: token.time, wrong });
  const { rollout, keyHash, step } = token;
  if (rollout === undefined || keyHash !== undefined) return { rollout: undefined };
  if (step >= (stepsOf.get(rollout) ?? 0)) return { rollout: undefined };
  return { rollout: countAssignment(tx, token, wrong, expiresAt) ? rollout : undefined };
}

function countAssignment(
  tx: Transaction,
  { nonce, rollout, step, arm }: PredictionToken,
  wrong: boolean,
  expiresAt: number,
): boolean {
  const known = tx.get<{ wrong: number }>(
    "SELECT wrong FROM rollout_labelled WHERE nonce = ?",
    nonce,
  );
  if (known !== undefined && (known.wrong === 1 || !wrong)) return false;
  tx.run(
    `INSERT INTO rollout_labelled VALUES (?, ?, ?)
      ON CONFLICT DO UPDATE SET wrong = excluded.wrong`,
    nonce,
    Number(wrong),
    expiresAt,
  );
  const cell = { step, arm, growth: 1 };
  if (known === undefined) addTotal(tx, rollout!, { ...cell, total: "labelled" });
  if (wrong) addTotal(tx, rollout!, { ...cell, total: "wrong" });
  return true;
}

/** Forgets labels whose predictions may not be labelled any more, some at a time. */
export function pruneLabels(tx: Transaction, now: number): void {
  const expired = (table: string, key: string) =>
    `DELETE FROM ${table} WHERE (${key}) IN
      (SELECT ${key} FROM ${table} WHERE expires_at < ? LIMIT ${PRUNED_AT_ONCE})`;
  tx.run(expired("rollout_label", "nonce, row"), now);
  tx.run(expired("rollout_labelled", "nonce"), now);
  pruneQuality(tx, now);
}

/** @returns label counts of every version that has any */
export function labelQuality(reader: Reader): LabelQuality[] {
  return reader.all<LabelQuality>(
    `SELECT model, version, labelled, wrong FROM rollout_quality
      ORDER BY model, version LIMIT 10000`,
  ).map((row) => ({ ...row }));
}

/** Labels that mean the same class are the same label. */
function canonical(predicted: number | string, label: Label["label"]): string {
  if (typeof predicted === "string") return String(label);
  const same = !isWrong(predicted, label);
  const number = typeof label === "string" && label.trim() !== "" ? Number(label) : label;
  return same ? String(predicted) : String(Number.isNaN(number) ? label : Number(number));
}

function refuse(code: Refusal, message: string): RefusedLabel {
  return { code, message };
}
