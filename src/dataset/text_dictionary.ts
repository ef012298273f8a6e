/** The texts that mean "no value", in every column. */
export const MISSING_TEXTS: ReadonlySet<string> = new Set(["", "NA", "NaN", "nan", "null"]);

/** The start value of the hash that {@linkcode TextDictionary.find} takes (FNV-1a, 32 bits). */
export const HASH_START = 0x811c9dc5 | 0;
/** The factor of FNV-1a. */
export const HASH_FACTOR = 0x01000193;

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/**
 * The distinct byte strings of a column: an open-addressing table over one growing byte array, so
 * that a string seen before costs no allocation. Missing texts have the code -1.
 */
export class TextDictionary {
  /** The distinct texts that are not missing; the index is the code. */
  readonly texts: string[] = [];
  #slots = new Int32Array(1024).fill(-1);
  #hashes = new Int32Array(1024);
  #offsets = new Int32Array(1025);
  #codes = new Int32Array(1024);
  #bytes = new Uint8Array(16384);
  #entries = 0;

  /**
   * The code of `source[start, end)`, a new one where it was not seen before.
   *
   * @param hash FNV-1a of the same bytes
   * @throws {TypeError} where a new text is not valid UTF-8
   */
  find(source: Uint8Array, start: number, end: number, hash: number): number {
    const mask = this.#slots.length - 1, length = end - start;
    const slots = this.#slots, offsets = this.#offsets, bytes = this.#bytes;
    let slot = hash & mask;
    for (;;) {
      const entry = slots[slot];
      if (entry < 0) return this.#add(source.subarray(start, end), hash, slot);
      const offset = offsets[entry];
      if (this.#hashes[entry] === hash && offsets[entry + 1] - offset === length) {
        let i = 0;
        while (i < length && bytes[offset + i] === source[start + i]) i++;
        if (i === length) return this.#codes[entry];
      }
      slot = (slot + 1) & mask;
    }
  }

  #add(text: Uint8Array, hash: number, slot: number): number {
    const decoded = decoder.decode(text);
    const entry = this.#entries++;
    if (entry === this.#hashes.length) {
      this.#hashes = grown(this.#hashes, 2 * entry);
      this.#codes = grown(this.#codes, 2 * entry);
      this.#offsets = grown(this.#offsets, 2 * entry + 1);
    }
    const offset = this.#offsets[entry];
    if (offset + text.length > this.#bytes.length) {
      const larger = new Uint8Array(Math.max(2 * this.#bytes.length, offset + text.length));
      larger.set(this.#bytes);
      this.#bytes = larger;
    }
    this.#bytes.set(text, offset);
    this.#offsets[entry + 1] = offset + text.length;
    this.#hashes[entry] = hash;
    const code = MISSING_TEXTS.has(decoded) ? -1 : this.texts.push(decoded) - 1;
    this.#codes[entry] = code;
    this.#slots[slot] = entry;
    if (2 * this.#entries > this.#slots.length) this.#rehash();
    return code;
  }

  #rehash(): void {
    const slots = new Int32Array(2 * this.#slots.length).fill(-1), mask = slots.length - 1;
    for (let entry = 0; entry < this.#entries; entry++) {
      let slot = this.#hashes[entry] & mask;
      while (slots[slot] >= 0) slot = (slot + 1) & mask;
      slots[slot] = entry;
    }
    this.#slots = slots;
  }
}

/** FNV-1a over bytes, 32 bits signed. */
export function hashBytes(bytes: Uint8Array): number {
  let hash = HASH_START;
  for (let i = 0; i < bytes.length; i++) hash = Math.imul(hash ^ bytes[i], HASH_FACTOR);
  return hash;
}

function grown(array: Int32Array<ArrayBuffer>, length: number): Int32Array<ArrayBuffer> {
  const larger = new Int32Array(length);
  larger.set(array);
  return larger;
}
