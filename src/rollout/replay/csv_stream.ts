import { SerinError } from "../../core/mod.ts";
import { newBatch, OUTCOME, type RequestBatch, type RequestStream } from "./request_stream.ts";

const COLUMNS = ["t", "a", "err_s", "err_c", "lat_s_us", "lat_c_us"];
const LABEL_COLUMNS = ["wrong_s", "wrong_c", "has_label", "label_t"];
const PROBLEMS_MAX = 20;

/**
 * Reads a recorded stream: `t,a,err_s,err_c,lat_s_us,lat_c_us[,wrong_s,wrong_c,has_label,label_t]`,
 * one request a line in the order of time, with or without a header line.
 *
 * @param source what to call it in errors
 * @throws {SerinError} invalid_input, with every bad line (the first 20)
 */
export function parseCsvStream(text: string, source: string): RequestStream {
  const lines = text.split(/\r?\n/), problems: string[] = [];
  const rows: number[][] = [];
  let width = 0, last = -Infinity;
  lines.forEach((line, i) => {
    if (line.trim() === "" || (rows.length === 0 && line.startsWith("t,"))) return;
    const cells = line.split(",").map((cell) => cell.trim() === "" ? NaN : Number(cell));
    width ||= cells.length;
    const problem = rowProblem(cells, width, last);
    if (problem !== undefined) problems.push(`line ${i + 1}: ${problem}`);
    else last = cells[0];
    rows.push(cells);
  });
  if (rows.length === 0) problems.push("no request in it");
  if (problems.length > 0) {
    throw new SerinError(
      "invalid_input",
      `${source} has ${problems.length} problem${problems.length === 1 ? "" : "s"}:\n  ` +
        problems.slice(0, PROBLEMS_MAX).join("\n  "),
      { hint: `columns are ${COLUMNS.join()}[,${LABEL_COLUMNS.join()}]` },
    );
  }
  return new CsvStream(rows, width > COLUMNS.length);
}

function rowProblem(cells: number[], width: number, last: number): string | undefined {
  if (cells.length !== COLUMNS.length && cells.length !== COLUMNS.length + LABEL_COLUMNS.length) {
    return `${cells.length} columns instead of 6 or 10`;
  }
  if (cells.length !== width) return `${cells.length} columns where the first line has ${width}`;
  if (!cells.every(Number.isInteger)) return "a cell is not a whole number";
  const [t, a, errorStable, errorCanary, latencyStable, latencyCanary, ...label] = cells;
  if (Math.abs(t) > 1e7) return `t is ${t}`;
  if (t < last) return `t goes back from ${last} to ${t}`;
  if (a < 0 || a > 0xffffffff) return `a is ${a}, not in 0 to 2^32 - 1`;
  const flags = [errorStable, errorCanary, ...label.slice(0, 3)];
  if (!flags.every((flag) => flag === 0 || flag === 1)) return "a flag is neither 0 nor 1";
  if (latencyStable < 0 || latencyCanary < 0) return "a latency is negative";
  if (label[2] === 1 && label[3] < t) return `the label arrives before its request`;
  return undefined;
}

class CsvStream implements RequestStream {
  readonly firstSecond: number;
  readonly labels: boolean;
  readonly #rows: number[][];
  #next = 0;

  constructor(rows: number[][], labels: boolean) {
    this.#rows = rows;
    this.labels = labels;
    this.firstSecond = Math.min(0, rows[0][0]);
  }

  second(time: number): RequestBatch {
    const from = this.#next;
    while (this.#next < this.#rows.length && this.#rows[this.#next][0] <= time) this.#next++;
    const batch = newBatch(this.#next - from);
    batch.count = this.#next - from;
    for (let k = 0; k < batch.count; k++) {
      const row = this.#rows[from + k];
      batch.assignments[k] = row[1];
      batch.outcomes[k] = row[2] * OUTCOME.errorStable + row[3] * OUTCOME.errorCanary;
      batch.latencyStable[k] = row[4];
      batch.latencyCanary[k] = row[5];
      if (!this.labels) continue;
      batch.outcomes[k] += row[6] * OUTCOME.wrongStable + row[7] * OUTCOME.wrongCanary +
        row[8] * OUTCOME.labelled;
      batch.labelTimes[k] = row[9];
    }
    return batch;
  }
}
