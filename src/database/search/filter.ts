import { SerinError } from "../../core/mod.ts";
import { type Token, tokenize } from "./tokens.ts";

/** Most comparisons in one filter. */
const CLAUSES_MAX = 200;
/** Longest pattern of LIKE and ILIKE, characters (SQLite refuses more than 50000 bytes). */
const PATTERN_CHARACTERS_MAX = 10_000;

/** How two values are compared. */
export const COMPARATORS = [
  "=",
  "!=",
  ">",
  ">=",
  "<",
  "<=",
  "LIKE",
  "ILIKE",
  "IN",
  "NOT IN",
  "IS NULL",
  "IS NOT NULL",
] as const;

/** A name of {@linkcode COMPARATORS}. */
export type Comparator = typeof COMPARATORS[number];

/** One comparison: `metrics.loss < 0.1` is `{kind: "metric", key: "loss", …}`. */
export interface Clause<K extends string = string> {
  readonly kind: K;
  readonly key: string;
  readonly comparator: Comparator;
  /** A number for numeric keys, texts for IN and NOT IN, null for IS NULL and IS NOT NULL. */
  readonly value: string | number | readonly string[] | null;
}

/** What a family of keys allows. */
export interface KindRules {
  readonly comparators: readonly Comparator[];
  /** The keys that exist; absent where any may. */
  readonly keys?: readonly string[];
  /** Keys compared as numbers; `"all"` for metrics. */
  readonly numeric?: "all" | readonly string[];
  /** Comparators of the numeric keys, where they differ. */
  readonly numericComparators?: readonly Comparator[];
  /** Keys that IN and NOT IN may be used with; absent: all whose comparators have them. */
  readonly listKeys?: readonly string[];
  /** Numeric keys whose value is given as a text, e.g. '3' (MLflow's model version numbers). */
  readonly numbersQuoted?: readonly string[];
}

/** MLflow says the same in several ways. */
export interface FilterMessages {
  readonly unknownKind?: (spelling: string) => string;
  readonly comparator?: (
    clause: { kind: string; key: string; comparator: string; numeric: boolean },
    allowed: readonly string[],
  ) => string;
  readonly attributeValue?: string;
  readonly wrongNumber?: (key: string, written: string) => string;
  readonly clauses?: (text: string) => string;
}

/** A search language: which kinds of key there are and how they may be written. */
export interface FilterLanguage<K extends string> {
  /** Spelling → kind, e.g. `{params: "parameter", param: "parameter"}`. */
  readonly spellings: Readonly<Record<string, K>>;
  /** The kind of a key without a dot. */
  readonly bare: K;
  readonly kinds: Readonly<Record<K, KindRules>>;
  /** What is said instead of the words for runs, where MLflow has others. */
  readonly messages?: FilterMessages;
  /** Other names of keys of the bare kind, e.g. `{created: "start_time"}`. */
  readonly synonyms?: Readonly<Record<string, string>>;
}

/**
 * Reads MLflow's search language: comparisons joined by AND.
 *
 * @returns the comparisons, all of which must hold; none for an empty text
 * @throws {SerinError} `invalid_input` with MLflow's message (`utils/search_utils.py`) where it has one
 */
export function parseFilter<K extends string>(
  text: string | undefined,
  language: FilterLanguage<K>,
): Clause<K>[] {
  if (text === undefined || text.trim() === "") return [];
  const clauses: Clause<K>[] = [];
  const invalid: string[] = [];
  for (const part of splitAtAnd(tokenize(text))) {
    const clause = parseComparison(part, language);
    if (clause === undefined) invalid.push(...unreadable(part, text));
    else clauses.push(clause);
  }
  if (invalid.length > 0) {
    const message = language.messages?.clauses?.(text);
    throw invalidFilter(message ?? `Invalid clause(s) in filter string: ${invalid.join(", ")}`);
  }
  if (clauses.length > CLAUSES_MAX) {
    throw invalidFilter(`A filter may have at most ${CLAUSES_MAX} comparisons`);
  }
  return clauses;
}

/** @returns what of a part is no comparison, as MLflow names it */
function unreadable(part: readonly Token[], text: string): string[] {
  const ors = part.filter(({ kind, text }) => kind === "word" && /^or$/i.test(text));
  const pieces = part[0].kind !== "open" && ors.length > 0 ? ors : part;
  if (pieces.length <= 2) return pieces.map((token) => `'${token.text}'`);
  const last = part.at(-1)!;
  return [`'${text.slice(part[0].at, last.at + last.text.length)}'`];
}

