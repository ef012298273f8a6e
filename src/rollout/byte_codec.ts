/**
 * Bytes into a fixed buffer. Past its end nothing is written and `overflowed` is set, so that a
 * caller tries a shorter form instead of checking every write.
 */
export class ByteWriter {
  readonly #bytes: Uint8Array;
  readonly #encoder = new TextEncoder();
  #length = 0;
  overflowed = false;

  constructor(capacity: number) {
    this.#bytes = new Uint8Array(capacity);
  }

  /** Begins again at `length`, which an earlier {@linkcode ByteWriter.length} gave. */
  rewind(length: number): void {
    this.#length = length;
    this.overflowed = false;
  }

  get length(): number {
    return this.#length;
  }

  /** @returns a view, valid until the next rewind */
  get written(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  byte(value: number): void {
    if (this.#length >= this.#bytes.length) this.overflowed = true;
    else this.#bytes[this.#length++] = value;
  }

  /** A whole number from 0 to 2^53, seven bits a byte. */
  varint(value: number): void {
    let rest = value;
    while (rest >= 0x80) {
      this.byte((rest % 0x80) | 0x80);
      rest = Math.floor(rest / 0x80);
    }
    this.byte(rest);
  }

  /** UTF-8 after its length. */
  text(value: string): void {
    const encoded = this.#encoder.encode(value);
    this.varint(encoded.length);
    this.bytes(encoded);
  }

  bytes(value: Uint8Array): void {
    if (this.#length + value.length > this.#bytes.length) {
      this.overflowed = true;
      return;
    }
    this.#bytes.set(value, this.#length);
    this.#length += value.length;
  }

  float32(value: number): void {
    FLOAT[0] = value;
    this.bytes(FLOAT_BYTES);
  }
}

const FLOAT = new Float32Array(1);
const FLOAT_BYTES = new Uint8Array(FLOAT.buffer);

/** Reads what {@linkcode ByteWriter} wrote; throws a RangeError past the end. */
export class ByteReader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get done(): boolean {
    return this.#at === this.#bytes.length;
  }

  byte(): number {
    if (this.#at >= this.#bytes.length) throw new RangeError("past the end");
    return this.#bytes[this.#at++];
  }

  varint(): number {
    let value = 0, scale = 1;
    for (let i = 0; i < 8; i++) {
      const byte = this.byte();
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
      scale *= 0x80;
    }
    throw new RangeError("a number is too long");
  }

  text(): string {
    return new TextDecoder("utf-8", { fatal: true }).decode(this.bytes(this.varint()));
  }

  bytes(length: number): Uint8Array {
    if (this.#at + length > this.#bytes.length) throw new RangeError("past the end");
    return this.#bytes.subarray(this.#at, this.#at += length);
  }

  float32(): number {
    FLOAT_BYTES.set(this.bytes(4));
    return FLOAT[0];
  }
}
