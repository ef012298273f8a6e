import { createHash } from "node:crypto";

/** @returns the SHA-256 of the bytes (or of a text's UTF-8) as 64 lower-case hexadecimal digits */
export function sha256Hex(data: Uint8Array | string): string {
  return createHash("sha256").update(data).digest("hex");
}

/** A running SHA-256, for what is too large to hold. */
export class Sha256 {
  readonly #hash = createHash("sha256");

  update(chunk: Uint8Array): this {
    this.#hash.update(chunk);
    return this;
  }

  /** @returns 64 lower-case hexadecimal digits; may be called once */
  hex(): string {
    return this.#hash.digest("hex");
  }
}