/** AND outside of parentheses separates; an empty part is dropped, as MLflow does. */
function splitAtAnd(tokens: readonly Token[]): Token[][] {
  const parts: Token[][] = [[]];
  let depth = 0;
  for (const token of tokens) {
    if (token.kind === "open") depth++;
    if (token.kind === "close") depth--;
    if (depth === 0 && token.kind === "word" && token.text.toUpperCase() === "AND") parts.push([]);
    else parts.at(-1)!.push(token);
  }
  return parts.filter((part) => part.length > 0);
}

function parseComparison<K extends string>(
  tokens: readonly Token[],
  language: FilterLanguage<K>,
): Clause<K> | undefined {
  const [name, ...rest] = tokens;
  if (rest.length === 0) return undefined;
  const read = readComparator(rest);
  if (read === undefined) return undefined;
  const { comparator, used } = read;
  if (name.kind !== "word") {
    throw invalidFilter(`Invalid comparison clause. Expected 'Identifier' found '${name.text}'`);
  }
  const values = rest.slice(used);
  if (comparator === "IS NULL" || comparator === "IS NOT NULL") {
    if (values.length > 0) return undefined;
  } else if (values.length === 0) {
    return undefined;
  } else if (values.length > 1 && values[0].kind !== "open") {
    return undefined;
  }
  const { kind, key } = parseIdentifier(name.text, language);
  if (values.length === 0) checkComparator(language, kind, key, comparator);
  const value = readValue(values, kind, key, comparator, language);
  checkComparator(language, kind, key, comparator);
  return { kind, key, comparator, value };
}

/** @returns how many tokens the comparator takes */
function readComparator(
  tokens: readonly Token[],
): { comparator: Comparator; used: number } | undefined {
  if (tokens[0].kind === "operator") {
    const text = tokens[0].text;
    const comparator = COMPARATORS.find((known) => known === text);
    if (comparator !== undefined) return { comparator, used: 1 };
    throw invalidFilter(`Invalid comparator '${text}' not one of '${COMPARATORS.join(", ")}'`);
  }
  const words = tokens.slice(0, 3).map((token) =>
    token.kind === "word" ? token.text.toUpperCase() : ""
  );
  for (const used of [3, 2, 1]) {
    const text = words.slice(0, used).join(" ");
    const comparator = COMPARATORS.find((known) => known === text);
    if (comparator !== undefined) return { comparator, used };
  }
  return undefined;
}

/**
 * Reads `tags.`a b``, `metric.loss` or a bare attribute.
 *
 * @throws {SerinError} `invalid_input` for a kind or an attribute that does not exist
 */
