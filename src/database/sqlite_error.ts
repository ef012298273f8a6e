import { messageOf, SerinError } from "../core/mod.ts";

/** SQLite's primary result codes that the outside causes, and what to do about each. */
const OUTSIDE: readonly (readonly [pattern: RegExp, hint: string])[] = [
  [/disk is full|No space left/, "the disk is full: free some space"],
  [
    /readonly database|Read-only file system/,
    "the folder is read-only: choose another with --data, or change its permissions",
  ],
  [
    /unable to open database file/,
    "the folder must exist and this user must be able to write there: choose another with --data",
  ],
  [/not a database/, "the file is not serin's: choose another folder with --data"],
  [/malformed/, "the file is damaged: restore a copy"],
  [/disk I\/O error/, "the disk does not answer as it must: look at the system's log"],
  [/database is locked/, "another process holds the file: stop it"],
];

/**
 * Gives an error of SQLite's that the outside caused (disk, permissions, a foreign file) its code and
 * a way out. A wrong statement or a broken constraint is a programmer's error and is given back as is.
 *
 * @param what what could not be done, e.g. "Cannot open serin.db"
 */
export function translateError(what: string, cause: unknown, path: string): unknown {
  if (cause instanceof SerinError) return cause;
  const text = messageOf(cause);
  const found = OUTSIDE.find(([pattern]) => pattern.test(text));
  if (found === undefined) return cause;
  return new SerinError("storage", `${what}: ${text}`, {
    hint: found[1],
    details: { path },
    cause,
  });
}
