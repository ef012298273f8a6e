import { SerinError } from "../core/mod.ts";
import {
  allOf,
  type Clause,
  comparisonSql,
  type Database,
  type FilterLanguage,
  inList,
  type Page,
  parseFilter,
  type SqlPiece,
} from "../database/mod.ts";
import type { LoggedModel } from "./entities.ts";
import { loadModels, type LoggedModelRow } from "./logged_model_reader.ts";
import { invalid, parseExperimentId, pythonRepr, TRACKING_LIMITS } from "./validation.ts";

/** Which data a metric was measured on. */
export interface DatasetFilter {
  readonly name: string;
  readonly digest?: string;
}

/** One column that logged models are ordered by. */
export interface LoggedModelOrder {
  /** An attribute, or "metrics." and a key. */
  readonly field: string;
  readonly ascending: boolean;
  readonly datasetName?: string;
  readonly datasetDigest?: string;
}

/** What a search of logged models asks for. */
export interface LoggedModelSearch {
  readonly experimentIds: readonly string[];
  readonly filter?: string;
  /** Metrics count where measured on one of these; without a metric in the filter: any metric. */
  readonly datasets?: readonly DatasetFilter[];
  readonly orderBy?: readonly LoggedModelOrder[];
  readonly limit: number;
  readonly pageToken?: string;
}

type Kind = "attributes" | "metrics" | "params" | "tags";

const COLUMNS: Readonly<Record<string, string>> = {
  model_id: "m.model_id",
  experiment_id: "m.experiment",
  name: "m.name",
  model_type: "m.model_type",
  source_run_id: "m.source_run_id",
  status: "m.status",
  artifact_location: "m.artifact_location",
  lifecycle_stage: "m.stage",
  creation_timestamp: "m.created_ms",
  creation_timestamp_ms: "m.created_ms",
  creation_time: "m.created_ms",
  last_updated_timestamp: "m.updated_ms",
  last_updated_timestamp_ms: "m.updated_ms",
};

const NUMERIC = ["<", "<=", ">", ">=", "=", "!="] as const;
const TEXT = ["=", "!=", "LIKE", "ILIKE", "IN", "NOT IN"] as const;

const LANGUAGE: FilterLanguage<Kind> = {
  spellings: {
    attributes: "attributes",
    metrics: "metrics",
    params: "params",
    tags: "tags",
  },
  bare: "attributes",
  messages: {
    unknownKind: (spelling) =>
      `Invalid entity type: '${spelling}'. Expected one of ` +
      "['attributes', 'metrics', 'params', 'tags'].",
    comparator: ({ kind, key, comparator }, allowed) =>
      `Invalid comparison operator for ${kind}.${key}: '${comparator}'. Expected one of ` +
      `(${allowed.map((name) => `'${name}'`).join(", ")}).`,
    clauses: (text) =>
      `Invalid filter string: ${pythonRepr(text)}. Expected a list of comparisons separated by ` +
      "'AND' (e.g. 'metrics.loss > 0.1 AND params.lr = 0.01').",
  },
  kinds: {
    attributes: {
      comparators: TEXT,
      keys: Object.keys(COLUMNS),
      numeric: [
        "creation_timestamp",
        "creation_timestamp_ms",
        "creation_time",
        "last_updated_timestamp",
        "last_updated_timestamp_ms",
      ],
      numericComparators: NUMERIC,
    },
    metrics: { comparators: NUMERIC, numeric: "all" },
    params: { comparators: TEXT },
    tags: { comparators: TEXT },
  },
};

/** Most datasets, and most orders, of one search. */
const ITEMS_MAX = 200;

/** @throws {SerinError} `invalid_input` for a wrong filter, order or token, or too much of it */
export function searchLoggedModels(
  database: Database,
  search: LoggedModelSearch,
): Page<LoggedModel> {
  if (search.datasets?.some(({ name }) => name === "")) {
    throw invalid("`dataset_name` in the `datasets` clause must be specified.");
  }
  checkCount("datasets", search.datasets?.length ?? 0);
  checkCount("order_by", search.orderBy?.length ?? 0);
  const limit = Math.min(search.limit, TRACKING_LIMITS.searchResultsMax);
  if (limit < 1) throw invalid(`Invalid value ${limit} for parameter 'max_results' supplied.`);
  const offset = decodeToken(search);
  const order = orderSql(search.orderBy ?? []);
  const where = whereSql(search);
  return database.read((reader) => {
    const rows = reader.all<LoggedModelRow>(
      `SELECT m.* FROM logged_model m WHERE ${where.sql} ORDER BY ${order.sql} LIMIT ? OFFSET ?`,
      ...where.params,
      ...order.params,
      limit + 1,
      offset,
    );
    const nextPageToken = rows.length > limit ? encodeToken(search, offset + limit) : undefined;
    return { items: loadModels(reader, rows.slice(0, limit)), nextPageToken };
  });
}

/** SQLite bounds the depth of what a statement says. */
function checkCount(field: string, count: number): void {
  if (count <= ITEMS_MAX) return;
  throw invalid(`A search may have at most ${ITEMS_MAX} items of '${field}'. Got ${count}.`);
}

