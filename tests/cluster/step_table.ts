/** The steps of a long test on a real system: what was done, what was seen, how long it took. */
import type { TestCase } from "../../scripts/lib/junit.ts";

interface Entry {
  readonly step: string;
  readonly outcome: "passed" | "failed" | "skipped";
  readonly seen: string;
  readonly seconds: number;
}

/**
 * Runs steps one after another. A failed step does not hide what follows: later steps run too, unless
 * it was one that they all need.
 */
export class StepTable {
  readonly #entries: Entry[];
  readonly #prefix: string;
  #broken: string | undefined;

  constructor(entries: Entry[] = [], prefix = "") {
    this.#entries = entries;
    this.#prefix = prefix;
  }

  /**
   * Steps that are shown with the others, and need each other only: what follows the part runs whatever
   * fails in it.
   */
  part(prefix: string): StepTable {
    return new StepTable(this.#entries, prefix);
  }

  /** The steps that failed. */
  get failed(): number {
    return this.#entries.filter(({ outcome }) => outcome === "failed").length;
  }

  /**
   * @param run returns what was seen, in a few words; throws when it is not as it should be
   * @param options.needed steps after this one cannot run without it
   * @param options.always it runs also when one failed that was needed
   */
  async step(
    name: string,
    run: () => Promise<string>,
    { needed = false, always = false } = {},
  ): Promise<void> {
    const step = `${this.#prefix}${name}`;
    if (this.#broken !== undefined && !always) {
      this.#add({ step, outcome: "failed", seen: `not run: ${this.#broken} failed`, seconds: 0 });
      return;
    }
    const start = performance.now();
    const seconds = () => (performance.now() - start) / 1000;
    try {
      const seen = await run();
      this.#add({ step, outcome: "passed", seen, seconds: seconds() });
    } catch (thrown) {
      const seen = thrown instanceof Error ? thrown.message : String(thrown);
      this.#add({ step, outcome: "failed", seen, seconds: seconds() });
      if (needed) this.#broken = `"${step}"`;
    }
  }

  /** Counts something that cannot be tried here. */
  skip(name: string, reason: string): void {
    this.#add({ step: `${this.#prefix}${name}`, outcome: "skipped", seen: reason, seconds: 0 });
  }

  /** @returns the table as text */
  toString(): string {
    const width = Math.max(...this.#entries.map(({ step }) => step.length));
    return this.#entries.map((entry) => lineOf(entry, width)).join("\n");
  }

  /** @returns the steps as tests of one suite */
  cases(suite: string): TestCase[] {
    return this.#entries.map(({ step, outcome, seen, seconds }) => ({
      suite,
      name: outcome === "skipped" ? `${step} (skipped: ${seen})` : step,
      seconds,
      outcome,
      ...(outcome === "failed" ? { message: seen } : {}),
    }));
  }

  #add(entry: Entry): void {
    this.#entries.push(entry);
    console.error(lineOf(entry, 44));
  }
}

const MARKS = { passed: "ok  ", failed: "FAIL", skipped: "skip" };

function lineOf({ step, outcome, seen, seconds }: Entry, width: number): string {
  const text = seen.trim().replaceAll("\n", `\n${" ".repeat(width + 7)}`);
  return `${MARKS[outcome]} ${step.padEnd(width)} ${seconds.toFixed(1).padStart(6)} s  ${text}`;
}
