import { type DatabaseReader, openDatabaseReader, type Reader } from "../../database/mod.ts";
import { SerinError } from "../../core/mod.ts";
import { BlockPlaces } from "./block_places.ts";
import { type PackedLabel, readLabels } from "./label_block.ts";
import { LabelIndex } from "./label_index.ts";
import { type LoggedColumn, readBlock } from "./prediction_block.ts";
import { PREDICTION_FILE, PREDICTION_MIGRATIONS } from "./schema.ts";

/** What rows are wanted. */
export interface PredictionFilter {
  readonly model: string;
  /** Milliseconds since the epoch; default all. */
  readonly sinceMs?: number | undefined;
  readonly untilMs?: number | undefined;
  /** Only rows whose label is known. */
  readonly labelled?: boolean | undefined;
  /** From the newest block to the oldest; within one, rows stay in their order. */
  readonly newestFirst?: boolean | undefined;
}

/** One logged row. */
export interface LoggedRow {
  readonly version: string;
  readonly arm: "stable" | "canary";
  readonly time: number;
  /** Names the prediction: hexadecimal; undefined where it had no token. */
  readonly nonce: string | undefined;
  readonly row: number;
  /** By column. */
  readonly inputs: ReadonlyMap<string, LoggedValue>;
  readonly predicted: number | string | undefined;
  readonly score: number | undefined;
  readonly label: string | undefined;
}

/** A value, and whether it was of 32 bits. */
export interface LoggedValue {
  readonly value: number | string;
  readonly datatype: string;
}

/**
 * Labels come after their predictions, by a clock that may be another machine's: those that arrived
 * earlier than this before the first wanted row are nobody's. It bounds what an export keeps in memory.
 */
const CLOCKS_APART_MS = 24 * 3600 * 1000;
/** Labels, or blocks of them, that are read at once. */
const LABELS_AT_ONCE = 1000;
/** Places of blocks that are read at once. */
const PLACES_AT_ONCE = 10_000;

interface StoredBlock {
  readonly version: string;
  readonly columns: string;
  readonly body: Uint8Array;
}

/** Reads prediction logs, also while serving processes write them. */
export class PredictionReader implements Disposable {
  readonly #logs: readonly DatabaseReader[];

  private constructor(logs: readonly DatabaseReader[]) {
    this.#logs = logs;
  }

  /**
   * @param folders of replicas; a label in one is joined to a prediction in another
   * @throws {SerinError} `not_found` where one holds no log, `storage`
   */
  static open(folders: readonly string[]): PredictionReader {
    const logs: DatabaseReader[] = [];
    try {
      for (const folder of folders) {
        const path = `${folder}/${PREDICTION_FILE}`;
        // What is read here is the same in all schemas.
        logs.push(openDatabaseReader(path, PREDICTION_MIGRATIONS, { older: true }));
      }
      return new PredictionReader(logs);
    } catch (thrown) {
      for (const log of logs) log.close();
      throw thrown;
    }
  }

