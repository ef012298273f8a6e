import { assert } from "../../core/mod.ts";

/** A column of a version's inputs, as its predictions are packed. */
export interface LoggedColumn {
  readonly name: string;
  /** A datatype of the Open Inference Protocol. */
  readonly datatype: string;
}

/** An input as the engine took it. */
export interface LoggedInput extends LoggedColumn {
  /** Row-major; the first dimension is that of the rows. */
  readonly data: ArrayLike<number> | ArrayLike<bigint> | readonly string[];
}

/** One answered request. */
export interface LoggedAnswer {
  readonly model: string;
  readonly version: string;
  readonly arm: "stable" | "canary";
  /** Milliseconds since the epoch. */
  readonly time: number;
  /** Names the prediction, as its token does: 8 bytes; undefined where no token was sealed. */
  readonly nonce: Uint8Array | undefined;
  readonly rows: number;
  readonly inputs: readonly LoggedInput[];
  /** The predicted class a row. */
  readonly labels: readonly (number | string)[] | undefined;
  /** Probability of the second class, or the predicted value, a row. */
  readonly scores: ArrayLike<number> | undefined;
}

/** Answers of one version, packed by {@linkcode BlockWriter}. */
export interface PredictionBlock {
  readonly model: string;
  readonly version: string;
  readonly columns: readonly LoggedColumn[];
  readonly firstMs: number;
  readonly lastMs: number;
  readonly requests: number;
  readonly rows: number;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** Bytes of a nonce. */
export const NONCE_BYTES = 8;

/** What the first byte of an answer says. */
export const FLAG = { canary: 1, nonce: 2, numbers: 4, texts: 8, scores: 16 } as const;
/** Flags, rows, time and nonce. */
export const ANSWER_HEAD_BYTES = 1 + 4 + 8 + NONCE_BYTES;
/** UTF-8 needs at most so many bytes for a UTF-16 code unit. */
const TEXT_BYTES_MAX = 3;

const WIDTHS: Readonly<Record<string, number>> = {
  BOOL: 1,
  UINT8: 1,
  INT8: 1,
  UINT16: 2,
  INT16: 2,
  FP32: 4,
};
/** Whole numbers of up to 64 bits are kept as FP64, which is what JSON could carry. */
export const widthOf = (datatype: string) => WIDTHS[datatype] ?? 8;

/** @returns the most bytes that the answer takes in a block */
export function packedBytesMax({ rows, inputs, labels, scores }: LoggedAnswer): number {
  let bytes = ANSWER_HEAD_BYTES + (scores === undefined ? 0 : 4 * rows);
  for (const { datatype, data } of inputs) {
    bytes += 4;
    bytes += datatype === "BYTES" ? textBytesMax(data as readonly string[]) : data.length * 8;
  }
  if (labels === undefined) return bytes;
  return bytes +
    (typeof labels[0] === "string" ? textBytesMax(labels as readonly string[]) : labels.length * 8);
}

function textBytesMax(texts: readonly string[]): number {
  let bytes = 0;
  for (const text of texts) bytes += 4 + TEXT_BYTES_MAX * text.length;
  return bytes;
}

const encoder = new TextEncoder();

/** Packs answers of one version, little-endian, one after another. Costs about a microsecond each. */
export class BlockWriter {
  readonly #bytes: Uint8Array<ArrayBuffer>;
  readonly #view: DataView;
  readonly #columns: readonly LoggedColumn[];
  readonly #model: string;
  readonly #version: string;
  #at = 0;
  #requests = 0;
  #rows = 0;
  #firstMs = Infinity;
  #lastMs = -Infinity;

  constructor({ model, version, inputs }: LoggedAnswer, capacityBytes: number) {
    this.#bytes = new Uint8Array(capacityBytes);
    this.#view = new DataView(this.#bytes.buffer);
    this.#model = model;
    this.#version = version;
    this.#columns = inputs.map(({ name, datatype }) => ({ name, datatype }));
  }

  /** Bytes that are still free. */
  get free(): number {
    return this.#bytes.length - this.#at;
  }

  /** @returns whether an answer is of the same version */
  takes({ model, version }: LoggedAnswer): boolean {
    return model === this.#model && version === this.#version;
  }

