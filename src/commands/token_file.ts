import { messageOf, SerinError } from "../core/mod.ts";

const CHARACTERS_MAX = 512;

/**
 * Reads a file that holds one token and nothing else.
 *
 * @param flag the option that named it, if one did, for errors
 * @returns the token, without white space around it
 * @throws {SerinError} `configuration` where it cannot be read, or as {@linkcode checkToken}
 */
export async function readTokenFile(path: string, flag?: string): Promise<string> {
  const named = nameTokenFile(path, flag);
  let text: string;
  try {
    text = await Deno.readTextFile(path);
  } catch (cause) {
    throw new SerinError("configuration", `Cannot read ${named}: ${messageOf(cause)}`, {
      hint: "the file holds the token and nothing else",
      cause,
    });
  }
  return checkToken(named, text);
}

/** @returns how errors name it */
export function nameTokenFile(path: string, flag?: string): string {
  return `the token file ${path}${flag === undefined ? "" : ` (${flag})`}`;
}

/**
 * @param where where it stands, for errors, which never hold the token itself
 * @returns the token, without white space around it
 * @throws {SerinError} `configuration` for one that is empty, too long, or that no header can carry
 */
export function checkToken(where: string, text: string): string {
  const token = text.trim();
  const problem = token === ""
    ? "is empty"
    : token.length > CHARACTERS_MAX
    ? `has ${token.length} characters, at most ${CHARACTERS_MAX} can be`
    : /^[\x21-\x7e]+$/.test(token)
    ? undefined
    : "is no single word of visible ASCII characters";
  if (problem === undefined) return token;
  throw new SerinError("configuration", `Cannot use ${where}: it ${problem}`, {
    hint: "make one with `openssl rand -hex 32`, on one line, with nothing else",
  });
}
