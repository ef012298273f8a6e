import type { Clock } from "../core/mod.ts";

/** A row as it is sent, and what turned out to be true. */
export interface ReplayRow {
  readonly inputs: readonly { readonly name: string; readonly value: number }[];
  readonly label: number;
}

/** How rows become requests. */
export interface LiveReplayOptions {
  /** The data port's address. */
  readonly url: string;
  readonly model: string;
  readonly rows: readonly ReplayRow[];
  /** Requests a second, at most. */
  readonly rate: number;
  /** Requests in flight at once, at most. */
  readonly connections: number;
  /** A label arrives between these, milliseconds after its answer. */
  readonly labelDelayMs: readonly [number, number];
  readonly fetch: typeof globalThis.fetch;
  readonly clock: Clock;
}

/** What a version did on live requests. */
export interface VersionTally {
  answered: number;
  wrong: number;
}

interface DueLabel {
  readonly dueAt: number;
  readonly prediction: string;
  readonly label: number;
}

/** How often labels that are due are sent. */
const LABEL_MS = 100;
const LABELS_MAX = 1000;

/**
 * Replays rows in their order as live requests, one row a request, with their labels arriving late.
 * At the end of the rows it begins again.
 */
export class LiveReplay {
  readonly #options: LiveReplayOptions;
  readonly #tallies = new Map<string, VersionTally>();
  readonly #due: DueLabel[] = [];
  #next = 0;
  #answered = 0;
  #failed = 0;
  #failure: string | undefined;
  #labelsAccepted = 0;
  #startedAt = 0;
  #running: Promise<unknown> | undefined;
  #stopped = false;

  constructor(options: LiveReplayOptions) {
    this.#options = options;
  }

  /** Rows sent so far. */
  get position(): number {
    return this.#next;
  }

  /** Requests that were answered with status 200. */
  get answered(): number {
    return this.#answered;
  }

  /** Requests that were not. */
  get failed(): number {
    return this.#failed;
  }

  /** The first failure, in words. */
  get failure(): string | undefined {
    return this.#failure;
  }

  /** Labels that the registry has counted. */
  get labelsAccepted(): number {
    return this.#labelsAccepted;
  }

  /** Answered requests a second since the start. */
  get rate(): number {
    const seconds = (this.#options.clock.monotonic() - this.#startedAt) / 1000;
    return seconds > 0 ? this.#answered / seconds : 0;
  }

  /** @returns what each version did */
  tallies(): ReadonlyMap<string, VersionTally> {
    return this.#tallies;
  }

  /** Begins to send. */
  start(): void {
    this.#startedAt = this.#options.clock.monotonic();
    const users = Array.from({ length: this.#options.connections }, () => this.#user());
    this.#running = Promise.all([...users, this.#labeller()]);
  }

  /** Ends, after what is in flight was answered. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#running;
  }

  async #user(): Promise<void> {
    const { clock, rate, rows } = this.#options;
    while (!this.#stopped) {
      const at = this.#next++;
      const wait = this.#startedAt + 1000 * at / rate - clock.monotonic();
      if (wait > 1) await new Promise((done) => setTimeout(done, wait));
      await this.#send(rows[at % rows.length]);
    }
  }

  async #send(row: ReplayRow): Promise<void> {
    const { url, model, fetch, clock, labelDelayMs: [least, most] } = this.#options;
    try {
      const answer = await fetch(`${url}/v2/models/${model}/infer`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ inputs: row.inputs.map(toTensor) }),
      });
      const body = await answer.json();
      if (answer.status !== 200) return this.#fail(`${answer.status}: ${body.error}`);
      this.#answered++;
      this.#tally(body.model_version, body.outputs[0].data[0] !== row.label);
      const delay = least + Math.random() * (most - least);
      const prediction = body.parameters.serin_prediction;
      this.#due.push({ dueAt: clock.monotonic() + delay, prediction, label: row.label });
    } catch (thrown) {
      this.#fail(String(thrown));
    }
  }

  #tally(version: string, wrong: boolean): void {
    const tally = this.#tallies.get(version) ?? { answered: 0, wrong: 0 };
    tally.answered++;
    if (wrong) tally.wrong++;
    this.#tallies.set(version, tally);
  }

  #fail(why: string): void {
    this.#failed++;
    this.#failure ??= why;
  }

  async #labeller(): Promise<void> {
    while (!this.#stopped) {
      await new Promise((done) => setTimeout(done, LABEL_MS));
      const now = this.#options.clock.monotonic();
      const ready: DueLabel[] = [];
      // Delays differ, so what is due is not in order; the list is short.
      for (let i = 0; i < this.#due.length && ready.length < LABELS_MAX;) {
        if (this.#due[i].dueAt > now) i++;
        else {
          ready.push(this.#due[i]);
          this.#due[i] = this.#due[this.#due.length - 1];
          this.#due.pop();
        }
      }
      if (ready.length > 0) await this.#label(ready);
    }
  }

  async #label(ready: readonly DueLabel[]): Promise<void> {
    const { url, fetch } = this.#options;
    try {
      const answer = await fetch(`${url}/v1/labels`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({
          labels: ready.map(({ prediction, label }) => ({ prediction, row: 0, label })),
        }),
      });
      const body = await answer.json();
      if (answer.status !== 200) return this.#fail(`labels, ${answer.status}: ${body.error}`);
      this.#labelsAccepted += body.accepted;
      const [refused] = body.refused;
      if (refused !== undefined) this.#fail(`a label was refused: ${refused.message}`);
    } catch (thrown) {
      this.#fail(`labels: ${thrown}`);
    }
  }
}

function toTensor({ name, value }: { name: string; value: number }) {
  return { name, shape: [1], datatype: "FP32", data: [value] };
}