  /** @param answer of the same version, with room for {@linkcode packedBytesMax} */
  add(answer: LoggedAnswer): void {
    const { arm, nonce, labels, scores, rows, time, inputs } = answer;
    const isText = typeof labels?.[0] === "string";
    this.#view.setUint8(
      this.#at,
      (arm === "canary" ? FLAG.canary : 0) | (nonce === undefined ? 0 : FLAG.nonce) |
        (labels === undefined ? 0 : isText ? FLAG.texts : FLAG.numbers) |
        (scores === undefined ? 0 : FLAG.scores),
    );
    this.#view.setUint32(this.#at + 1, rows, true);
    this.#view.setFloat64(this.#at + 5, time, true);
    if (nonce !== undefined) this.#bytes.set(nonce, this.#at + 13);
    this.#at += ANSWER_HEAD_BYTES;
    for (const input of inputs) this.#input(input);
    if (labels !== undefined) {
      if (isText) this.#texts(labels as readonly string[]);
      else this.#numbers("FP64", labels as readonly number[]);
    }
    if (scores !== undefined) this.#numbers("FP32", scores);
    this.#requests++;
    this.#rows += rows;
    if (time < this.#firstMs) this.#firstMs = time;
    if (time > this.#lastMs) this.#lastMs = time;
  }

  /** @returns what was added; the writer must not be used any more */
  finish(): PredictionBlock {
    return {
      model: this.#model,
      version: this.#version,
      columns: this.#columns,
      firstMs: this.#firstMs,
      lastMs: this.#lastMs,
      requests: this.#requests,
      rows: this.#rows,
      bytes: this.#bytes.subarray(0, this.#at),
    };
  }

  #input({ datatype, data }: LoggedInput): void {
    this.#view.setUint32(this.#at, data.length, true);
    this.#at += 4;
    if (datatype === "BYTES") this.#texts(data as readonly string[]);
    else this.#numbers(datatype, data as ArrayLike<number>);
  }

  #numbers(datatype: string, values: ArrayLike<number | bigint>): void {
    const view = this.#view, width = widthOf(datatype), at = this.#at;
    this.#at += width * values.length;
    // Decided once, not for each value: most columns are FP32, and most requests have one row.
    if (datatype === "FP32") {
      for (let i = 0; i < values.length; i++) view.setFloat32(at + 4 * i, Number(values[i]), true);
    } else if (width === 8) {
      for (let i = 0; i < values.length; i++) view.setFloat64(at + 8 * i, Number(values[i]), true);
    } else if (width === 2) {
      for (let i = 0; i < values.length; i++) view.setUint16(at + 2 * i, Number(values[i]), true);
    } else {
      for (let i = 0; i < values.length; i++) view.setUint8(at + i, Number(values[i]));
    }
  }

  #texts(texts: readonly string[]): void {
    for (const text of texts) {
      const { written } = encoder.encodeInto(text, this.#bytes.subarray(this.#at + 4));
      this.#view.setUint32(this.#at, written, true);
      this.#at += 4 + written;
    }
  }
}

/** One answer out of a block. */
export interface ReadAnswer {
  readonly arm: "stable" | "canary";
  readonly time: number;
  readonly nonce: Uint8Array | undefined;
  readonly rows: number;
  /** Values a column, in the block's order. */
  readonly inputs: readonly (readonly (number | string)[])[];
  readonly labels: readonly (number | string)[] | undefined;
  readonly scores: readonly number[] | undefined;
}

/** Reads what {@linkcode BlockWriter} packed. */
export function* readBlock(
  bytes: Uint8Array,
  columns: readonly LoggedColumn[],
): Generator<ReadAnswer> {
  const reader = new BlockReader(bytes);
  while (!reader.done) yield reader.answer(columns);
}

const decoder = new TextDecoder();

class BlockReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get done(): boolean {
    return this.#at >= this.#bytes.length;
  }

  answer(columns: readonly LoggedColumn[]): ReadAnswer {
    const flags = this.#view.getUint8(this.#at), rows = this.#view.getUint32(this.#at + 1, true);
    const time = this.#view.getFloat64(this.#at + 5, true);
    const nonce = this.#bytes.subarray(this.#at + 13, this.#at + 13 + NONCE_BYTES);
    this.#at += ANSWER_HEAD_BYTES;
    const inputs = columns.map(({ datatype }) => {
      const length = this.#view.getUint32(this.#at, true);
      this.#at += 4;
      return datatype === "BYTES" ? this.#texts(length) : this.#numbers(datatype, length);
    });
    const labels = flags & FLAG.texts
      ? this.#texts(rows)
      : flags & FLAG.numbers
      ? this.#numbers("FP64", rows)
      : undefined;
    const scores = flags & FLAG.scores ? this.#numbers("FP32", rows) : undefined;
    assert(this.#at <= this.#bytes.length, "a block ends with a whole answer");
    return {
      arm: flags & FLAG.canary ? "canary" : "stable",
      time,
      nonce: flags & FLAG.nonce ? nonce : undefined,
      rows,
      inputs,
      labels,
      scores,
    };
  }

  #numbers(datatype: string, length: number): number[] {
    const view = this.#view, width = widthOf(datatype), start = this.#at;
    this.#at += width * length;
    return Array.from({ length }, (_, i) => {
      const at = start + i * width;
      if (datatype === "FP32") return view.getFloat32(at, true);
      if (width === 8) return view.getFloat64(at, true);
      if (datatype === "INT16") return view.getInt16(at, true);
      if (width === 2) return view.getUint16(at, true);
      return datatype === "INT8" ? view.getInt8(at) : view.getUint8(at);
    });
  }

  #texts(length: number): string[] {
    return Array.from({ length }, () => {
      const bytes = this.#view.getUint32(this.#at, true), start = this.#at + 4;
      this.#at = start + bytes;
      return decoder.decode(this.#bytes.subarray(start, this.#at));
    });
  }
}
