import {
  EPOCH,
  PARTS,
  partStart,
  ROWS,
  type SketchLayout,
  TOTAL_HIGH,
  TOTAL_LOW,
} from "./sketch_layout.ts";

const WORD = 2 ** 32;

/**
 * Adds what one sketch counted to another of the same layout: stretch of time by stretch of time, so
 * that what is merged leaves with the rest. The newest {@linkcode PARTS} stretches stay.
 */
export function mergeSketch(layout: SketchLayout, sum: Uint32Array, more: Uint32Array): void {
  for (let part = 0; part < PARTS; part++) {
    const start = partStart(layout, part), end = start + layout.partWords;
    const epoch = Atomics.load(more, start + EPOCH);
    if (epoch === 0 || epoch < sum[start + EPOCH]) continue;
    const counted = more.slice(start, end);
    // Its isolate began the part anew while it was copied.
    if (Atomics.load(more, start + EPOCH) !== epoch) continue;
    if (epoch > sum[start + EPOCH]) sum.set(counted, start);
    else for (let i = ROWS; i < counted.length; i++) sum[start + i] += counted[i];
  }
  const low = sum[TOTAL_LOW] + more[TOTAL_LOW];
  sum[TOTAL_LOW] = low;
  sum[TOTAL_HIGH] += more[TOTAL_HIGH] + (low >= WORD ? 1 : 0);
}

/** A sketch's counts over its window. */
export interface WindowCounts {
  /** Rows since the start, those that left the window included. */
  readonly rowsTotal: number;
  /** One part's words, added up over the parts of the window. */
  readonly words: Float64Array;
}

/** Adds up the parts that count the last {@linkcode PARTS} stretches of time, the running one included. */
export function windowCounts(
  layout: SketchLayout,
  sketch: Uint32Array,
  { now, partMs }: { now: number; partMs: number },
): WindowCounts {
  const words = new Float64Array(layout.partWords), current = Math.floor(now / partMs);
  for (let part = 0; part < PARTS; part++) {
    const start = partStart(layout, part), epoch = sketch[start + EPOCH];
    if (epoch <= current - PARTS || epoch > current) continue;
    for (let i = ROWS; i < words.length; i++) words[i] += sketch[start + i];
  }
  return { rowsTotal: sketch[TOTAL_HIGH] * WORD + sketch[TOTAL_LOW], words };
}
