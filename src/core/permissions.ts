/** The kinds of permission that Deno knows and serin asks for at compile time. */
export const PERMISSION_KINDS = ["read", "write", "net", "env", "sys", "run", "ffi"] as const;

/** A kind of permission. */
export type PermissionKind = typeof PERMISSION_KINDS[number];

/**
 * Gives up every kind of permission that a command does not need, for good: Deno cannot ask for a
 * revoked kind again. Called by `main.ts` before a command's code is loaded, so that nothing it
 * imports ever holds more. (A path under a whole grant cannot be revoked; path limits need Workers.)
 *
 * @param needed the kinds to keep
 */
export function keepPermissions(needed: readonly PermissionKind[]): void {
  for (const name of PERMISSION_KINDS) {
    if (!needed.includes(name)) Deno.permissions.revokeSync({ name });
  }
}
