import { type FilterLanguage, invalidFilter, parseIdentifier } from "./filter.ts";
import { tokenize } from "./tokens.ts";

/** Most columns that one search is ordered by. */
const COLUMNS_MAX = 20;

/** One column that rows are ordered by. */
export interface OrderBy<K extends string = string> {
  readonly kind: K;
  readonly key: string;
  readonly ascending: boolean;
}

/**
 * Reads `["metrics.loss DESC", "start_time"]`.
 *
 * @throws {SerinError} `invalid_input` for what cannot be read and for a column given twice
 */
export function parseOrderBy<K extends string>(
  texts: readonly string[],
  language: FilterLanguage<K>,
): OrderBy<K>[] {
  if (texts.length > COLUMNS_MAX) {
    throw invalidFilter(`A search is ordered by at most ${COLUMNS_MAX} columns: ${texts.length}`);
  }
  const seen = new Set<string>();
  return texts.map((text) => {
    const order = parseOne(text, language);
    const name = `${order.kind}.${order.key}`;
    if (seen.has(name)) {
      const all = texts.map((one) => `'${one}'`).join(", ");
      throw invalidFilter(`\`order_by\` contains duplicate fields: [${all}]`);
    }
    seen.add(name);
    return order;
  });
}

function parseOne<K extends string>(
  text: string,
  language: FilterLanguage<K>,
): OrderBy<K> {
  const tokens = tokenize(text);
  const [name, direction] = tokens;
  if (name === undefined || name.kind !== "word" || tokens.length > 2) {
    throw invalidFilter(`Invalid order_by clause '${text}'. Could not be parsed.`);
  }
  const word = direction?.text.toLowerCase() ?? "asc";
  if (word !== "asc" && word !== "desc") {
    throw invalidFilter(`Invalid ordering key in order_by clause '${text}'.`);
  }
  return { ...parseIdentifier(name.text, language), ascending: word === "asc" };
}
