/** Callers of the electricity model, whose world changes at one known request. */
import { SeededRandom } from "../../src/core/mod.ts";
import type { ReplayRow } from "../../src/demo/mod.ts";
import { inferBody, type Json, post } from "../support/workbench.ts";

/** Rows of a request: few, so that a rollout sees many requests. */
const BATCH = 10;
const CONNECTIONS = 4;
/** Requests after which a connection posts what turned out to be true. */
const LABEL_EVERY = 5;
const PAUSE_MS = 15;

/** The column whose meaning changes: it is reported the other way round. */
export const SHIFTED = "nswprice";

/** Asks on some connections, and labels every row soon after. */
export class Callers implements AsyncDisposable {
  /** Requests that were answered. */
  answered = 0;
  /** The request from which on the inputs are shifted. */
  shiftedFrom: number | undefined;
  readonly problems: string[] = [];
  readonly #url: string;
  readonly #model: string;
  readonly #rows: readonly ReplayRow[];
  readonly #random = new SeededRandom(17);
  readonly #running: Promise<unknown>;
  #stopped = false;

  /** @param url of the data port */
  constructor(url: string, model: string, rows: readonly ReplayRow[]) {
    this.#url = url;
    this.#model = model;
    this.#rows = rows;
    this.#running = Promise.all(Array.from({ length: CONNECTIONS }, () => this.#run()));
  }

  /** The inputs are shifted from now on. @returns the number of the request */
  shift(): number {
    return this.shiftedFrom = this.answered;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopped = true;
    await this.#running;
  }

  async #run(): Promise<void> {
    let labels: Json[] = [];
    for (let n = 1; !this.#stopped; n++) {
      const rows = Array.from(
        { length: BATCH },
        () => this.#rows[this.#random.uint32() % this.#rows.length],
      );
      try {
        labels.push(...await this.#ask(rows));
        if (n % LABEL_EVERY === 0) {
          await this.#label(labels);
          labels = [];
        }
      } catch (thrown) {
        this.problems.push(String(thrown));
      }
      await new Promise((done) => setTimeout(done, PAUSE_MS));
    }
  }

  async #ask(rows: readonly ReplayRow[]): Promise<Json[]> {
    const body = inferBody(this.#columns(rows));
    const answer = await post(`${this.#url}/v2/models/${this.#model}/infer`, body);
    if (answer.status !== 200) throw new Error(`${answer.status} ${answer.text}`);
    this.answered++;
    const prediction = answer.json.parameters.serin_prediction;
    return rows.map(({ label }, row) => ({ prediction, row, label }));
  }

  #columns(rows: readonly ReplayRow[]): Record<string, number[]> {
    return Object.fromEntries(rows[0].inputs.map(({ name }, i) => {
      const isShifted = this.shiftedFrom !== undefined && name === SHIFTED;
      const values = rows.map(({ inputs }) => inputs[i].value);
      // Prices are mostly near 0.06 of their range: turned about there, they stay plausible.
      return [name, isShifted ? values.map((value) => 0.12 - value) : values];
    }));
  }

  async #label(labels: readonly Json[]): Promise<void> {
    const { status, text, json } = await post(`${this.#url}/v1/labels`, { labels });
    if (status !== 200 || json.refused.length > 0) throw new Error(`labels: ${status} ${text}`);
  }
}
