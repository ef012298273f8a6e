import type { Metrics } from "./metrics.ts";

/** Labels that came to this process, by what came of them. */
export class LabelCounts {
  readonly #counts: Map<string, number>;

  /** @param outcomes those that are told from the start, as 0: a rate sees the first one only then */
  constructor(outcomes: readonly string[]) {
    this.#counts = new Map(outcomes.map((outcome) => [outcome, 0]));
  }

  /** Counts the labels of an answered request. */
  answered(answer: { accepted: number; refused: readonly { code: string }[] }): void {
    this.#add("accepted", answer.accepted);
    for (const { code } of answer.refused) this.#add(code, 1);
  }

  /** Counts a request whose labels nobody looked at, as one. */
  failed(code: string): void {
    this.#add(code, 1);
  }

  /** @returns counts by outcome */
  entries(): Iterable<readonly [outcome: string, count: number]> {
    return this.#counts.entries();
  }

  #add(outcome: string, count: number): void {
    this.#counts.set(outcome, (this.#counts.get(outcome) ?? 0) + count);
  }
}

/** Declares what became of labels; replicas forward theirs, so that the registry counts them too. */
export function addLabelMetrics(metrics: Metrics, counts: LabelCounts): void {
  metrics.counter({
    name: "serin_labels_total",
    help: "Labels that came to this process, by outcome; a request that was refused whole is one",
    labels: ["outcome"],
  }, () => [...counts.entries()].map(([outcome, value]) => ({ labels: { outcome }, value })));
}
