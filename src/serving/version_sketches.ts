import type { AnsweredRequest } from "../api/inference/mod.ts";
import type { ServedModel } from "../inference/mod.ts";
import type { ProfileState } from "../monitor/mod.ts";
import { type ColumnInput, VersionSketch } from "../monitor/mod.ts";

/** The sketches of one data isolate: what each version that it holds is asked and answers. */
export class VersionSketches {
  readonly #partMs: number;
  /** A version that is dropped takes its sketch along. */
  readonly #sketches = new WeakMap<ServedModel, VersionSketch>();

  /** @param partMs length of a part of the window */
  constructor(partMs: number) {
    this.#partMs = partMs;
  }

  /** @returns the memory in which the version is counted; undefined where it has no profile */
  open(served: ServedModel, profile: ProfileState): SharedArrayBuffer | undefined {
    if ("missing" in profile) return undefined;
    const sketch = new VersionSketch(profile, this.#partMs);
    this.#sketches.set(served, sketch);
    return sketch.buffer;
  }

  /** Counts an answer. */
  observe({ served, feeds, outcome, time }: AnsweredRequest): void {
    const sketch = this.#sketches.get(served);
    // An array of values is what every datatype but BYTES has, and those no profile describes.
    const inputs = feeds.tensors as readonly ColumnInput[];
    sketch?.observe(inputs, feeds.rows, { scores: outcome.scores, now: time });
  }
}
