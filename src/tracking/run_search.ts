import {
  allOf,
  type Clause,
  comparisonSql,
  type Database,
  decodePageToken,
  type FilterLanguage,
  inList,
  type OrderBy,
  type Page,
  parseFilter,
  parseOrderBy,
  type SqlPiece,
  type SqlValue,
  toPage,
} from "../database/mod.ts";
import type { Run, View } from "./entities.ts";
import { loadRuns, type RunRow } from "./run_reader.ts";
import { checkSearchLimit, invalid, parseExperimentId } from "./validation.ts";

/** What a search of runs asks for. */
export interface RunSearch {
  readonly experimentIds: readonly string[];
  readonly filter?: string;
  readonly orderBy?: readonly string[];
  readonly view: View;
  /** Runs of a page, 1 to 50000. */
  readonly limit: number;
  readonly pageToken?: string;
}

type Kind = "metric" | "parameter" | "tag" | "attribute" | "dataset";

const NUMERIC = ["=", "!=", ">", ">=", "<", "<="] as const;
const NAMED = ["=", "!=", "LIKE", "ILIKE", "IS NULL", "IS NOT NULL"] as const;
const TEXT = ["=", "!=", "LIKE", "ILIKE", "IN", "NOT IN"] as const;

const COLUMNS: Readonly<Record<string, string>> = {
  run_id: "r.run_id",
  run_name: "r.name",
  user_id: "r.user_id",
  status: "r.status",
  artifact_uri: "r.artifact_uri",
  start_time: "r.started_ms",
  end_time: "r.ended_ms",
};

const LANGUAGE: FilterLanguage<Kind> = {
  spellings: {
    metric: "metric",
    metrics: "metric",
    parameter: "parameter",
    parameters: "parameter",
    param: "parameter",
    params: "parameter",
    tag: "tag",
    tags: "tag",
    attribute: "attribute",
    attributes: "attribute",
    attr: "attribute",
    run: "attribute",
    dataset: "dataset",
    datasets: "dataset",
  },
  bare: "attribute",
  synonyms: {
    created: "start_time",
    Created: "start_time",
    "run name": "run_name",
    "Run name": "run_name",
    "Run Name": "run_name",
  },
  kinds: {
    metric: { comparators: NUMERIC, numeric: "all" },
    parameter: { comparators: NAMED },
    tag: { comparators: NAMED },
    attribute: {
      comparators: TEXT,
      keys: Object.keys(COLUMNS),
      numeric: ["start_time", "end_time"],
      numericComparators: NUMERIC,
      listKeys: ["run_id"],
    },
    dataset: { comparators: TEXT, keys: ["name", "digest", "context"] },
  },
};

const NAMES = { parameter: "run_param", tag: "run_tag" } as const;

/** @throws {SerinError} `invalid_input` for a wrong filter, order, limit or token */
export function searchRuns(database: Database, search: RunSearch): Page<Run> {
  checkSearchLimit(search.limit);
  const pieces = parseFilter(search.filter, LANGUAGE).map(clauseSql);
  const order = orderSql(search.orderBy ?? []);
  const offset = decodePageToken(search.pageToken);
  pieces.unshift(inList("r.experiment", search.experimentIds.map(parseExperimentId)));
  if (search.view !== "all") pieces.push({ sql: "r.stage = ?", params: [search.view] });
  const where = allOf(pieces);
  return database.read((reader) => {
    const rows = reader.all<RunRow>(
      `SELECT r.* FROM run r ${order.joins.sql} WHERE ${where.sql} ORDER BY ${order.by}
        LIMIT ? OFFSET ?`,
      ...order.joins.params,
      ...where.params,
      search.limit + 1,
      offset,
    );
    const page = toPage(rows, search.limit, offset);
    return { items: loadRuns(reader, page.items), nextPageToken: page.nextPageToken };
  });
}

function clauseSql(clause: Clause<Kind>): SqlPiece {
  const { kind, key, comparator } = clause;
  switch (kind) {
    case "attribute":
      return comparisonSql(COLUMNS[key], clause);
    case "metric":
      return ofRuns("SELECT run FROM metric_series WHERE key = ?", key, metricSql(clause));
    case "dataset":
      return datasetSql(clause);
    default: {
      const table = NAMES[kind];
      if (comparator === "IS NULL" || comparator === "IS NOT NULL") {
        const not = comparator === "IS NULL" ? "NOT" : "";
        return {
          sql: `${not} EXISTS (SELECT 1 FROM ${table} x WHERE x.run = r.id AND x.key = ?)`,
          params: [key],
        };
      }
      return ofRuns(`SELECT run FROM ${table} WHERE key = ?`, key, comparisonSql("value", clause));
    }
  }
}

function ofRuns(select: string, key: SqlValue, tested: SqlPiece): SqlPiece {
  return { sql: `r.id IN (${select} AND ${tested.sql})`, params: [key, ...tested.params] };
}

/** NaN is unequal to every number and in no order with any. */
function metricSql(clause: Clause): SqlPiece {
  const { sql, params } = comparisonSql("value", clause);
  const withNan = clause.comparator === "!=" ? `(${sql} OR is_nan = 1)` : `${sql} AND is_nan = 0`;
  return { sql: withNan, params };
}

function datasetSql(clause: Clause): SqlPiece {
  if (clause.key === "context") {
    const { sql, params } = comparisonSql("t.value", clause);
    return {
      sql: `r.id IN (SELECT i.run FROM run_dataset i JOIN run_dataset_tag t ON t.run_dataset = i.id
        WHERE t.key = 'mlflow.data.context' AND ${sql})`,
      params,
    };
  }
  const { sql, params } = comparisonSql(`d.${clause.key}`, clause);
  return {
    sql:
      `r.id IN (SELECT i.run FROM run_dataset i JOIN dataset d ON d.id = i.dataset WHERE ${sql})`,
    params,
  };
}

/** Runs without the value come last, before them those whose metric is NaN. */
function orderSql(texts: readonly string[]): { joins: SqlPiece; by: string } {
  const orders = parseOrderBy(texts, LANGUAGE);
  const joins: SqlPiece[] = [];
  const by: string[] = [];
  orders.forEach(({ kind, key, ascending }: OrderBy<Kind>, i) => {
    const direction = ascending ? "ASC" : "DESC";
    if (kind === "dataset") throw invalid(`Invalid identifier type '${kind}'`);
    if (kind === "attribute") {
      by.push(`${COLUMNS[key]} IS NULL`, `${COLUMNS[key]} ${direction}`);
      return;
    }
    const table = kind === "metric" ? "metric_series" : NAMES[kind];
    joins.push({
      sql: `LEFT JOIN ${table} o${i} ON o${i}.run = r.id AND o${i}.key = ?`,
      params: [key],
    });
    const last = kind === "metric" ? `CASE WHEN o${i}.is_nan = 1 THEN 1 ELSE 0 END` : "0";
    by.push(`CASE WHEN o${i}.value IS NULL THEN 2 ELSE ${last} END`, `o${i}.value ${direction}`);
  });
  if (!orders.some(({ kind, key }) => kind === "attribute" && key === "start_time")) {
    by.push("r.started_ms DESC");
  }
  by.push("r.run_id");
  return {
    joins: {
      sql: joins.map(({ sql }) => sql).join(" "),
      params: joins.flatMap(({ params }) => params),
    },
    by: by.join(", "),
  };
}
