import { SerinError } from "../core/mod.ts";

/** Longest artifact path, UTF-8 bytes; each part of it at most 255, as file systems have it. */
const PATH_BYTES_MAX = 4096;
const PART_BYTES_MAX = 255;

const encoder = new TextEncoder();

/**
 * Checks a path that came from outside and brings it into its one form: no leading, trailing or
 * double slash, no "." part.
 *
 * @param text percent-decoded at most once by the caller; further encodings are undone here, so that
 * `%2e%2e` cannot hide
 * @returns "" for the root
 * @throws {SerinError} `invalid_input` "Invalid path" (MLflow's `validate_path_is_safe`) for "..", an
 * absolute path, a drive, a backslash, "#", NUL and other control characters, or one too long
 */
export function parseArtifactPath(text: string): string {
  const path = decodeFully(text);
  // deno-lint-ignore no-control-regex
  const unsafe = /[\\#\u0000-\u001f\u007f]/.test(path) || /^(\/|[A-Za-z]:|file:)/i.test(path);
  const parts = path.split("/").filter((part) => part !== "" && part !== ".");
  if (unsafe || parts.includes("..")) throw new SerinError("invalid_input", "Invalid path");
  const tooLong = encoder.encode(path).length > PATH_BYTES_MAX ||
    parts.some((part) => encoder.encode(part).length > PART_BYTES_MAX);
  if (tooLong) throw new SerinError("invalid_input", "Invalid path: it is too long");
  return parts.join("/");
}

/**
 * Undoes percent-encoding until nothing is left of it, so that no encoding hides ".." or a slash.
 *
 * @throws {SerinError} `invalid_input` where it is encoded more than ten times over
 */
export function decodeFully(text: string): string {
  let path = text;
  for (let round = 0; round < 10; round++) {
    let decoded: string;
    try {
      decoded = decodeURIComponent(path);
    } catch {
      // A lone percent sign is part of a name ("50%.txt").
      return path;
    }
    if (decoded === path) return path;
    path = decoded;
  }
  throw new SerinError("invalid_input", "Invalid path");
}
