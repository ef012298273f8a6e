import { SerinError } from "../core/mod.ts";
import {
  allOf,
  type Clause,
  comparisonSql,
  decodePageToken,
  type FilterLanguage,
  type Page,
  parseFilter,
  parseOrderBy,
  type Reader,
  type SqlPiece,
  toPage,
  type Transaction,
} from "../database/mod.ts";
import type { TrackingContext } from "./context.ts";
import type { Experiment, KeyValue, Stage, View } from "./entities.ts";
import { joinUri } from "./names.ts";
import {
  checkKey,
  checkLength,
  checkSearchLimit,
  invalid,
  parseExperimentId,
  pythonRepr,
  TRACKING_LIMITS,
} from "./validation.ts";

/** What a search of experiments asks for. */
export interface ExperimentSearch {
  readonly filter?: string;
  readonly orderBy?: readonly string[];
  readonly view: View;
  /** Rows of a page, 1 to 50000. */
  readonly limit: number;
  readonly pageToken?: string;
}

interface Row {
  id: number;
  name: string;
  artifact_location: string;
  stage: Stage;
  created_ms: number;
  updated_ms: number;
}

const LANGUAGE = {
  spellings: { attribute: "attribute", tag: "tag", tags: "tag" },
  bare: "attribute",
  messages: {
    unknownKind: (spelling) =>
      `Invalid entity type '${spelling}'. Valid entity types are ('attribute', 'tag', 'tags')`,
  },
  kinds: {
    attribute: {
      comparators: ["=", "!=", "LIKE", "ILIKE", "IN", "NOT IN"],
      keys: ["name", "experiment_id", "creation_time", "last_update_time"],
      numeric: ["creation_time", "last_update_time"],
      numericComparators: ["=", "!=", ">", ">=", "<", "<="],
      listKeys: ["experiment_id"],
    },
    tag: { comparators: ["=", "!=", "LIKE", "ILIKE", "IS NULL", "IS NOT NULL"] },
  },
} as const satisfies FilterLanguage<"attribute" | "tag">;

const COLUMNS: Readonly<Record<string, string>> = {
  name: "e.name",
  experiment_id: "e.id",
  creation_time: "e.created_ms",
  last_update_time: "e.updated_ms",
};

/** Groups of runs. The experiment "Default" has the id 0 and is always there. */
export class Experiments {
  readonly #context: TrackingContext;

  constructor(context: TrackingContext) {
    this.#context = context;
    const { database, artifactRoot, clock } = context;
    database.transaction((tx) => {
      if (tx.get("SELECT 1 FROM experiment WHERE id = 0") !== undefined) return;
      const now = clock.now();
      tx.run(
        "INSERT INTO experiment VALUES (0, 'Default', ?, 'active', ?, ?)",
        joinUri(artifactRoot, "0"),
        now,
        now,
      );
    });
  }

  /**
   * @returns the new experiment's id
   * @throws {SerinError} `already_exists` for a name that is taken, by a deleted one too;
   * `invalid_input` for a wrong name, tag or location
   */
  create(name: string, artifactLocation?: string, tags: readonly KeyValue[] = []): string {
    checkName(name);
    for (const { key, value } of tags) checkTag(key, value);
    const { database, artifactRoot, clock } = this.#context;
    return database.transaction((tx) => {
      refuseTaken(tx, name);
      const now = clock.now();
      const { lastInsertRowid: id } = tx.run(
        "INSERT INTO experiment VALUES (NULL, ?, ?, 'active', ?, ?)",
        name,
        artifactLocation ?? "",
        now,
        now,
      );
      if (artifactLocation === undefined) {
        const location = joinUri(artifactRoot, String(id));
        tx.run("UPDATE experiment SET artifact_location = ? WHERE id = ?", location, id);
      }
      for (const { key, value } of tags) writeTag(tx, id, key, value);
      return String(id);
    });
  }

