import {
  allOf,
  type Clause,
  comparisonSql,
  type Database,
  decodePageToken,
  type FilterLanguage,
  type FilterMessages,
  type Page,
  parseFilter,
  parseOrderBy,
  type SqlPiece,
  toPage,
} from "../database/mod.ts";
import { type ModelVersion, PROMPT_TAG, type RegisteredModel } from "./entities.ts";
import { type ModelRow, toModel, toVersion, VERSION_ROWS, type VersionRow } from "./reader.ts";
import { invalid, REGISTRY_LIMITS } from "./validation.ts";

/** What a search of registered models or versions asks for. */
export interface ModelSearch {
  readonly filter?: string;
  readonly orderBy?: readonly string[];
  /** Rows of a page: 1 to 1000 models, 1 to 200000 versions. */
  readonly limit: number;
  readonly pageToken?: string;
}

type Kind = "attribute" | "tag";

const SPELLINGS = { attribute: "attribute", tag: "tag", tags: "tag" } as const;
const TEXT = ["=", "!=", "LIKE", "ILIKE", "IN", "NOT IN"] as const;
const TAG = { comparators: ["=", "!=", "LIKE", "ILIKE"] } as const;

const MESSAGES: FilterMessages = {
  unknownKind: (spelling) =>
    `Invalid entity type '${spelling}'. Valid entity types are ('attribute', 'tag', 'tags')`,
  comparator: ({ kind, key, comparator, numeric }) =>
    `Invalid comparator for ${kind}${numeric ? ` ${key}` : ""}: ${comparator}`,
  attributeValue: "Expected a quoted string value or a list of quoted string values for attributes",
  wrongNumber: (key, written) => `Invalid value for numeric attribute '${key}': ${written}`,
};

const MODEL_LANGUAGE: FilterLanguage<Kind> = {
  spellings: SPELLINGS,
  bare: "attribute",
  messages: MESSAGES,
  kinds: { attribute: { comparators: TEXT, keys: ["name"] }, tag: TAG },
};

const MODEL_ORDER: Readonly<Record<string, string>> = {
  name: "m.name",
  timestamp: "m.updated_ms",
  last_updated_timestamp: "m.updated_ms",
};

const VERSION_LANGUAGE: FilterLanguage<Kind> = {
  spellings: SPELLINGS,
  bare: "attribute",
  messages: MESSAGES,
  kinds: {
    attribute: {
      comparators: TEXT,
      keys: ["name", "version_number", "run_id", "source_path"],
      numeric: ["version_number"],
      numericComparators: ["=", "!=", ">", ">=", "<", "<="],
      numbersQuoted: ["version_number"],
      listKeys: ["name", "run_id"],
    },
    tag: TAG,
  },
};

const VERSION_COLUMNS: Readonly<Record<string, string>> = {
  name: "m.name",
  version_number: "v.version",
  run_id: "v.run_id",
  source_path: "v.source",
  creation_timestamp: "v.created_ms",
  last_updated_timestamp: "v.updated_ms",
};

const PROMPTS = `(SELECT model FROM registered_model_tag WHERE key = '${PROMPT_TAG}'
  AND value = 'true')`;

/** @throws {SerinError} `invalid_input` for a wrong filter, order, limit or token */
export function searchModels(database: Database, search: ModelSearch): Page<RegisteredModel> {
  checkLimit(search.limit, REGISTRY_LIMITS.modelSearchResultsMax);
  const offset = decodePageToken(search.pageToken);
  const clauses = parseFilter(search.filter, MODEL_LANGUAGE);
  const tags = "SELECT model FROM registered_model_tag WHERE key = ?";
  const where = whereSql(
    clauses,
    (clause) =>
      clause.kind === "attribute" ? comparisonSql("m.name", clause) : tagSql("m.id", tags, clause),
  );
  const by = orderSql(search.orderBy ?? [], MODEL_ORDER, ["name", "timestamp"], ["name ASC"]);
  return database.read((reader) => {
    const rows = reader.all<ModelRow>(
      `SELECT m.* FROM registered_model m WHERE ${where.sql} ORDER BY ${by} LIMIT ? OFFSET ?`,
      ...where.params,
      search.limit + 1,
      offset,
    );
    const page = toPage(rows, search.limit, offset);
    return { ...page, items: page.items.map((row) => toModel(reader, row)) };
  });
}

