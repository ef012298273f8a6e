import { SerinError } from "../core/mod.ts";

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/**
 * Reads protobuf's wire format from a part of a byte array, without copying. Nothing is read outside
 * the part, whatever the bytes say; each error names the byte where the file stops making sense.
 */
export class WireReader {
  /** The number of the field that {@linkcode WireReader.next} found. */
  field = 0;
  /** Its wire type: 0 varint, 1 eight bytes, 2 length and bytes, 5 four bytes. */
  wireType = 0;
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #end: number;
  #position: number;

  constructor(bytes: Uint8Array, start = 0, end = bytes.length) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#position = start;
    this.#end = end;
  }

  /** Goes to the next field; its value must then be read or skipped. */
  next(): boolean {
    if (this.#position >= this.#end) return false;
    const start = this.#position;
    const tag = this.varint();
    this.field = Math.floor(tag / 8);
    this.wireType = tag % 8;
    if (this.field === 0 || tag >= 2 ** 32) this.#fail(start, "no field has such a number");
    if (this.wireType > 5 || this.wireType === 3 || this.wireType === 4) {
      this.#fail(start, `wire type ${this.wireType} is not one of protobuf 3`);
    }
    return true;
  }

  /** A varint as int64; beyond 2^53 it is rounded. */
  varint(): number {
    const start = this.#position;
    let low = 0, high = 0;
    for (let shift = 0; shift < 70; shift += 7) {
      if (this.#position >= this.#end) this.#fail(start, "the file ends within a number");
      const byte = this.#bytes[this.#position++];
      const bits = byte & 127;
      if (shift < 28) low += bits * 2 ** shift;
      else if (shift < 63) high += bits * 2 ** (shift - 28);
      else high += (bits & 1) * 2 ** 35;
      if (byte < 128) {
        // 28 bits below, 36 above; the highest is the sign of two's complement.
        return high >= 2 ** 35 ? (high - 2 ** 36) * 2 ** 28 + low : high * 2 ** 28 + low;
      }
    }
    return this.#fail(start, "a number is longer than ten bytes");
  }

  /** The content of a length-delimited field. */
  bytes(): Uint8Array {
    const { start, end } = this.#delimited();
    return this.#bytes.subarray(start, end);
  }

  /** An embedded message. */
  message(): WireReader {
    const { start, end } = this.#delimited();
    return new WireReader(this.#bytes, start, end);
  }

  /** A string. */
  string(): string {
    const start = this.#position;
    try {
      return decoder.decode(this.bytes());
    } catch (thrown) {
      if (!(thrown instanceof TypeError)) throw thrown;
      return this.#fail(start, "a string is not valid UTF-8");
    }
  }

  /** A float. */
  float(): number {
    return this.#view.getFloat32(this.#take(4, 5), true);
  }

  /** One field of repeated integers, packed or not, appended to `values`. */
  appendInts(values: number[]): void {
    if (this.wireType !== 2) values.push(this.varint());
    else for (const packed = this.message(); !packed.atEnd();) values.push(packed.varint());
  }

  /** One field of repeated floats, packed or not, appended to `values`. */
  appendFloats(values: number[]): void {
    if (this.wireType !== 2) {
      values.push(this.float());
      return;
    }
    const { start, end } = this.#delimited();
    if ((end - start) % 4 !== 0) this.#fail(start, "packed floats are not a multiple of 4 bytes");
    for (let at = start; at < end; at += 4) values.push(this.#view.getFloat32(at, true));
  }

  /** Whether everything has been read. */
  atEnd(): boolean {
    return this.#position >= this.#end;
  }

  /** Passes over the value of the field. */
  skip(): void {
    if (this.wireType === 0) this.varint();
    else if (this.wireType === 1) this.#take(8, 1);
    else if (this.wireType === 2) this.#delimited();
    else this.#take(4, 5);
  }

  #delimited(): { start: number; end: number } {
    const at = this.#position;
    if (this.wireType !== 2) {
      this.#fail(at, `field ${this.field} has the wire type ${this.wireType} instead of 2`);
    }
    const length = this.varint(), start = this.#position;
    if (length < 0 || length > this.#end - start) {
      this.#fail(
        at,
        `field ${this.field} is said to have ${length} bytes and only ${this.#end - start} follow`,
      );
    }
    this.#position = start + length;
    return { start, end: this.#position };
  }

  #take(length: number, wireType: number): number {
    const start = this.#position;
    if (this.wireType !== wireType) {
      this.#fail(start, `field ${this.field} has the wire type ${this.wireType}`);
    }
    if (start + length > this.#end) this.#fail(start, "the file ends within a number");
    this.#position += length;
    return start;
  }

  #fail(offset: number, what: string): never {
    throw new SerinError("invalid_model", `The file is no ONNX model: at byte ${offset} ${what}`, {
      hint: "it may be cut off or not an ONNX file: export or download it again",
      details: { offset },
    });
  }
}
