/** Chance, injected: seeded where results must repeat, the system's where they must not be guessed. */
export interface Random {
  /** @returns an integer, uniform over [0, 2^32) */
  uint32(): number;
  /** @returns that many random bytes */
  bytes(length: number): Uint8Array<ArrayBuffer>;
}

/** The system's cryptographic generator, drawn in blocks (a system call each would cost 1 µs). */
export class SystemRandom implements Random {
  readonly #block = new Uint32Array(256);
  #next = 256;

  uint32(): number {
    if (this.#next === this.#block.length) {
      crypto.getRandomValues(this.#block);
      this.#next = 0;
    }
    return this.#block[this.#next++];
  }

  bytes(length: number): Uint8Array<ArrayBuffer> {
    return crypto.getRandomValues(new Uint8Array(length));
  }
}

/**
 * A seeded generator (splitmix32: Steele, Lea, Flood, "Fast splittable pseudorandom number
 * generators", OOPSLA 2014, with a 32-bit finaliser). Same seed, same numbers, on every machine.
 * Not for secrets.
 */
export class SeededRandom implements Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  uint32(): number {
    this.#state = (this.#state + 0x9e3779b9) >>> 0;
    return mix32(this.#state);
  }

  /** @returns a double, uniform over [0, 1) with 32 bits */
  unit(): number {
    return this.uint32() / 4294967296;
  }

  bytes(length: number): Uint8Array<ArrayBuffer> {
    return Uint8Array.from({ length }, () => this.uint32() >>> 24);
  }
}

/** A 32-bit finaliser with full avalanche (the constants of hash-prospector's lowbias32). */
export function mix32(x: number): number {
  x ^= x >>> 16;
  x = Math.imul(x, 0x21f0aaad);
  x ^= x >>> 15;
  x = Math.imul(x, 0xd35a2d97);
  x ^= x >>> 15;
  return x >>> 0;
}
