import type { Clock } from "../core/mod.ts";
import { measureDrift, type VersionDrift } from "./drift.ts";
import type { ModelProfile } from "./model_profile.ts";
import { mergeSketch, windowCounts } from "./sketch_counts.ts";
import { layOutSketch, PARTS, type SketchLayout } from "./sketch_layout.ts";

/** One scrape reads several metrics: they are of the same moment, and are worked out once. */
const KEPT_MS = 200;

/** What is known of a version's profile: itself, or why it has none. */
export type ProfileState = ModelProfile | { readonly missing: string };

/** For people: what is watched of a version, or why nothing is. */
export interface WatchedVersion {
  readonly model: string;
  readonly version: string;
  readonly columns: number;
  /** Columns of the profile that are beyond the limit. */
  readonly columnsLeftOut: number;
  /** Rows in the window. */
  readonly rows: number;
  /** Why drift is not watched; undefined where it is. */
  readonly missing: string | undefined;
}

interface Entry {
  readonly model: string;
  readonly version: string;
  readonly profile: ProfileState;
  /** Without a profile there is nothing to lay out. */
  readonly layout: SketchLayout | undefined;
  readonly live: Map<object, Uint32Array>;
  /** What isolates that died had counted. */
  readonly retired: Uint32Array;
}

/**
 * The main isolate's book of the sketches of all data isolates. What an isolate that died had counted
 * stays until it leaves the window; a version that is dropped leaves at once.
 */
export class DriftBook {
  readonly #entries = new Map<string, Entry>();
  readonly #clock: Clock;
  readonly #partMs: number;
  #kept: { at: number; drifts: VersionDrift[] } | undefined;

  /** @param windowMs how far back the window reaches; cut into {@linkcode PARTS} parts */
  constructor(clock: Clock, windowMs: number) {
    this.#clock = clock;
    this.#partMs = windowMs / PARTS;
  }

  /** The length that a sketch's parts must have. */
  get partMs(): number {
    return this.#partMs;
  }

  /** A version is held from now on; what was counted of an earlier one of that name is forgotten. */
  hold(model: string, version: string, profile: ProfileState): void {
    const layout = "missing" in profile ? undefined : layOutSketch(profile);
    const retired = new Uint32Array(layout?.words ?? 0), live = new Map<object, Uint32Array>();
    this.#entries.set(keyOf(model, version), { model, version, profile, layout, live, retired });
    this.#kept = undefined;
  }

  /** Takes the memory in which an isolate counts a version; of one that is not held, nothing is kept. */
  add(isolate: object, model: string, version: string, buffer: SharedArrayBuffer): void {
    const entry = this.#entries.get(keyOf(model, version)), sketch = new Uint32Array(buffer);
    if (entry?.layout?.words === sketch.length) entry.live.set(isolate, sketch);
  }

  /** An isolate has died: what it counted stays for as long as the window lasts. */
  retire(isolate: object): void {
    for (const { live, retired, layout } of this.#entries.values()) {
      const last = live.get(isolate);
      live.delete(isolate);
      if (last !== undefined && layout !== undefined) mergeSketch(layout, retired, last);
    }
  }

  /** A version is not held any more. */
  drop(model: string, version: string): void {
    this.#entries.delete(keyOf(model, version));
    this.#kept = undefined;
  }

  /** @returns the drift of every version that has a profile */
  drifts(): VersionDrift[] {
    const at = this.#clock.monotonic();
    if (this.#kept === undefined || at - this.#kept.at >= KEPT_MS) {
      this.#kept = {
        at,
        drifts: [...this.#entries.values()].flatMap((entry) => this.#read(entry)),
      };
    }
    return this.#kept.drifts;
  }

  /** @returns what is watched of every version that is held, and why not where it is not */
  watched(): WatchedVersion[] {
    const drifts = this.drifts();
    return [...this.#entries.values()].map(({ model, version, profile }) => {
      const drift = drifts.find((one) => one.model === model && one.version === version);
      const rows = Math.max(0, ...(drift?.columns ?? []).map((column) => column.rows));
      const isMissing = "missing" in profile;
      return {
        ...{ model, version, rows },
        columns: isMissing ? 0 : profile.columns.length,
        columnsLeftOut: isMissing ? 0 : profile.leftOut,
        missing: isMissing ? profile.missing : undefined,
      };
    });
  }

  #read({ model, version, layout, live, retired }: Entry): VersionDrift[] {
    if (layout === undefined) return [];
    const sum = retired.slice(), partMs = this.#partMs;
    for (const sketch of live.values()) mergeSketch(layout, sum, sketch);
    const window = windowCounts(layout, sum, { now: this.#clock.now(), partMs });
    return [{ model, version, ...measureDrift(layout, window) }];
  }
}

function keyOf(model: string, version: string): string {
  return `${model}\n${version}`;
}