  /** @returns the models that have rows */
  models(): string[] {
    const names = this.#logs.flatMap((log) =>
      log.read((reader) =>
        reader.all<{ model: string }>("SELECT DISTINCT model FROM prediction_block LIMIT 1000")
      ).map(({ model }) => model)
    );
    return [...new Set(names)].toSorted();
  }

  /**
   * @returns the names of a model's columns, of all versions, those of the newest first
   * @throws {SerinError} `not_found` where the model has no rows
   */
  columns(model: string): string[] {
    const names = new Set<string>();
    for (const log of this.#logs) {
      const found = log.read((reader) =>
        reader.all<{ columns: string }>(
          `SELECT columns, max(id) AS newest FROM prediction_block WHERE model = ?
            GROUP BY columns ORDER BY newest DESC LIMIT 1000`,
          model,
        )
      );
      for (const { columns } of found) {
        for (const { name } of JSON.parse(columns) as LoggedColumn[]) names.add(name);
      }
    }
    if (names.size > 0) return [...names];
    const models = this.models();
    throw new SerinError("not_found", `The prediction log has no rows of model "${model}"`, {
      hint: models.length === 0 ? "it has none at all yet" : `it has rows of ${models.join(", ")}`,
    });
  }

  /** @returns a row of a model, without its label; undefined where it has none */
  anyRow(model: string): LoggedRow | undefined {
    const sql = "SELECT version, columns, body FROM prediction_block WHERE model = ? " +
      "ORDER BY id LIMIT 1";
    for (const log of this.#logs) {
      const block = log.read((reader) => reader.get<StoredBlock>(sql, model));
      for (const row of block === undefined ? [] : this.#rowsOf(block, new LabelIndex())) {
        return row;
      }
    }
    return undefined;
  }

  /** Rows in the order of time, as far as blocks tell (about half a second). */
  *rows(filter: PredictionFilter): Generator<LoggedRow> {
    const { sinceMs = 0, untilMs = Number.MAX_SAFE_INTEGER } = filter;
    const known = this.#labels(sinceMs - CLOCKS_APART_MS);
    for (const { log, id } of this.#places(filter.model, sinceMs, untilMs).inTime(filter)) {
      const block = this.#logs[log].read((reader) =>
        reader.get<StoredBlock>(
          "SELECT version, columns, body FROM prediction_block WHERE id = ?",
          id,
        )
      );
      // Meanwhile it may have left the ring.
      if (block === undefined) continue;
      for (const row of this.#rowsOf(block, known)) {
        if (row.time < sinceMs || row.time >= untilMs) continue;
        if (filter.labelled === true && row.label === undefined) continue;
        yield row;
      }
    }
  }

  close(): void {
    for (const log of this.#logs) log.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  /** A part at a time: a log that seldom has more than a row a block has millions of them. */
  #places(model: string, sinceMs: number, untilMs: number): BlockPlaces {
    const places = new BlockPlaces();
    this.#logs.forEach((log, at) => {
      for (let last = 0;;) {
        const found = log.read((reader) =>
          reader.all<{ id: number; first_ms: number }>(
            `SELECT id, first_ms FROM prediction_block
              WHERE model = ? AND last_ms >= ? AND first_ms < ? AND id > ?
              ORDER BY id LIMIT ${PLACES_AT_ONCE}`,
            ...[model, sinceMs, untilMs, last],
          )
        );
        for (const { id, first_ms: firstMs } of found) places.add({ log: at, id, firstMs });
        if (found.length < PLACES_AT_ONCE) break;
        last = found.at(-1)!.id;
      }
    });
    return places;
  }

  *#rowsOf(
    block: StoredBlock,
    known: LabelIndex,
  ): Generator<LoggedRow> {
    const columns = JSON.parse(block.columns) as LoggedColumn[];
    for (const answer of readBlock(block.body, columns)) {
      const { arm, time, nonce, rows, inputs, labels, scores } = answer;
      for (let row = 0; row < rows; row++) {
        yield {
          version: block.version,
          arm,
          time,
          nonce: nonce?.toHex(),
          row,
          inputs: inputsOf(columns, inputs, { row, rows }),
          predicted: labels?.[row],
          score: scores?.[row],
          label: nonce && known.find(nonce, row),
        };
      }
    }
  }

  /** Labels of all logs since then; of two that name the same row, that of the first log counts. */
  #labels(sinceMs: number): LabelIndex {
    const known = new LabelIndex();
    for (const log of this.#logs) {
      const add = log.read(hasLabelBlocks) ? addLabelBlocks : addSingleLabels;
      add(log, known, sinceMs);
    }
    return known;
  }
}

function hasLabelBlocks(reader: Reader): boolean {
  const sql = "SELECT 1 FROM sqlite_schema WHERE name = 'prediction_label_block'";
  return reader.get(sql) !== undefined;
}

function addLabelBlocks(log: DatabaseReader, known: LabelIndex, sinceMs: number): void {
  for (let last = 0;;) {
    const blocks = log.read((reader) =>
      reader.all<{ id: number; body: Uint8Array }>(
        `SELECT last_id AS id, body FROM prediction_label_block WHERE last_id > ?
          AND arrived_ms >= ? ORDER BY last_id LIMIT ${LABELS_AT_ONCE}`,
        ...[last, sinceMs],
      )
    );
    for (const { body } of blocks) for (const label of readLabels(body)) known.add(label);
    if (blocks.length < LABELS_AT_ONCE) return;
    last = blocks.at(-1)!.id;
  }
}

/** Of a log that was not opened for writing since labels came in blocks. */
function addSingleLabels(log: DatabaseReader, known: LabelIndex): void {
  let last: PackedLabel = { nonce: new Uint8Array(), row: 0, label: "" };
  for (;;) {
    const labels = log.read((reader) =>
      reader.all<PackedLabel>(
        `SELECT nonce, row, label FROM prediction_label WHERE (nonce, row) > (?, ?)
          ORDER BY nonce, row LIMIT ${LABELS_AT_ONCE}`,
        ...[last.nonce, last.row],
      )
    );
    for (const label of labels) known.add(label);
    if (labels.length < LABELS_AT_ONCE) return;
    last = labels.at(-1)!;
  }
}

/** An input with several values a row becomes as many columns: `name.0`, `name.1`, … */
function inputsOf(
  columns: readonly LoggedColumn[],
  inputs: readonly (readonly (number | string)[])[],
  { row, rows }: { row: number; rows: number },
): Map<string, LoggedValue> {
  const values = new Map<string, LoggedValue>();
  columns.forEach(({ name, datatype }, column) => {
    const width = inputs[column].length / rows;
    for (let i = 0; i < width; i++) {
      const value = inputs[column][row * width + i];
      values.set(width === 1 ? name : `${name}.${i}`, { value, datatype });
    }
  });
  return values;
}
