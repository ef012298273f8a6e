import { SerinError } from "../core/mod.ts";
import { BLOCK_BYTES, checksumOf } from "./tar_writer.ts";

/** A file of an archive. */
export interface TarEntry {
  readonly name: string;
  /** Bytes. */
  readonly size: number;
  /** To be read to its end before the next entry is asked for; what was not read is skipped. */
  readonly chunks: AsyncIterable<Uint8Array<ArrayBuffer>>;
}

const PAX_BYTES_MAX = 64 * 1024;

/**
 * Reads the files of a tar archive (ustar, pax sizes) in constant memory. What `serin backup` does not
 * write (links, folders, other formats) is an error, and so is anything after the end.
 *
 * @throws {SerinError} `invalid_data` where the archive ends early, is damaged, or is none
 */
export async function* readTar(
  input: AsyncIterable<Uint8Array<ArrayBuffer>>,
): AsyncGenerator<TarEntry> {
  const source = new ByteSource(input);
  try {
    let paxSize: number | undefined;
    for (let number = 1;; number++) {
      const block = await source.exactly(BLOCK_BYTES, "a header");
      if (block.every((byte) => byte === 0)) return await readEnd(source);
      const { name, size, type } = parseHeader(block, number, source.offset - BLOCK_BYTES);
      if (type === "x") {
        if (size > PAX_BYTES_MAX) throw damaged(`a pax header has ${size} bytes`);
        paxSize = parsePaxSize(await source.exactly(size, "a pax header"));
        await source.exactly(padding(size), "padding");
        continue;
      }
      const entrySize = paxSize ?? size;
      paxSize = undefined;
      const chunks = source.chunks(entrySize, name);
      yield { name, size: entrySize, chunks };
      for await (const _ of chunks);
      await source.exactly(padding(entrySize), "padding");
    }
  } finally {
    await source.close();
  }
}

/** Tools pad archives with empty blocks; anything else does not belong there. */
async function readEnd(source: ByteSource): Promise<void> {
  const second = await source.exactly(BLOCK_BYTES, "the end");
  if (second.some((byte) => byte !== 0)) throw damaged("half an end is in the middle");
  for (let rest = await source.some(BLOCK_BYTES); rest; rest = await source.some(BLOCK_BYTES)) {
    if (rest.some((byte) => byte !== 0)) throw damaged("bytes follow the end");
  }
}

function parseHeader(block: Uint8Array, number: number, offset: number) {
  const text = (from: number, length: number) =>
    new TextDecoder().decode(block.subarray(from, from + length)).replace(/\0.*$/s, "");
  const octal = (from: number, length: number) => {
    const digits = text(from, length).trim();
    return /^[0-7]{1,11}$/.test(digits) ? parseInt(digits, 8) : NaN;
  };
  if (!text(257, 6).startsWith("ustar")) {
    throw number === 1
      ? new SerinError("invalid_data", "The input is no tar archive", {
        hint: "give what `serin backup` wrote, not compressed",
      })
      : damaged(`no header is at byte ${offset}`);
  }
  if (octal(148, 8) !== checksumOf(block)) {
    throw damaged(`the header at byte ${offset} was altered`);
  }
  const type = text(156, 1) || "0", name = text(0, 100), size = octal(124, 12);
  if ((type !== "0" && type !== "x") || text(345, 155) !== "" || Number.isNaN(size)) {
    throw damaged(`"${name}" is of a kind that serin does not write (type ${type})`);
  }
  return { name, size, type };
}

function parsePaxSize(record: Uint8Array): number {
  const found = /^\d+ size=(\d{1,15})\n$/.exec(new TextDecoder().decode(record));
  if (found === null) throw damaged("a pax header says something else than a size");
  return Number(found[1]);
}

function padding(size: number): number {
  return (BLOCK_BYTES - size % BLOCK_BYTES) % BLOCK_BYTES;
}

/** @returns an error that says how the archive is not what `serin backup` wrote */
export function damaged(what: string): SerinError {
  return new SerinError("invalid_data", `The archive is damaged: ${what}`, {
    hint: "nothing was restored; take another copy of it, or another backup",
  });
}

/** Cuts what comes in pieces of any length. */
class ByteSource {
  readonly #iterator: AsyncIterator<Uint8Array<ArrayBuffer>>;
  #rest = new Uint8Array(0);
  /** Bytes taken. */
  offset = 0;

  constructor(input: AsyncIterable<Uint8Array<ArrayBuffer>>) {
    this.#iterator = input[Symbol.asyncIterator]();
  }

  /** @returns up to `most` bytes, at least one; undefined at the end */
  async some(most: number): Promise<Uint8Array<ArrayBuffer> | undefined> {
    while (this.#rest.length === 0) {
      const { done, value } = await this.#iterator.next();
      if (done) return undefined;
      this.#rest = value;
    }
    const taken = this.#rest.subarray(0, most);
    this.#rest = this.#rest.subarray(taken.length);
    this.offset += taken.length;
    return taken;
  }

  async exactly(count: number, what: string): Promise<Uint8Array<ArrayBuffer>> {
    const bytes = new Uint8Array(count);
    let filled = 0;
    for await (const chunk of this.chunks(count, what)) {
      bytes.set(chunk, filled);
      filled += chunk.length;
    }
    return bytes;
  }

  /** One iterator however often it is asked for: the second time it gives what is left. */
  chunks(count: number, what: string): AsyncIterableIterator<Uint8Array<ArrayBuffer>> {
    let left = count;
    const next = async (): Promise<IteratorResult<Uint8Array<ArrayBuffer>>> => {
      if (left === 0) return { done: true, value: undefined };
      const chunk = await this.some(left);
      if (chunk === undefined) {
        throw damaged(
          `it ends in the middle, at byte ${this.offset}, ${left} bytes of ${what} short`,
        );
      }
      left -= chunk.length;
      return { done: false, value: chunk };
    };
    const iterator: AsyncIterableIterator<Uint8Array<ArrayBuffer>> = {
      next,
      [Symbol.asyncIterator]: () => iterator,
    };
    return iterator;
  }

  async close(): Promise<void> {
    await this.#iterator.return?.();
  }
}
