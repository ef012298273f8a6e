import { type Clock, type Log, messageOf, SerinError } from "../core/mod.ts";

const PAUSE_MS = 10_000;

/** Logs what goes wrong when it begins, changes and ends, not each time that it is seen. */
export class ProblemLog {
  readonly #log: Log;
  readonly #clock: Clock;
  readonly #said = new Map<string, { problem: string; at: number }>();

  constructor(log: Log, clock: Clock) {
    this.#log = log;
    this.#clock = clock;
  }

  /**
   * @param subject what it is about, for the sentence "SUBJECT: …"
   * @param problem what was thrown; undefined: all is well
   */
  report(subject: string, problem: unknown): void {
    const text = problem === undefined ? "" : messageOf(problem);
    const said = this.#said.get(subject);
    if ((said?.problem ?? "") === text) return;
    // What comes and goes all the time is told every now and then.
    if (said !== undefined && this.#clock.monotonic() - said.at < PAUSE_MS) return;
    this.#said.set(subject, { problem: text, at: this.#clock.monotonic() });
    if (text === "") this.#log.info(`${subject}: all is well again`);
    else {
      const hint = problem instanceof SerinError ? problem.hint : undefined;
      this.#log.warn(`${subject}: ${text}`, hint === undefined ? {} : { hint });
    }
  }
}
