import type { SqlValue } from "../transaction.ts";
import type { Clause } from "./filter.ts";

/** A piece of SQL and the values of its question marks, in order. */
export interface SqlPiece {
  readonly sql: string;
  readonly params: readonly SqlValue[];
}

/**
 * @param column a column's name, never a user's text
 * @returns the comparison in SQLite's dialect. LIKE heeds case (GLOB), ILIKE does not (ASCII), `!=`
 * does not hold for NULL: all as in MLflow
 */
export function comparisonSql(
  column: string,
  clause: Pick<Clause, "comparator" | "value">,
): SqlPiece {
  const { comparator, value } = clause;
  switch (comparator) {
    case "IS NULL":
    case "IS NOT NULL":
      return { sql: `${column} ${comparator}`, params: [] };
    case "IN":
    case "NOT IN": {
      const items = value as readonly string[];
      const marks = items.map(() => "?").join(", ");
      return { sql: `${column} ${comparator} (${marks})`, params: items };
    }
    case "LIKE":
      return { sql: `${column} GLOB ?`, params: [globOf(value as string)] };
    case "ILIKE":
      return { sql: `lower(${column}) LIKE lower(?)`, params: [value as string] };
    default:
      return { sql: `${column} ${comparator} ?`, params: [value as string | number] };
  }
}

/** LIKE's pattern as GLOB's. */
function globOf(pattern: string): string {
  return pattern.replace(/[*?[]/g, "[$&]").replaceAll("%", "*").replaceAll("_", "?");
}

/** Joins pieces by AND. */
export function allOf(pieces: readonly SqlPiece[]): SqlPiece {
  if (pieces.length === 0) return { sql: "TRUE", params: [] };
  return {
    sql: pieces.map(({ sql }) => `(${sql})`).join(" AND "),
    params: pieces.flatMap(({ params }) => params),
  };
}

/** Values of a list that are parameters each; SQLite has at most 32766 in one statement. */
const LIST_PARAMETERS_MAX = 1000;

/** `column IN (?, ?, …)`, or of one JSON array where the list is long; never true for an empty one. */
export function inList(column: string, values: readonly (string | number)[]): SqlPiece {
  if (values.length > LIST_PARAMETERS_MAX) {
    const params = [JSON.stringify(values)];
    return { sql: `${column} IN (SELECT value FROM json_each(?))`, params };
  }
  return { sql: `${column} IN (${values.map(() => "?").join(", ")})`, params: values };
}
