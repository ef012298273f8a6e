import { createHash, timingSafeEqual } from "node:crypto";
import { assert } from "../../core/mod.ts";

/** Admins may do everything; replicas read, sync and send labels. */
export type Role = "admin" | "replica";

/** What a request brought to be recognised by. */
export interface Credentials {
  readonly token: string;
  /** Browsers send these by themselves, whoever's page makes the request. */
  readonly isAmbient: boolean;
}

/** The tokens of a registry. Only their digests are kept. */
export class AccessTokens {
  readonly #digests: readonly (readonly [role: Role, digest: Uint8Array])[];

  /** @param tokens.replica without one, replicas need the admin's */
  constructor(tokens: { admin: string; replica?: string | undefined }) {
    const { admin, replica } = tokens;
    assert(admin !== replica, "admin and replica have the same token");
    const roles: [Role, string | undefined][] = [["admin", admin], ["replica", replica]];
    this.#digests = roles.flatMap(([role, token]) =>
      token === undefined ? [] : [[role, digestOf(token)] as const]
    );
  }

  /**
   * Compares in constant time: how long it takes says nothing about a token.
   *
   * @returns undefined where it is none of this registry's tokens
   */
  roleOf(token: string): Role | undefined {
    const given = digestOf(token);
    let found: Role | undefined;
    for (const [role, digest] of this.#digests) if (timingSafeEqual(digest, given)) found ??= role;
    return found;
  }
}

/**
 * Reads `X-Serin-Authorization: Bearer T` where there is one (a proxy then owns Authorization), else
 * `Authorization: Bearer T` or `Authorization: Basic base64(anyone:T)`.
 *
 * @returns undefined where there is nothing of the kind
 */
export function credentialsOf(headers: Headers): Credentials | undefined {
  const own = headers.get("x-serin-authorization");
  const [, scheme, value] = /^\s*([A-Za-z]+) +(\S+)\s*$/
    .exec(own ?? headers.get("authorization") ?? "") ?? [];
  if (scheme === undefined) return undefined;
  if (scheme.toLowerCase() === "bearer") return { token: value, isAmbient: false };
  if (scheme.toLowerCase() !== "basic" || own !== null) return undefined;
  const password = passwordOf(value);
  return password === undefined ? undefined : { token: password, isAmbient: true };
}

function passwordOf(base64: string): string | undefined {
  try {
    const text = atob(base64);
    const colon = text.indexOf(":");
    return colon < 0 ? undefined : text.slice(colon + 1);
  } catch {
    return undefined;
  }
}

function digestOf(token: string): Uint8Array {
  return createHash("sha256").update(token).digest();
}
