import { SerinError } from "../../core/mod.ts";

/** Longest search text that is read, characters. */
const TEXT_CHARACTERS_MAX = 100_000;

/** What a piece of a search text is. */
export type TokenKind =
  | "word"
  | "string"
  | "number"
  | "operator"
  | "open"
  | "close"
  | "comma"
  | "other";

/** A piece of a search text, as it was written. */
export interface Token {
  readonly kind: TokenKind;
  readonly text: string;
  /** Where it begins, characters. */
  readonly at: number;
}

const PATTERNS: readonly (readonly [TokenKind, RegExp])[] = [
  // A name and its dotted parts, each bare or in backticks or double quotes: tags.`a b`, params."c".
  [
    "word",
    /(?:[\p{L}_][\p{L}\p{N}_]*|`[^`]*`|"[^"]*")(?:\.(?:`[^`]*`|"[^"]*"|[\p{L}\p{N}_\-/@$#]+))*/uy,
  ],
  ["string", /'(?:''|\\'|[^'])*'/y],
  ["number", /[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?(?![\p{L}\p{N}_])/uy],
  ["operator", /!=|>=|<=|<>|==|=|>|</y],
  ["open", /\(/y],
  ["close", /\)/y],
  ["comma", /,/y],
  ["other", /[^\s(),=<>!'"`]+|[\s\S]/uy],
];

/**
 * Cuts a search text into pieces; white space is dropped.
 *
 * @throws {SerinError} `invalid_input` when it is too long
 */
export function tokenize(text: string): Token[] {
  if (text.length > TEXT_CHARACTERS_MAX) {
    throw new SerinError(
      "invalid_input",
      `A search text may have at most ${TEXT_CHARACTERS_MAX} characters: this one has ${text.length}`,
    );
  }
  const tokens: Token[] = [];
  const space = /\s*/y;
  let at = 0;
  while (at < text.length) {
    space.lastIndex = at;
    at += space.exec(text)![0].length;
    if (at >= text.length) break;
    for (const [kind, pattern] of PATTERNS) {
      pattern.lastIndex = at;
      const found = pattern.exec(text);
      if (found === null) continue;
      tokens.push({ kind, text: found[0], at });
      at += found[0].length;
      break;
    }
  }
  return tokens;
}
