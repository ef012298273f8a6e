import { assert, mix32 } from "../../core/mod.ts";
import { newBatch, OUTCOME, type RequestBatch, type RequestStream } from "./request_stream.ts";
import type { ReplaySettings, Scenario } from "./scenario_file.ts";

const TWO32 = 4294967296;

/** Random streams by use, as the scenario format numbers them. */
const STREAM = {
  arrival: 0,
  assignment: 1,
  errorShared: 2,
  errorStable: 3,
  errorCanary: 4,
  latency: 5,
  latencyCanary: 6,
  latencyShared: 7,
  wrongShared: 8,
  wrongStable: 9,
  wrongCanary: 10,
  labelled: 11,
  replica: 12,
  burst: 13,
  shockShared: 14,
  shockReplica: 15,
  labelDelay: 20,
} as const;

/** Chances of a bad outcome in one second, as thresholds of 32-bit draws. */
interface ArmThresholds {
  shared: number;
  stable: number;
  canary: number;
}

/**
 * A scenario's requests: counter-based, so that request i of a run is the same in every language
 * and for every horizon. Integers only, bit for bit the reference generator.
 */
export class ScenarioStream implements RequestStream {
  readonly firstSecond: number;
  readonly labels: boolean;
  readonly #scenario: Scenario;
  readonly #settings: ReplaySettings;
  readonly #tables: { stable: Float64Array; canary: Float64Array };
  readonly #key1 = new Int32Array(21);
  readonly #key2 = new Int32Array(21);
  readonly #batch: RequestBatch;
  readonly #shares: Float64Array;
  #next: number;
  #index = 0;

