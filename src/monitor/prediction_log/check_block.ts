import { LIMITS, SerinError } from "../../core/mod.ts";
import { ANSWER_HEAD_BYTES, FLAG, type PredictionBlock, widthOf } from "./prediction_block.ts";

const NAME_CHARACTERS_MAX = 1000;
const DATATYPE = /^[A-Z][A-Z0-9]{0,15}$/;
/** The last time that a date can be made of. */
const TIME_MS_MAX = 8.64e15;
const KNOWN_FLAGS = Object.values(FLAG).reduce((all, flag) => all | flag, 0);

/**
 * Checks that a block of somebody else's can be read as what it says it is: that it decodes to whole
 * answers, as many requests and rows as it claims, in the time that it claims, and that what it names
 * can be kept. Nothing is allocated by what it says.
 *
 * @throws {SerinError} `invalid_data`
 */
export function checkBlock(block: PredictionBlock): void {
  checkNames(block);
  const { rows, requests, firstMs, lastMs, bytes } = block;
  if (bytes.length > LIMITS.predictionBlockBytesMax) throw refusal(`it has ${bytes.length} bytes`);
  const walker = new BlockWalker(block);
  let rowsSeen = 0, requestsSeen = 0;
  for (; !walker.done; requestsSeen++) rowsSeen += walker.answer();
  if (requestsSeen === 0) throw refusal("it is empty");
  if (rowsSeen !== rows || requestsSeen !== requests) {
    throw refusal(
      `it has ${rowsSeen} rows in ${requestsSeen} requests, and claims ${rows} in ${requests}`,
    );
  }
  if (Math.floor(firstMs) !== walker.firstMs || Math.ceil(lastMs) !== walker.lastMs) {
    throw refusal(
      `it is from ${walker.firstMs} to ${walker.lastMs}, and claims ${firstMs} to ${lastMs}`,
    );
  }
}

function checkNames({ model, version, columns }: PredictionBlock): void {
  checkName("model", model);
  checkName("version", version);
  if (columns.length === 0 || columns.length > LIMITS.csvColumnsMax) {
    throw refusal(`it has ${columns.length} columns`);
  }
  for (const { name, datatype } of columns) {
    checkName("column", name);
    if (!DATATYPE.test(datatype)) throw refusal(`"${datatype.slice(0, 100)}" is no datatype`);
  }
}

function checkName(what: string, name: string): void {
  if (name.length > 0 && name.length <= NAME_CHARACTERS_MAX && !name.includes("\0")) return;
  throw refusal(`${JSON.stringify(name.slice(0, 100))} can name no ${what}`);
}

/** Goes through a block without making anything of it. */
class BlockWalker {
  firstMs = Infinity;
  lastMs = -Infinity;
  readonly #columns: PredictionBlock["columns"];
  readonly #view: DataView;
  #at = 0;

  constructor({ bytes, columns }: PredictionBlock) {
    this.#columns = columns;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get done(): boolean {
    return this.#at >= this.#view.byteLength;
  }

  /** @returns its rows */
  answer(): number {
    const at = this.#skip(ANSWER_HEAD_BYTES);
    const flags = this.#view.getUint8(at), rows = this.#view.getUint32(at + 1, true);
    const time = this.#view.getFloat64(at + 5, true);
    const both = (flags & FLAG.texts) !== 0 && (flags & FLAG.numbers) !== 0;
    if (both || (flags & ~KNOWN_FLAGS) !== 0) throw refusal(`byte ${at} has the flags ${flags}`);
    if (!(time >= 0 && time <= TIME_MS_MAX)) throw refusal(`${time} is no time`);
    this.firstMs = Math.min(this.firstMs, Math.floor(time));
    this.lastMs = Math.max(this.lastMs, Math.ceil(time));
    for (const { name, datatype } of this.#columns) {
      const values = this.#view.getUint32(this.#skip(4), true);
      // No fewer values than rows: a few bytes cannot claim millions of rows.
      if (values < rows || (rows > 0 ? values % rows !== 0 : values > 0)) {
        throw refusal(`column "${name}" has ${values} values for ${rows} rows`);
      }
      this.#values(datatype, values);
    }
    if (flags & FLAG.texts) this.#values("BYTES", rows);
    if (flags & FLAG.numbers) this.#values("FP64", rows);
    if (flags & FLAG.scores) this.#values("FP32", rows);
    return rows;
  }

  #values(datatype: string, count: number): void {
    if (datatype !== "BYTES") {
      this.#skip(count * widthOf(datatype));
      return;
    }
    for (let i = 0; i < count; i++) this.#skip(this.#view.getUint32(this.#skip(4), true));
  }

  /** @returns where it was */
  #skip(bytes: number): number {
    const at = this.#at;
    this.#at += bytes;
    if (this.#at > this.#view.byteLength) {
      throw refusal(`it ends within an answer, after ${this.#view.byteLength} bytes`);
    }
    return at;
  }
}

function refusal(why: string): SerinError {
  return new SerinError("invalid_data", `This block of predictions cannot be kept: ${why}`);
}
