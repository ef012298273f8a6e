import { messageOf, SerinError } from "../core/mod.ts";

/**
 * Reads a text file that an option names.
 *
 * @param flag the option, for errors
 * @throws {SerinError} `not_found` or `storage`
 */
export async function readConfigFile(flag: string, path: string): Promise<string> {
  try {
    return await Deno.readTextFile(path);
  } catch (cause) {
    const missing = cause instanceof Deno.errors.NotFound;
    throw new SerinError(
      missing ? "not_found" : "storage",
      `Cannot read ${flag} ${path}: ${missing ? "there is no such file" : messageOf(cause)}`,
      { cause, hint: missing ? "check the path; it is read from the current folder" : undefined },
    );
  }
}