  /** @throws {SerinError} `not_found`, `invalid_input` for an id that is no integer */
  get(id: string): Experiment {
    return this.#context.database.read((reader) => getExperiment(reader, id));
  }

  /** @returns the experiment of that name, deleted ones too */
  findByName(name: string): Experiment | undefined {
    return this.#context.database.read((reader) => {
      const row = reader.get<Row>("SELECT * FROM experiment WHERE name = ?", name);
      return row === undefined ? undefined : withTags(reader, [row])[0];
    });
  }

  /** Gives an active experiment another name. @throws {SerinError} as create and get; `conflict` */
  rename(id: string, name: string): void {
    checkName(name);
    const { database, clock } = this.#context;
    database.transaction((tx) => {
      const experiment = getExperiment(tx, id);
      if (experiment.stage !== "active") {
        throw new SerinError("conflict", "Cannot rename a non-active experiment.");
      }
      if (experiment.name !== name) refuseTaken(tx, name);
      const sql = "UPDATE experiment SET name = ?, updated_ms = ? WHERE id = ?";
      tx.run(sql, name, clock.now(), Number(experiment.id));
    });
  }

  /** Deletes an active experiment and its runs; both may be restored. */
  delete(id: string): void {
    this.#move(id, "active", "deleted");
  }

  /** Restores a deleted experiment and all its runs. */
  restore(id: string): void {
    this.#move(id, "deleted", "active");
  }

  /** @throws {SerinError} `not_found`, `invalid_input` for a wrong tag or a deleted experiment */
  setTag(id: string, key: string, value: string): void {
    checkTag(key, value);
    this.#context.database.transaction((tx) => {
      writeTag(tx, getActive(tx, id), key, value);
    });
  }

  /** @throws {SerinError} `not_found` where there is no such tag or experiment */
  deleteTag(id: string, key: string): void {
    this.#context.database.transaction((tx) => {
      const sql = "DELETE FROM experiment_tag WHERE experiment = ? AND key = ?";
      if (tx.run(sql, getActive(tx, id), key).changes > 0) return;
      throw new SerinError("not_found", `No tag with name: ${key} in experiment with id ${id}`);
    });
  }

  /** @throws {SerinError} `invalid_input` for a wrong filter, order, limit or token */
  search(search: ExperimentSearch): Page<Experiment> {
    checkSearchLimit(search.limit);
    const offset = decodePageToken(search.pageToken);
    const pieces = parseFilter(search.filter, LANGUAGE).map(clauseSql);
    if (search.view !== "all") pieces.push({ sql: "e.stage = ?", params: [search.view] });
    const where = allOf(pieces);
    const sql = `SELECT e.* FROM experiment e WHERE ${where.sql}
      ORDER BY ${orderSql(search.orderBy ?? [])} LIMIT ? OFFSET ?`;
    return this.#context.database.read((reader) => {
      const rows = reader.all<Row>(sql, ...where.params, search.limit + 1, offset);
      return toPage(withTags(reader, rows), search.limit, offset);
    });
  }

  #move(id: string, from: Stage, to: Stage): void {
    const { database, clock } = this.#context;
    database.transaction((tx) => {
      const experiment = parseExperimentId(id || "0");
      const now = clock.now();
      const { changes } = tx.run(
        "UPDATE experiment SET stage = ?, updated_ms = ? WHERE id = ? AND stage = ?",
        to,
        now,
        experiment,
        from,
      );
      if (changes === 0) throw notFound(experiment);
      const deleted = to === "deleted" ? now : null;
      const sql = "UPDATE run SET stage = ?, deleted_ms = ? WHERE experiment = ?";
      tx.run(sql, to, deleted, experiment);
    });
  }
}

/** @throws {SerinError} `not_found`, `invalid_input` for an id that is no integer */
export function getExperiment(reader: Reader, id: string): Experiment {
  const number = parseExperimentId(id || "0");
  const row = reader.get<Row>("SELECT * FROM experiment WHERE id = ?", number);
  if (row === undefined) throw notFound(number);
  return withTags(reader, [row])[0];
}

