import type { ModelProfile } from "./model_profile.ts";
import { BinSearch, type ColumnValues } from "./bin_search.ts";
import {
  EPOCH,
  layOutSketch,
  PARTS,
  partStart,
  ROWS,
  type SketchLayout,
  TOTAL_HIGH,
  TOTAL_LOW,
} from "./sketch_layout.ts";

/** An input of a request, as it goes into the engine. */
export interface ColumnInput {
  readonly name: string;
  readonly shape: readonly number[];
  readonly data: ColumnValues | readonly string[];
}

/** How a column is counted, and where. */
interface Counted {
  readonly at: number;
  readonly search: BinSearch;
}

/**
 * Counts the inputs and predictions of one version in one data isolate, in memory that the main isolate
 * reads: fixed in size, nothing is sent, and a dying isolate takes nothing along. Time is cut into parts
 * of equal length; {@linkcode PARTS} of them are kept, the oldest is overwritten.
 */
export class VersionSketch {
  readonly buffer: SharedArrayBuffer;
  readonly #words: Uint32Array;
  readonly #layout: SketchLayout;
  readonly #partMs: number;
  readonly #columns: ReadonlyMap<string, Counted>;
  readonly #prediction: Counted | undefined;
  /** By position among the inputs: a version's requests have the same ones each time. */
  #byPosition: (Counted | undefined)[] = [];
  #names: string[] = [];

  /** @param partMs length of a part; the window is {@linkcode PARTS} of them */
  constructor(profile: ModelProfile, partMs: number) {
    this.#layout = layOutSketch(profile);
    this.#partMs = partMs;
    this.buffer = new SharedArrayBuffer(this.#layout.words * Uint32Array.BYTES_PER_ELEMENT);
    this.#words = new Uint32Array(this.buffer);
    const { columns, prediction } = this.#layout;
    this.#columns = new Map(
      columns.map((
        { reference, at },
      ) => [reference.name, { at, search: new BinSearch(reference) }]),
    );
    this.#prediction = prediction &&
      { at: prediction.at, search: new BinSearch(prediction.reference) };
  }

  /**
   * Counts one request.
   *
   * @param scores the predicted probability (or number) of each row
   * @param now milliseconds since the epoch
   */
  observe(
    inputs: readonly ColumnInput[],
    rows: number,
    { scores, now }: { scores: Float32Array | undefined; now: number },
  ): void {
    const words = this.#words, part = this.#partAt(now);
    words[part + ROWS] += rows;
    for (let i = 0; i < inputs.length; i++) {
      const { name, data } = inputs[i];
      const column = this.#names[i] === name ? this.#byPosition[i] : this.#learn(i, inputs[i]);
      // A column has one value a row: what is wider is none that the profile describes.
      if (column === undefined || data.length !== rows) continue;
      column.search.count(words, part + column.at, data as ColumnValues, { rows });
    }
    if (this.#prediction !== undefined && scores?.length === rows) {
      this.#prediction.search.count(words, part + this.#prediction.at, scores, { rows });
    }
    const low = words[TOTAL_LOW] + rows;
    words[TOTAL_LOW] = low;
    if (low > 0xffffffff) words[TOTAL_HIGH]++;
  }

  #learn(position: number, { name, data }: ColumnInput): Counted | undefined {
    this.#names[position] = name;
    const column = Array.isArray(data) ? undefined : this.#columns.get(name);
    this.#byPosition[position] = column;
    return column;
  }

  /** @returns where the part of now begins; it is emptied first where it counted an older stretch */
  #partAt(now: number): number {
    const epoch = Math.floor(now / this.#partMs);
    const start = partStart(this.#layout, epoch % PARTS);
    if (this.#words[start + EPOCH] === epoch) return start;
    // Whoever reads meanwhile sees that this is no part, rather than half of one.
    Atomics.store(this.#words, start + EPOCH, 0);
    this.#words.fill(0, start + ROWS, start + this.#layout.partWords);
    Atomics.store(this.#words, start + EPOCH, epoch);
    return start;
  }
}
