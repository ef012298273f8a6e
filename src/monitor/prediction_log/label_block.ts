import { NONCE_BYTES } from "./prediction_block.ts";

/** A label, and what it is a label of. */
export interface PackedLabel {
  /** Names the prediction: 8 bytes. */
  readonly nonce: Uint8Array;
  readonly row: number;
  /** At most {@linkcode LABEL_BYTES_MAX} bytes of UTF-8. */
  readonly label: string;
}

/** Labels in the order of their arrival, packed by {@linkcode LabelPacker}. */
export interface LabelBlock {
  readonly labels: number;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** Most labels of a block. */
export const LABEL_BLOCK_MAX = 5000;
/** Most bytes of a label's text. */
export const LABEL_BYTES_MAX = 0xffff;

/** Nonce, row and the length of the text. */
const HEAD_BYTES = NONCE_BYTES + 4 + 2;
const FIRST_BYTES = 16 * 1024;

const encoder = new TextEncoder();

/**
 * Packs labels one after another, little-endian: nonce (8 bytes), row (4), length of the text (2), text
 * in UTF-8.
 */
export class LabelPacker {
  #bytes = new Uint8Array(FIRST_BYTES);
  #view = new DataView(this.#bytes.buffer);
  #at = 0;
  #labels = 0;

  /** Labels that were added. */
  get labels(): number {
    return this.#labels;
  }

  add({ nonce, row, label }: PackedLabel): void {
    // UTF-8 needs at most three bytes for a UTF-16 code unit.
    this.#reserve(HEAD_BYTES + Math.min(LABEL_BYTES_MAX, 3 * label.length));
    const textAt = this.#at + HEAD_BYTES;
    this.#bytes.set(nonce, this.#at);
    this.#view.setUint32(this.#at + NONCE_BYTES, row, true);
    const length = writeText(label, this.#bytes, textAt);
    this.#view.setUint16(textAt - 2, length, true);
    this.#at = textAt + length;
    this.#labels++;
  }

  /** @returns what was added; the packer must not be used any more */
  finish(): LabelBlock {
    return { labels: this.#labels, bytes: this.#bytes.subarray(0, this.#at) };
  }

  #reserve(bytes: number): void {
    if (this.#at + bytes <= this.#bytes.length) return;
    const grown = new Uint8Array(2 * this.#bytes.length + bytes);
    grown.set(this.#bytes);
    this.#bytes = grown;
    this.#view = new DataView(grown.buffer);
  }
}

/** Most labels are a digit: the platform's encoder takes ten times as long for it. */
function writeText(text: string, bytes: Uint8Array, at: number): number {
  const code = text.length === 1 ? text.charCodeAt(0) : 0x80;
  if (code >= 0x80) {
    return encoder.encodeInto(text, bytes.subarray(at, at + LABEL_BYTES_MAX)).written;
  }
  bytes[at] = code;
  return 1;
}

/** @returns blocks that hold the labels in their order */
export function packLabels(labels: Iterable<PackedLabel>): LabelBlock[] {
  const blocks: LabelBlock[] = [];
  let packer = new LabelPacker();
  for (const label of labels) {
    if (packer.labels === LABEL_BLOCK_MAX) {
      blocks.push(packer.finish());
      packer = new LabelPacker();
    }
    packer.add(label);
  }
  if (packer.labels > 0) blocks.push(packer.finish());
  return blocks;
}

const decoder = new TextDecoder();

/** Reads what {@linkcode LabelPacker} packed. */
export function* readLabels(bytes: Uint8Array): Generator<PackedLabel> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = 0; at < bytes.length;) {
    const nonce = bytes.subarray(at, at + NONCE_BYTES), textAt = at + HEAD_BYTES;
    const row = view.getUint32(at + NONCE_BYTES, true);
    at = textAt + view.getUint16(textAt - 2, true);
    yield { nonce, row, label: decoder.decode(bytes.subarray(textAt, at)) };
  }
}