/** @throws {SerinError} `invalid_input` where the experiment was deleted */
export function checkActive(experiment: Experiment): void {
  if (experiment.stage === "active") return;
  throw invalid(
    `The experiment ${experiment.id} must be in the 'active' state. ` +
      `Current state is ${experiment.stage}.`,
  );
}

function getActive(reader: Reader, id: string): number {
  const experiment = getExperiment(reader, id);
  checkActive(experiment);
  return Number(experiment.id);
}

function notFound(id: number): SerinError {
  return new SerinError("not_found", `No Experiment with id=${id} exists`);
}

function refuseTaken(reader: Reader, name: string): void {
  if (reader.get("SELECT 1 FROM experiment WHERE name = ?", name) === undefined) return;
  throw new SerinError("already_exists", `Experiment(name=${name}) already exists.`);
}

function checkName(name: string): void {
  if (name === "") throw invalid(`Invalid experiment name: ''`);
  checkLength("name", TRACKING_LIMITS.experimentNameCharactersMax, name);
}

function checkTag(key: string, value: string): void {
  checkKey(key, "key");
  checkLength("key", TRACKING_LIMITS.keyCharactersMax, key);
  checkLength("value", TRACKING_LIMITS.experimentTagValueCharactersMax, value);
}

function writeTag(tx: Transaction, id: number, key: string, value: string): void {
  const sql = `INSERT INTO experiment_tag VALUES (?, ?, ?)
    ON CONFLICT DO UPDATE SET value = excluded.value`;
  tx.run(sql, id, key, value);
}

function withTags(reader: Reader, rows: readonly Row[]): Experiment[] {
  return rows.map((row) => ({
    id: String(row.id),
    name: row.name,
    artifactLocation: row.artifact_location,
    stage: row.stage,
    createdMs: row.created_ms,
    updatedMs: row.updated_ms,
    tags: reader.all<{ key: string; value: string }>(
      "SELECT key, value FROM experiment_tag WHERE experiment = ?",
      row.id,
    ),
  }));
}

function clauseSql(clause: Clause<"attribute" | "tag">): SqlPiece {
  const { kind, key, comparator, value } = clause;
  if (kind === "tag") {
    const not = comparator === "IS NULL" ? "NOT" : "";
    const tested = value === null ? { sql: "TRUE", params: [] } : comparisonSql("t.value", clause);
    return {
      sql: `${not} EXISTS (SELECT 1 FROM experiment_tag t
        WHERE t.experiment = e.id AND t.key = ? AND ${tested.sql})`,
      params: [key, ...tested.params],
    };
  }
  if (key === "experiment_id") {
    if (!["=", "!=", "IN", "NOT IN"].includes(comparator)) {
      throw invalid(`Invalid comparator for experiment_id: ${comparator}`);
    }
    const ids = (Array.isArray(value) ? value : [value]).map((id) => parseExperimentId(String(id)));
    const not = comparator === "!=" || comparator === "NOT IN" ? "NOT" : "";
    return { sql: `e.id ${not} IN (${ids.map(() => "?").join(", ")})`, params: ids };
  }
  if (typeof value === "number" && !Number.isInteger(value)) {
    throw invalid(`Invalid value for numeric attribute '${key}': ${pythonRepr(String(value))}`);
  }
  return comparisonSql(COLUMNS[key], clause);
}

function orderSql(texts: readonly string[]): string {
  const orders = parseOrderBy(
    texts.length > 0 ? texts : ["creation_time DESC", "experiment_id ASC"],
    LANGUAGE,
  );
  for (const { kind } of orders) {
    if (kind !== "attribute") throw invalid(`Invalid order_by entity: ${kind}`);
  }
  const columns = orders.map(({ key, ascending }) =>
    `${COLUMNS[key]} ${ascending ? "ASC" : "DESC"}`
  );
  return [...columns, "e.id DESC"].join(", ");
}
