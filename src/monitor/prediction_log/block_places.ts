/** Where a block of a prediction log is. */
export interface BlockPlace {
  /** Which of several logs. */
  readonly log: number;
  readonly id: number;
  /** When its first answer was given, milliseconds since the epoch. */
  readonly firstMs: number;
}

const CAPACITY_MIN = 1024;

/** Places of blocks by time, in 18 bytes each (and 4 to sort them): a log may have millions. */
export class BlockPlaces {
  #firstMs = new Float64Array(CAPACITY_MIN);
  #ids = new Float64Array(CAPACITY_MIN);
  #logs = new Uint16Array(CAPACITY_MIN);
  #count = 0;

  /** Takes a place up; those of a log in the order of their ids. */
  add({ log, id, firstMs }: BlockPlace): void {
    if (this.#count === this.#ids.length) this.#grow();
    this.#firstMs[this.#count] = firstMs;
    this.#ids[this.#count] = id;
    this.#logs[this.#count++] = log;
  }

  /** The places by time; of one time, in the order in which they were added. */
  *inTime({ newestFirst = false }: { newestFirst?: boolean | undefined }): Generator<BlockPlace> {
    const order = new Uint32Array(this.#count).map((_, i) => i), firstMs = this.#firstMs;
    order.sort((a, b) => firstMs[a] - firstMs[b] || a - b);
    if (newestFirst) order.reverse();
    for (const at of order) {
      yield { log: this.#logs[at], id: this.#ids[at], firstMs: firstMs[at] };
    }
  }

  #grow(): void {
    const capacity = 2 * this.#ids.length;
    this.#firstMs = grown(this.#firstMs, new Float64Array(capacity));
    this.#ids = grown(this.#ids, new Float64Array(capacity));
    this.#logs = grown(this.#logs, new Uint16Array(capacity));
  }
}

function grown<T extends Float64Array | Uint16Array>(before: T, after: T): T {
  after.set(before);
  return after;
}