  constructor(
    settings: ReplaySettings,
    tables: Readonly<Record<string, readonly number[]>>,
    scenario: Scenario,
    run: number,
  ) {
    this.#settings = settings;
    this.#scenario = scenario;
    this.#tables = {
      stable: Float64Array.from(tables[scenario.lat_s]),
      canary: Float64Array.from(tables[scenario.lat_c]),
    };
    this.labels = Boolean(scenario.wrong_s);
    this.firstSecond = this.#next = -settings.warmup_s;
    for (let stream = 0; stream < this.#key1.length; stream++) {
      const base = mix32((mix32(scenario.seed) + Math.imul(run, 0x9e3779b1)) >>> 0);
      this.#key1[stream] = mix32((base ^ Math.imul(stream, 0x85ebca77)) >>> 0);
      this.#key2[stream] = mix32((this.#key1[stream] ^ 0x5bf03635) >>> 0);
    }
    this.#shares = Float64Array.from(
      settings.schedule.flatMap(([share, s]) => Array(s).fill(share)),
    );
    this.#batch = newBatch(Math.ceil(scenario.rps * 4) + 1);
  }

  second(time: number): RequestBatch {
    assert(time === this.#next, `Seconds come in order: ${this.#next}, not ${time}`);
    this.#next++;
    const batch = this.#batch;
    batch.count = this.#arrivals(time);
    this.#fillErrors(batch, time);
    this.#fillLatencies(batch, time);
    if (this.labels) this.#fillLabels(batch, time);
    this.#index += batch.count;
    return batch;
  }

  #draw(stream: number, i: number): number {
    return mix32((mix32(i ^ this.#key1[stream]) + this.#key2[stream]) | 0);
  }

  #blockOf(time: number): number {
    return Math.floor((time - this.firstSecond) / this.#settings.block_s);
  }

  #arrivals(time: number): number {
    let rate = this.#scenario.rps;
    if (this.#scenario.arrival === "bursty") {
      rate *= this.#draw(STREAM.burst, this.#blockOf(time)) < threshold(0.2) ? 4 : 0.25;
    }
    const whole = Math.floor(rate);
    const more = this.#draw(STREAM.arrival, time - this.firstSecond) < threshold(rate - whole);
    return whole + (more ? 1 : 0);
  }

  #armThresholds(stable: number, canary: number, sharedPart: number, time: number): ArmThresholds {
    const shared = stable * sharedPart;
    // A cause that is shared altogether leaves nothing of its own to either arm.
    const own = (p: number) => shared < 1 ? (p - shared) / (1 - shared) : 0;
    const regressed = time >= (this.#scenario.onset_s ?? 0);
    return {
      shared: threshold(shared),
      stable: threshold(own(stable)),
      canary: threshold(regressed ? Math.max(0, own(canary)) : own(stable)),
    };
  }

  #fillErrors(batch: RequestBatch, time: number): void {
    const { p_err_s, p_err_c, err_shared = 0.3, shock } = this.#scenario;
    const arms = this.#armThresholds(p_err_s, p_err_c, err_shared, time);
    const block = this.#blockOf(time);
    if (
      shock?.kind === "shared" &&
      this.#draw(STREAM.shockShared, block) < threshold(shock.p_block)
    ) arms.shared = threshold(shock.p);
    const shocked = shock?.kind === "replica" ? this.#shockedReplicas(block, shock.p_block) : null;
    const high = shock ? threshold(shock.p) : 0;
    if (shocked?.[0]) arms.canary = Math.max(arms.canary, high);
    const controlFrom = Math.floor((1 - this.#shareAt(time)) * TWO32);
    for (let k = 0; k < batch.count; k++) {
      const i = this.#index + k, a = this.#draw(STREAM.assignment, i);
      let stable = arms.stable;
      if (shocked !== null) {
        const replica = a >= controlFrom ? 1 : 2 + this.#draw(STREAM.replica, i) % 3;
        if (shocked[replica]) stable = Math.max(stable, high);
      }
      batch.assignments[k] = a;
      if (this.#draw(STREAM.errorShared, i) < arms.shared) {
        batch.outcomes[k] = OUTCOME.errorStable | OUTCOME.errorCanary;
      } else {
        batch.outcomes[k] = (this.#draw(STREAM.errorStable, i) < stable ? OUTCOME.errorStable : 0) |
          (this.#draw(STREAM.errorCanary, i) < arms.canary ? OUTCOME.errorCanary : 0);
      }
    }
  }

  /** Which of the canary's replica (0), the control's (1) and three others hiccup in a block. */
  #shockedReplicas(block: number, chance: number): boolean[] {
    return [0, 1, 2, 3, 4].map((replica) =>
      this.#draw(STREAM.shockReplica + replica, block) < threshold(chance)
    );
  }

  #shareAt(time: number): number {
    return this.#shares[Math.min(Math.max(time, 0), this.#shares.length - 1)];
  }

  #fillLatencies(batch: RequestBatch, time: number): void {
    const { onset_s = 0, lat_shared = 0.5 } = this.#scenario;
    const shared = threshold(lat_shared), { stable } = this.#tables;
    // Without an onset the tables differ during warm-up too, as in the reference.
    const canary = onset_s > 0 && time < onset_s ? stable : this.#tables.canary;
    for (let k = 0; k < batch.count; k++) {
      const i = this.#index + k, u = this.#draw(STREAM.latency, i);
      const own = this.#draw(STREAM.latencyShared, i) < shared
        ? u
        : this.#draw(STREAM.latencyCanary, i);
      batch.latencyStable[k] = latencyAt(stable, u);
      batch.latencyCanary[k] = latencyAt(canary, own);
    }
  }

  #fillLabels(batch: RequestBatch, time: number): void {
    const { wrong_s, wrong_c, wrong_shared = 0.7, label_frac, label_delay_s } = this.#scenario;
    const arms = this.#armThresholds(wrong_s!, wrong_c!, wrong_shared, time);
    const labelled = threshold(label_frac!), [first, last] = label_delay_s!;
    for (let k = 0; k < batch.count; k++) {
      const i = this.#index + k;
      let bits = this.#draw(STREAM.labelled, i) < labelled ? OUTCOME.labelled : 0;
      if (this.#draw(STREAM.wrongShared, i) < arms.shared) {
        bits |= OUTCOME.wrongStable | OUTCOME.wrongCanary;
      } else {
        if (this.#draw(STREAM.wrongStable, i) < arms.stable) bits |= OUTCOME.wrongStable;
        if (this.#draw(STREAM.wrongCanary, i) < arms.canary) bits |= OUTCOME.wrongCanary;
      }
      batch.outcomes[k] |= bits;
      const delay = Math.floor(this.#draw(STREAM.labelDelay, i) * (last - first) / TWO32);
      batch.labelTimes[k] = time + first + delay;
    }
  }
}

/** An event of this chance happens iff its 32-bit draw is below. */
function threshold(chance: number): number {
  return Math.floor(chance * TWO32);
}

/**
 * The inverse distribution function at u / 2^32, linear between the table's points, microseconds.
 */
function latencyAt(table: Float64Array, u: number): number {
  const i = u >>> 22, fraction = (u >>> 6) & 0xffff;
  return table[i] + Math.floor((table[i + 1] - table[i]) * fraction / 65536);
}