function whereSql(search: LoggedModelSearch): SqlPiece {
  const clauses = parseFilter(search.filter, LANGUAGE);
  const measured = datasetsSql(search.datasets ?? []);
  const pieces = [
    { sql: "m.stage != 'deleted'", params: [] },
    inList("m.experiment", search.experimentIds.map(parseExperimentId)),
    ...clauses.map((clause) => clauseSql(clause, measured)),
  ];
  if (measured !== undefined && !clauses.some(({ kind }) => kind === "metrics")) {
    pieces.push({
      sql: `m.id IN (SELECT model FROM logged_model_metric WHERE ${measured.sql})`,
      params: [...measured.params],
    });
  }
  return allOf(pieces);
}

function datasetsSql(datasets: readonly DatasetFilter[]): SqlPiece | undefined {
  if (datasets.length === 0) return undefined;
  const pieces = datasets.map(({ name, digest }): SqlPiece => ({
    sql: `(dataset_name = ?${digest === undefined ? "" : " AND dataset_digest = ?"})`,
    params: digest === undefined ? [name] : [name, digest],
  }));
  return {
    sql: `(${pieces.map(({ sql }) => sql).join(" OR ")})`,
    params: pieces.flatMap(({ params }) => params),
  };
}

function clauseSql(clause: Clause<Kind>, measured: SqlPiece | undefined): SqlPiece {
  const { kind, key } = clause;
  if (kind === "attributes") return comparisonSql(COLUMNS[key], clause);
  const tested = comparisonSql("value", clause);
  if (kind === "metrics") {
    const nan = clause.comparator === "!="
      ? `(${tested.sql} OR is_nan = 1)`
      : `${tested.sql} AND is_nan = 0`;
    const on = measured === undefined ? "" : ` AND ${measured.sql}`;
    return {
      sql: `m.id IN (SELECT model FROM logged_model_metric WHERE key = ? AND ${nan}${on})`,
      params: [key, ...tested.params, ...(measured?.params ?? [])],
    };
  }
  const table = kind === "params" ? "logged_model_param" : "logged_model_tag";
  return {
    sql: `m.id IN (SELECT model FROM ${table} WHERE key = ? AND ${tested.sql})`,
    params: [key, ...tested.params],
  };
}

function orderSql(orders: readonly LoggedModelOrder[]): SqlPiece {
  const pieces = orders.map(orderOne);
  const sorted = new Set(orders.map(({ field }) => COLUMNS[field]));
  if (!sorted.has("m.created_ms")) pieces.push({ sql: "m.created_ms DESC", params: [] });
  if (!sorted.has("m.model_id")) pieces.push({ sql: "m.model_id", params: [] });
  return {
    sql: pieces.map(({ sql }) => sql).join(", "),
    params: pieces.flatMap(({ params }) => params),
  };
}

/** Models without the value come last; of a metric the newest point counts. */
function orderOne(order: LoggedModelOrder): SqlPiece {
  const direction = `${order.ascending ? "ASC" : "DESC"} NULLS LAST`;
  const dot = order.field.indexOf(".");
  if (dot < 0) {
    const column = Object.hasOwn(COLUMNS, order.field) ? COLUMNS[order.field] : undefined;
    if (column === undefined) throw invalid(`Invalid order by field name: ${order.field}`);
    return { sql: `${column} ${direction}`, params: [] };
  }
  if (order.field.slice(0, dot) !== "metrics") {
    throw invalid(
      `Invalid order by field name: ${order.field}. Only metrics are supported.`,
    );
  }
  const tests = ["model = m.id", "key = ?"];
  const params = [order.field.slice(dot + 1)];
  for (
    const [column, value] of [
      ["dataset_name", order.datasetName],
      ["dataset_digest", order.datasetDigest],
    ] as const
  ) {
    if (value === undefined) continue;
    tests.push(`${column} = ?`);
    params.push(value);
  }
  return {
    sql: `(SELECT value FROM logged_model_metric WHERE ${tests.join(" AND ")}
      ORDER BY timestamp DESC, step DESC, run_id LIMIT 1) ${direction}`,
    params,
  };
}

/** A token is of one search: it carries the search, as MLflow's does. */
function encodeToken(search: LoggedModelSearch, offset: number): string {
  return btoa(encodeURIComponent(JSON.stringify({ offset, search: identity(search) })));
}

function decodeToken(search: LoggedModelSearch): number {
  if (search.pageToken === undefined || search.pageToken === "") return 0;
  let token: { offset?: unknown; search?: unknown } | null;
  try {
    token = JSON.parse(decodeURIComponent(atob(search.pageToken)));
  } catch (cause) {
    throw new SerinError("invalid_input", `Invalid page token: ${search.pageToken}`, { cause });
  }
  if (token?.search !== identity(search)) {
    throw invalid(
      "The page token does not match the requested experiment IDs, filter string or order by.",
    );
  }
  return Number.isSafeInteger(token.offset) ? Math.max(0, token.offset as number) : 0;
}

function identity(search: LoggedModelSearch): string {
  return JSON.stringify([search.experimentIds, search.filter ?? "", search.orderBy ?? []]);
}
