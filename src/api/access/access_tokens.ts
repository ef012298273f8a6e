import { createHash, timingSafeEqual } from "node:crypto";
import { assert } from "../../core/mod.ts";

/** At a registry: admins may do everything; replicas read, sync and send labels. */
export type Role = "admin" | "replica";

/** What a request brought to be recognised by. */
export interface Credentials {
  readonly token: string;
  /** Browsers send these by themselves, whoever's page makes the request. */
  readonly isAmbient: boolean;
}

/** The tokens of a process, one a role. Only their digests are kept. */
export class AccessTokens<R extends string = Role> {
  readonly #digests: readonly (readonly [role: R, digest: Uint8Array])[];

  /** @param tokens by role; a role without one needs the admin's, who may do what each of them may */
  constructor(tokens: { readonly admin: string } & { readonly [role in R]?: string | undefined }) {
    const given = Object.entries<string | undefined>(tokens)
      .filter((entry): entry is [R, string] => entry[1] !== undefined);
    assert(
      new Set(given.map(([, token]) => token)).size === given.length,
      "two roles have the same token",
    );
    this.#digests = given.map(([role, token]) => [role, digestOf(token)] as const);
  }

  /**
   * Compares in constant time: how long it takes says nothing about a token.
   *
   * @returns undefined where it is none of these tokens
   */
  roleOf(token: string): R | undefined {
    const given = digestOf(token);
    let found: R | undefined;
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
