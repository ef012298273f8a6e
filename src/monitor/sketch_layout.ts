import type { ColumnReference, ModelProfile } from "./model_profile.ts";

/** Parts of a window: with the n-th that begins, all that the part before the last n counted leaves. */
export const PARTS = 6;

/** What a column counts after its bins. */
export const NULLS = 0, BELOW = 1, ABOVE = 2, UNSEEN = 3;
const EXTRAS = 4;

/** Words before the parts: the rows since the start, high and low. */
export const TOTAL_HIGH = 0, TOTAL_LOW = 1;
const HEAD = 2;
/** Words of a part before its columns: which stretch of time it counts, its rows, those predicted. */
export const EPOCH = 0, ROWS = 1;
const PART_HEAD = 2;

/** Where a column's counts stand within a part. */
export interface ColumnPlace {
  readonly reference: ColumnReference;
  /** The first bin, counted in words from the part's start. */
  readonly at: number;
  readonly bins: number;
  /** The first of the counts after the bins. */
  readonly extras: number;
}

/**
 * How a version's sketch lies in memory, as unsigned 32-bit words: the same for all data isolates, as it
 * follows from the profile alone.
 */
export interface SketchLayout {
  readonly columns: readonly ColumnPlace[];
  readonly prediction: ColumnPlace | undefined;
  readonly partWords: number;
  readonly words: number;
}

/** Lays out the sketch of a version. */
export function layOutSketch(profile: ModelProfile): SketchLayout {
  let next = PART_HEAD;
  const place = (reference: ColumnReference): ColumnPlace => {
    const at = next, bins = reference.counts.length;
    next += bins + EXTRAS;
    return { reference, at, bins, extras: at + bins };
  };
  const columns = profile.columns.map(place);
  const prediction = profile.prediction && place(profile.prediction);
  return { columns, prediction, partWords: next, words: HEAD + PARTS * next };
}

/** @returns the word at which a part begins */
export function partStart(layout: SketchLayout, part: number): number {
  return HEAD + part * layout.partWords;
}