export function parseIdentifier<K extends string>(
  text: string,
  language: FilterLanguage<K>,
): { kind: K; key: string } {
  const dot = /^[`"]/.test(text) ? -1 : text.indexOf(".");
  const spelling = dot < 0 ? undefined : text.slice(0, dot);
  const kind = spelling === undefined ? language.bare : ownOf(language.spellings, spelling);
  if (kind === undefined) {
    const kinds = Object.keys(language.kinds).map((name) => `'${name}'`).join(", ");
    throw invalidFilter(
      language.messages?.unknownKind?.(spelling!) ??
        `Invalid entity type '${spelling}'. Valid values are [${kinds}]`,
    );
  }
  const written = unquote(text.slice(dot + 1));
  const key = kind === language.bare ? ownOf(language.synonyms ?? {}, written) ?? written : written;
  const { keys } = language.kinds[kind];
  if (keys !== undefined && !keys.includes(key)) {
    const valid = keys.map((name) => `'${name}'`).join(", ");
    throw invalidFilter(`Invalid ${kind} key '${written}' specified. Valid keys are '{${valid}}'`);
  }
  return { kind, key };
}

function checkComparator<K extends string>(
  language: FilterLanguage<K>,
  kind: K,
  key: string,
  comparator: Comparator,
): void {
  const rules = language.kinds[kind];
  const numeric = isNumeric(rules, key);
  const allowed = numeric ? rules.numericComparators ?? rules.comparators : rules.comparators;
  if (allowed.includes(comparator)) return;
  const message = language.messages?.comparator?.({ kind, key, comparator, numeric }, allowed);
  if (message !== undefined) throw invalidFilter(message);
  if (comparator.startsWith("IS ")) {
    throw invalidFilter(
      `IS NULL / IS NOT NULL is only supported for tags and params, not for '${kind}' '${key}'`,
    );
  }
  const names = allowed.map((name) => `'${name}'`).join(", ");
  throw invalidFilter(`Invalid comparator '${comparator}' not one of '{${names}}'`);
}

function isNumeric(rules: KindRules, key: string): boolean {
  return rules.numeric === "all" || (rules.numeric?.includes(key) ?? false);
}

function readValue<K extends string>(
  tokens: readonly Token[],
  kind: K,
  key: string,
  comparator: Comparator,
  language: FilterLanguage<K>,
): Clause["value"] {
  const rules = language.kinds[kind];
  if (tokens.length === 0) return null;
  const takesLists = rules.comparators.includes("IN") && !isNumeric(rules, key);
  if (tokens[0].kind === "open" && takesLists) {
    if (rules.listKeys !== undefined && !rules.listKeys.includes(key)) {
      throw invalidFilter(
        `Only [${rules.listKeys.map((name) => `'${name}'`).join(", ")}] ${kind}s support ` +
          "comparison with a list of quoted string values.",
      );
    }
    const list = readList(tokens);
    if (comparator === "IN" || comparator === "NOT IN") return list;
    throw invalidFilter(`Invalid comparator '${comparator}' for a list of values`);
  }
  const [token] = tokens;
  if (isNumeric(rules, key)) return readNumber(token, kind, key, language);
  if (tokens.length > 1 || (token.kind !== "string" && token.kind !== "word")) {
    const what = kind === language.bare
      ? language.messages?.attributeValue ?? "Expected a quoted string value for attributes"
      : `Expected a quoted string value for ${kind} (e.g. 'my-value')`;
    throw invalidFilter(`${what}. Got value ${tokens.map(({ text }) => text).join("")}`);
  }
  if (!/^'[\s\S]*'$|^"[^"]*"$/.test(token.text)) {
    throw invalidFilter(
      "Parameter value is either not quoted or unidentified quote types used for string value " +
        `${token.text}. Use either single or double quotes.`,
    );
  }
  const value = token.text.slice(1, -1);
  if (comparator.endsWith("LIKE") && value.length > PATTERN_CHARACTERS_MAX) {
    throw invalidFilter(`A pattern may have at most ${PATTERN_CHARACTERS_MAX} characters`);
  }
  return value;
}

function readNumber<K extends string>(
  token: Token,
  kind: K,
  key: string,
  language: FilterLanguage<K>,
): number {
  const quoted = language.kinds[kind].numbersQuoted?.includes(key) ?? false;
  const text = quoted && token.kind === "string" ? token.text.slice(1, -1) : token.text;
  const right = quoted ? /^-?\d+$/.test(text) : token.kind === "number";
  if (right) return Number(text);
  throw invalidFilter(
    language.messages?.wrongNumber?.(key, token.text) ??
      (kind === "metric"
        ? `Expected numeric value type for metric. Found ${token.text}`
        : `Expected numeric value type for numeric attribute: ${key}. Found ${token.text}`),
  );
}

function readList(tokens: readonly Token[]): string[] {
  const inner = tokens.slice(1, -1);
  const wellFormed = tokens[0].kind === "open" && tokens.at(-1)!.kind === "close" &&
    inner.every((token, i) => (i % 2 === 0) === (token.kind !== "comma"));
  if (!wellFormed) {
    throw invalidFilter(
      "While parsing a list in the query, expected a non-empty list of string values, but got " +
        "ill-formed list.",
    );
  }
  const items = inner.filter(({ kind }) => kind !== "comma");
  if (items.length === 0) {
    throw invalidFilter(
      "While parsing a list in the query, expected a non-empty list of string values, but got " +
        "empty list",
    );
  }
  for (const { text } of items) {
    if (/^'[\s\S]*'$|^"[^"]*"$/.test(text)) continue;
    throw invalidFilter(
      "While parsing a list in the query, expected string value, punctuation, or whitespace, but " +
        `got different type in list: (${items.map((item) => item.text).join(", ")}${
          items.length === 1 ? "," : ""
        })`,
    );
  }
  return items.map(({ text }) => text.slice(1, -1));
}

/** The value of a name that a caller wrote: "constructor" is no entry of any table. */
function ownOf<T>(table: Readonly<Record<string, T>>, name: string): T | undefined {
  return Object.hasOwn(table, name) ? table[name] : undefined;
}

/** Takes one pair of backticks or double quotes off, where there is one. */
function unquote(text: string): string {
  return /^(`[^`]*`|"[^"]*")$/.test(text) ? text.slice(1, -1) : text;
}

/** An error of the search text. */
export function invalidFilter(message: string): SerinError {
  return new SerinError("invalid_input", message);
}