/** @throws {SerinError} `invalid_input` for a wrong filter, order, limit or token */
export function searchVersions(database: Database, search: ModelSearch): Page<ModelVersion> {
  checkLimit(search.limit, REGISTRY_LIMITS.versionSearchResultsMax);
  const offset = decodePageToken(search.pageToken);
  const clauses = parseFilter(search.filter, VERSION_LANGUAGE);
  const tags = "SELECT model_version FROM model_version_tag WHERE key = ?";
  const where = whereSql(
    clauses,
    (clause) =>
      clause.kind === "attribute"
        ? comparisonSql(VERSION_COLUMNS[clause.key], clause)
        : tagSql("v.id", tags, clause),
  );
  const orders = search.orderBy?.length ? search.orderBy : ["last_updated_timestamp DESC"];
  const keys = ["name", "version_number", "creation_timestamp", "last_updated_timestamp"];
  const by = orderSql(orders, VERSION_COLUMNS, keys, ["name ASC", "version_number DESC"]);
  return database.read((reader) => {
    const rows = reader.all<VersionRow>(
      `${VERSION_ROWS} WHERE v.stage != 'Deleted' AND ${where.sql} ORDER BY ${by} LIMIT ? OFFSET ?`,
      ...where.params,
      search.limit + 1,
      offset,
    );
    const page = toPage(rows, search.limit, offset);
    return { ...page, items: page.items.map((row) => toVersion(reader, row)) };
  });
}

function checkLimit(limit: number, most: number): void {
  if (limit < 1) {
    throw invalid(
      `Invalid value for max_results. It must be a positive integer, but got ${limit}`,
    );
  }
  if (limit > most) {
    throw invalid(
      `Invalid value for request parameter max_results. It must be at most ${most}, but got value ` +
        `${limit}`,
    );
  }
}

/** Prompts are shown only to who asks for them. */
function whereSql(
  clauses: readonly Clause<Kind>[],
  toSql: (clause: Clause<Kind>) => SqlPiece,
): SqlPiece {
  const asked = clauses.find(({ kind, key }) => kind === "tag" && key === PROMPT_TAG);
  const wantsPrompts = asked !== undefined &&
    ((asked.comparator === "=" && String(asked.value).toLowerCase() === "true") ||
      (asked.comparator === "!=" && String(asked.value).toLowerCase() === "false"));
  if (wantsPrompts) return allOf(clauses.map(toSql));
  // A model has no such tag, so the comparison itself would hide it.
  const others = clauses.filter(({ kind, key }) => kind !== "tag" || key !== PROMPT_TAG);
  return allOf([...others.map(toSql), { sql: `m.id NOT IN ${PROMPTS}`, params: [] }]);
}

function tagSql(id: string, select: string, clause: Clause<Kind>): SqlPiece {
  const tested = comparisonSql("value", clause);
  return { sql: `${id} IN (${select} AND ${tested.sql})`, params: [clause.key, ...tested.params] };
}

function orderSql(
  texts: readonly string[],
  columns: Readonly<Record<string, string>>,
  recommended: readonly string[],
  ties: readonly string[],
): string {
  const language = {
    spellings: SPELLINGS,
    bare: "attribute" as const,
    messages: MESSAGES,
    kinds: { attribute: { comparators: [] }, tag: TAG },
  };
  const orders = parseOrderBy(texts, language);
  for (const { kind, key } of orders) {
    if (kind !== "attribute") throw invalid(`Invalid order_by entity: ${kind}`);
    if (columns[key] === undefined) {
      const valid = recommended.map((name) => `'${name}'`).join(", ");
      const what = recommended.length > 2 ? "attribute key" : "order by key";
      throw invalid(`Invalid ${what} '${key}' specified. Valid keys are '{${valid}}'`);
    }
  }
  const given = orders.map(({ key, ascending }) => `${columns[key]} ${ascending ? "ASC" : "DESC"}`);
  const rest = ties.filter((tie) => !orders.some(({ key }) => key === tie.split(" ")[0]))
    .map((tie) => `${columns[tie.split(" ")[0]]} ${tie.split(" ")[1]}`);
  return [...given, ...rest].join(", ");
}
