import { Buffer } from "node:buffer";
import { hkdfSync } from "node:crypto";
import { assert, LIMITS } from "../core/mod.ts";
import type { TokenKey } from "./token.ts";

/** Each key seals for this long. */
const PERIOD_MS = 7 * 24 * 3600 * 1000;
/**
 * Older keys that open: as long as a prediction may be labelled, and the period it was sealed in.
 */
const OLDER_KEYS = Math.ceil(LIMITS.labelHorizonMs / PERIOD_MS) + 1;

/**
 * The token keys of each week, derived from one stored secret (HKDF, RFC 5869, SHA-256), so that
 * rotation needs no storage and a restored backup opens old tokens.
 */
export class TokenKeyring {
  readonly #secret: Uint8Array;
  readonly #derived = new Map<number, Uint8Array>();

  /** @param secret at least 32 random bytes */
  constructor(secret: Uint8Array) {
    assert(secret.length >= 32, `A token secret must have 32 bytes: it has ${secret.length}`);
    this.#secret = secret;
  }

  /** @returns the key that seals now, and the older ones that still open */
  current(now: number): TokenKey[] {
    const period = Math.floor(now / PERIOD_MS);
    return Array.from({ length: OLDER_KEYS + 1 }, (_, age) => ({
      id: idOf(period - age),
      key: Buffer.from(this.#derive(period - age)).toString("base64"),
    }));
  }

  /** @returns undefined for a key that never was, or is too old */
  find(id: string, now: number): Uint8Array | undefined {
    const newest = Math.floor(now / PERIOD_MS), match = /^w([0-9a-z]{1,8})$/.exec(id);
    const period = match === null ? NaN : parseInt(match[1], 36);
    // One ahead: a sealing machine's clock may be a little fast.
    if (!(period <= newest + 1 && period >= newest - OLDER_KEYS)) return undefined;
    return this.#derive(period);
  }

  #derive(period: number): Uint8Array {
    let key = this.#derived.get(period);
    if (key === undefined) {
      const info = `serin prediction token ${period}`;
      key = new Uint8Array(hkdfSync("sha256", this.#secret, new Uint8Array(), info, 32));
      if (this.#derived.size > OLDER_KEYS * 2) this.#derived.clear();
      this.#derived.set(period, key);
    }
    return key;
  }
}

function idOf(period: number): string {
  return `w${period.toString(36)}`;
}
