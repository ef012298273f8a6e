import type { PackedLabel } from "./label_block.ts";

const CAPACITY_MIN = 1024;

/**
 * Finds labels by prediction and row: 16 bytes a place, of which at least two fifths are free, and each
 * different text once. A million labels take some 50 MB.
 */
export class LabelIndex {
  /** Four words a place: the nonce, the row, and the text's number plus one (0: the place is free). */
  #places = new Uint32Array(4 * CAPACITY_MIN);
  #labels = 0;
  readonly #texts: string[] = [];
  readonly #numbers = new Map<string, number>();

  /** Takes a label up, unless its row has one: the first one counts. */
  add({ nonce, row, label }: PackedLabel): void {
    if (5 * this.#labels >= 3 * (this.#places.length / 4)) this.#grow();
    const first = wordAt(nonce, 0), second = wordAt(nonce, 4);
    const at = placeOf(this.#places, first, second, row);
    if (this.#places[at + 3] !== 0) return;
    let number = this.#numbers.get(label);
    if (number === undefined) {
      number = this.#texts.push(label);
      this.#numbers.set(label, number);
    }
    this.#places.set([first, second, row, number], at);
    this.#labels++;
  }

  /** @returns the label of a row of a prediction */
  find(nonce: Uint8Array, row: number): string | undefined {
    const at = placeOf(this.#places, wordAt(nonce, 0), wordAt(nonce, 4), row);
    return this.#texts[this.#places[at + 3] - 1];
  }

  #grow(): void {
    const before = this.#places, grown = new Uint32Array(2 * before.length);
    for (let at = 0; at < before.length; at += 4) {
      if (before[at + 3] === 0) continue;
      const to = placeOf(grown, before[at], before[at + 1], before[at + 2]);
      grown.set(before.subarray(at, at + 4), to);
    }
    this.#places = grown;
  }
}

/** @returns where it stands, or where it would; nonces are random, rows are not */
function placeOf(places: Uint32Array, first: number, second: number, row: number): number {
  const mask = places.length / 4 - 1;
  let place = (first ^ Math.imul(row, 0x9e3779b1)) & mask;
  for (;; place = (place + 1) & mask) {
    const at = 4 * place;
    if (places[at + 3] === 0) return at;
    if (places[at] === first && places[at + 1] === second && places[at + 2] === row) return at;
  }
}

function wordAt(bytes: Uint8Array, at: number): number {
  return (bytes[at] | bytes[at + 1] << 8 | bytes[at + 2] << 16 | bytes[at + 3] << 24) >>> 0;
}
