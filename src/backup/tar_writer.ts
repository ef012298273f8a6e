import { SerinError } from "../core/mod.ts";

/** What takes bytes in order, a part of them at a time: a file, stdout. */
export interface ByteSink {
  /** @returns how many of the bytes were taken */
  write(bytes: Uint8Array): Promise<number>;
}

export const BLOCK_BYTES = 512;
/** Eleven octal digits are all that a ustar header has room for. */
const USTAR_BYTES_MAX = 0o77777777777;

/** Writes a tar archive (ustar; files above 8 GiB with a pax header) in constant memory. */
export class TarWriter {
  readonly #sink: ByteSink;
  readonly #modifiedSeconds: number;
  #bytes = 0;

  /** @param modifiedSeconds since 1970, of every entry */
  constructor(sink: ByteSink, modifiedSeconds: number) {
    this.#sink = sink;
    this.#modifiedSeconds = modifiedSeconds;
  }

  /** Bytes written. */
  get bytes(): number {
    return this.#bytes;
  }

  /**
   * Writes a file.
   *
   * @param name at most 100 bytes
   * @param size bytes that `chunks` must give
   * @throws {SerinError} `storage` where they are more or fewer; what sink and chunks throw
   */
  async file(
    name: string,
    size: number,
    chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  ): Promise<void> {
    if (size > USTAR_BYTES_MAX) {
      const record = new TextEncoder().encode(paxRecord("size", String(size)));
      await this.#write(header("pax-header", record.length, this.#modifiedSeconds, "x"));
      await this.#write(record);
      await this.#pad(record.length);
    }
    const said = size > USTAR_BYTES_MAX ? 0 : size;
    await this.#write(header(name, said, this.#modifiedSeconds, "0"));
    let seen = 0;
    for await (const chunk of chunks) {
      seen += chunk.length;
      if (seen > size) break;
      await this.#write(chunk);
    }
    if (seen !== size) {
      throw new SerinError("storage", `${name} has ${seen} bytes, ${size} were expected`);
    }
    await this.#pad(size);
  }

  /** Two empty blocks: who reads the archive knows that it is whole. */
  async end(): Promise<void> {
    await this.#write(new Uint8Array(2 * BLOCK_BYTES));
  }

  async #pad(size: number): Promise<void> {
    const over = size % BLOCK_BYTES;
    if (over > 0) await this.#write(new Uint8Array(BLOCK_BYTES - over));
  }

  async #write(bytes: Uint8Array): Promise<void> {
    let written = 0;
    while (written < bytes.length) written += await this.#sink.write(bytes.subarray(written));
    this.#bytes += bytes.length;
  }
}

/** `LENGTH KEY=VALUE\n`, whose length counts its own digits. */
function paxRecord(key: string, value: string): string {
  const rest = ` ${key}=${value}\n`;
  let length = rest.length + 1;
  while (String(length).length + rest.length !== length) length++;
  return `${length}${rest}`;
}

function header(name: string, size: number, modified: number, type: "0" | "x"): Uint8Array {
  const block = new Uint8Array(BLOCK_BYTES);
  const put = (at: number, text: string) => block.set(new TextEncoder().encode(text), at);
  const octal = (value: number, digits: number) => value.toString(8).padStart(digits, "0");
  if (new TextEncoder().encode(name).length > 100) throw new Error(`too long a name: ${name}`);
  put(0, name);
  // Mode, owner, group: what unpacks it shows it to nobody else.
  put(100, "0000600\0");
  put(108, "0000000\0");
  put(116, "0000000\0");
  put(124, `${octal(size, 11)}\0`);
  put(136, `${octal(modified, 11)}\0`);
  put(156, type);
  put(257, "ustar\x0000");
  put(148, `${octal(checksumOf(block), 6)}\0 `);
  return block;
}

/** @returns the sum of a header's bytes, its own field taken for spaces */
export function checksumOf(block: Uint8Array): number {
  let sum = 0;
  for (let i = 0; i < BLOCK_BYTES; i++) sum += i >= 148 && i < 156 ? 0x20 : block[i];
  return sum;
}
