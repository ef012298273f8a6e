/** Live requests of the electricity data whose labels arrive late, and what became of them. */
import { readReplayRows, type ReplayRow } from "../../src/demo/mod.ts";

/** How {@linkcode ElectricityTraffic} calls. */
export interface TrafficOptions {
  /** The serving Service. */
  readonly url: string;
  readonly model: string;
  /** The first row that is sent. */
  readonly start: number;
  /** Requests a second. */
  readonly rate: number;
  readonly connections?: number;
  /** Labels come this late, milliseconds; a negative one: none. */
  readonly labelDelayMs?: number;
  /** How often a request whose connection broke is sent; an answer is never asked for again. */
  readonly attempts?: number;
}

/** Requests after which a caller makes a new connection, as a pool of real clients does. */
const REQUESTS_A_CONNECTION = 50;
const LABELS_MAX = 500;
const RETRY_MS = 200;

/**
 * Calls a served model at a rate until it is stopped. Each connection is renewed after some requests,
 * so that new pods get traffic. Unless told otherwise nothing is tried twice: every answer but 200 is a
 * failure.
 */
export class ElectricityTraffic {
  /** Each failure in words, with the time. */
  readonly failures: string[] = [];
  readonly #options: Required<TrafficOptions>;
  readonly #versions = new Map<string, number>();
  readonly #due: { at: number; prediction: string; label: number }[] = [];
  #rows: readonly ReplayRow[] = [];
  #sent = 0;
  #next = 0;
  #answered = 0;
  #labelled = 0;
  #startedAt = 0;
  #rate: number;
  #stopped = false;
  #running: Promise<unknown> = Promise.resolve();

  constructor(options: TrafficOptions) {
    this.#options = { connections: 8, labelDelayMs: 2000, attempts: 1, ...options };
    this.#rate = options.rate;
  }

  /** Requests answered with 200. */
  get answered(): number {
    return this.#answered;
  }

  /** Answers by the version that gave them. */
  get versions(): ReadonlyMap<string, number> {
    return this.#versions;
  }

  /** Labels that the registry has counted. */
  get labelled(): number {
    return this.#labelled;
  }

  /** Labels that wait for their time, or for the registry. */
  get unlabelled(): number {
    return this.#due.length;
  }

  async start(): Promise<this> {
    this.#rows = await readReplayRows(this.#options.start);
    this.#startedAt = performance.now();
    const { connections, labelDelayMs } = this.#options;
    const users = Array.from({ length: connections }, () => this.#user());
    this.#running = Promise.all([...users, ...(labelDelayMs < 0 ? [] : [this.#labeller()])]);
    return this;
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#running;
  }

  /** Goes on at another rate. */
  setRate(rate: number): void {
    this.#startedAt = performance.now();
    this.#sent = 0;
    this.#rate = rate;
  }

  async #user(): Promise<void> {
    while (!this.#stopped) {
      const client = Deno.createHttpClient({ poolMaxIdlePerHost: 1 });
      for (let i = 0; i < REQUESTS_A_CONNECTION && !this.#stopped; i++) {
        const wait = this.#startedAt + 1000 * this.#sent++ / this.#rate - performance.now();
        if (wait > 1) await new Promise((done) => setTimeout(done, wait));
        await this.#infer(client, this.#options.attempts);
      }
      client.close();
    }
  }

  async #infer(client: Deno.HttpClient, attempts: number): Promise<void> {
    const { url, model, labelDelayMs } = this.#options;
    const row = this.#rows[this.#next++ % this.#rows.length];
    const inputs = row.inputs.map(({ name, value }) => ({
      name,
      shape: [1],
      datatype: "FP32",
      data: [value],
    }));
    try {
      const answer = await fetch(`${url}/v2/models/${model}/infer`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ inputs }),
        signal: AbortSignal.timeout(20_000),
        client,
      });
      const text = await answer.text();
      if (answer.status !== 200) return this.#fail(`${answer.status} ${text.slice(0, 300)}`);
      const { model_version: version, parameters } = JSON.parse(text);
      this.#answered++;
      this.#versions.set(version, (this.#versions.get(version) ?? 0) + 1);
      if (labelDelayMs < 0) return;
      const prediction = parameters.serin_prediction;
      this.#due.push({ at: performance.now() + labelDelayMs, prediction, label: row.label });
    } catch (thrown) {
      if (attempts <= 1) return this.#fail(String(thrown));
      await new Promise((done) => setTimeout(done, RETRY_MS));
      await this.#infer(client, attempts - 1);
    }
  }

  #fail(what: string): void {
    this.failures.push(`${new Date().toISOString()} ${what}`);
  }

  /** Labels stay due until they are taken: the registry may be away. */
  async #labeller(): Promise<void> {
    const { url } = this.#options;
    while (!this.#stopped) {
      await new Promise((done) => setTimeout(done, 250));
      const now = performance.now();
      const end = this.#due.findIndex(({ at }) => at > now);
      const ready = this.#due.slice(0, Math.min(end < 0 ? this.#due.length : end, LABELS_MAX));
      if (ready.length === 0) continue;
      const labels = ready.map(({ prediction, label }) => ({ prediction, label }));
      try {
        const answer = await fetch(`${url}/v1/labels`, {
          method: "POST",
          headers: { "content-type": "application/json" },
          body: JSON.stringify({ labels }),
          signal: AbortSignal.timeout(10_000),
        });
        const text = await answer.text();
        if (answer.status !== 200) continue;
        this.#due.splice(0, ready.length);
        this.#labelled += JSON.parse(text).accepted;
      } catch {
        // Tried again with the next ones.
      }
    }
  }
}
