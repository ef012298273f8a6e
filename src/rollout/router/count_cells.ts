import { assert } from "../../core/mod.ts";
import { type Arm, COUNTED, type Counted, type SyncRequest } from "../sync.ts";

/** What a data isolate writes for each cell; `started` is serin's own, the others are sent on. */
const FIELDS = ["started", ...COUNTED] as const;

/** A name of a cell's field. */
export type CellField = typeof FIELDS[number];

const FIELD_INDEX = Object.fromEntries(FIELDS.map((field, i) => [field, i])) as Record<
  CellField,
  number
>;

/**
 * How many (rollout, step, arm) one process counts at once; those of the rollout that was counted
 * longest ago are used again.
 */
export const CELLS_MAX = 1024;

/**
 * The counts of one data isolate, in memory that it shares with the main isolate: a dying isolate
 * cannot take its evidence along.
 */
export class CountCells {
  readonly buffer: SharedArrayBuffer;
  /** 32 bits would be full after some days of a busy isolate: steps may last 30. */
  readonly #counts: BigInt64Array;

  constructor(buffer = new SharedArrayBuffer(CELLS_MAX * FIELDS.length * 8)) {
    this.buffer = buffer;
    this.#counts = new BigInt64Array(buffer);
  }

  /** Adds one. */
  count(cell: number, field: CellField): void {
    Atomics.add(this.#counts, cell * FIELDS.length + FIELD_INDEX[field], 1n);
  }

  /** @returns the count */
  read(cell: number, field: CellField): number {
    return Number(Atomics.load(this.#counts, cell * FIELDS.length + FIELD_INDEX[field]));
  }

  /** Sets a cell back to zero, before it is given to another rollout. */
  clear(cell: number): void {
    for (let i = 0; i < FIELDS.length; i++) {
      Atomics.store(this.#counts, cell * FIELDS.length + i, 0n);
    }
  }
}

interface CellKey {
  readonly rollout: string;
  readonly step: number;
  readonly arm: Arm;
}

/**
 * The main isolate's book of the cells: which cell counts what, over all data isolates, those that
 * died included.
 */
export class CountLedger {
  readonly #cells = new Map<
    string,
    { key: CellKey; cell: number; retired: Map<Counted, number> }
  >();
  /** The one that was counted last stands last. */
  readonly #rollouts = new Set<string>();
  readonly #free = Array.from({ length: CELLS_MAX }, (_, i) => CELLS_MAX - 1 - i);
  readonly #isolates = new Set<CountCells>();

  /** Registers a data isolate's memory. */
  add(cells: CountCells): void {
    this.#isolates.add(cells);
  }

  /** @returns the cell that counts this; the same for every isolate */
  cellOf(rollout: string, step: number, arm: Arm): number {
    const id = `${rollout}/${step}/${arm}`;
    this.#rollouts.delete(rollout);
    this.#rollouts.add(rollout);
    const known = this.#cells.get(id);
    if (known !== undefined) return known.cell;
    if (this.#free.length === 0) this.#freeOldest(rollout);
    const cell = this.#free.pop();
    assert(cell !== undefined, `one rollout has more than ${CELLS_MAX} steps and arms`);
    for (const isolate of this.#isolates) isolate.clear(cell);
    this.#cells.set(id, { key: { rollout, step, arm }, cell, retired: new Map() });
    return cell;
  }

  /**
   * Takes a dead isolate's counts over. What it left unfinished was cut off: an error of its arm.
   *
   * @returns the arms that had an unfinished request, with how many
   */
  retire(cells: CountCells): { rollout: string; arm: Arm; unfinished: number }[] {
    this.#isolates.delete(cells);
    const cutOff: { rollout: string; arm: Arm; unfinished: number }[] = [];
    for (const { key, cell, retired } of this.#cells.values()) {
      const keep = (field: Counted, count: number) =>
        retired.set(field, (retired.get(field) ?? 0) + count);
      for (const field of COUNTED) keep(field, cells.read(cell, field));
      const unfinished = Math.max(0, cells.read(cell, "started") - cells.read(cell, "requests"));
      if (unfinished === 0) continue;
      keep("requests", unfinished);
      keep("errors", unfinished);
      keep("isolate_deaths", 1);
      cutOff.push({ rollout: key.rollout, arm: key.arm, unfinished });
    }
    return cutOff;
  }

  /** @returns the totals of this process since its start, for the sync */
  totals(): SyncRequest["counts"] {
    return [...this.#cells.values()].map(({ key, cell, retired }) => {
      const totals: Partial<Record<Counted, number>> = {};
      for (const field of COUNTED) {
        let total = retired.get(field) ?? 0;
        for (const isolate of this.#isolates) total += isolate.read(cell, field);
        if (total > 0) totals[field] = total;
      }
      return { ...key, totals };
    }).filter(({ totals }) => Object.keys(totals).length > 0);
  }

  /** Rollouts that run ask for their cells at each sync: the first has ended, or is the only one. */
  #freeOldest(current: string): void {
    const [oldest] = this.#rollouts;
    if (oldest === current) return;
    this.#rollouts.delete(oldest);
    for (const [id, { key, cell }] of this.#cells) {
      if (key.rollout !== oldest) continue;
      this.#cells.delete(id);
      this.#free.push(cell);
    }
  }
}
