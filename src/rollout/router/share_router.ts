import { mix32, type Random } from "../../core/mod.ts";
import type { Arm, Assignment } from "../sync.ts";
import type { CountCells } from "./count_cells.ts";
import { LatencyLevels } from "./latency_levels.ts";

/** The split of one model, as the main isolate hands it to data isolates. */
export interface Route {
  /** The stable version; null while there is none to serve. */
  readonly stable: string | null;
  readonly assignment: Assignment | null;
  /** Where the current step is counted. */
  readonly cells: Readonly<Record<Arm, number>> | null;
}

/** Which version serves an attempt, and where it is counted. */
export interface Draw {
  readonly version: string;
  readonly arm: Arm;
  /** The rollout that drew it; undefined outside of rollouts. */
  readonly assignment: Assignment | undefined;
  /** The cell that counts it; undefined where the attempt gives no evidence. */
  readonly cell: number | undefined;
  /** Hash of the sticky key, if there was one. */
  readonly keyHash: number | undefined;
}

const TWO_32 = 4294967296;

/**
 * Chooses the version of each attempt. Without a key every attempt is a fresh coin (a retry is a new
 * attempt; the caller's request id never decides); with one, the same key gets the same version on
 * every replica, but gives no evidence yet (docs/architecture.md, "Rollouts").
 */
export class ShareRouter {
  readonly #random: Random;
  readonly #counts: CountCells;
  readonly #levels = new LatencyLevels();
  #route: Route = { stable: null, assignment: null, cells: null };

  constructor(options: { random: Random; counts: CountCells }) {
    this.#random = options.random;
    this.#counts = options.counts;
  }

  /** Takes a new split. A new step fixes its latency levels first. */
  apply(route: Route): void {
    const step = (of: Route) =>
      of.assignment === null ? "" : `${of.assignment.rollout}/${of.assignment.step}`;
    if (step(route) !== step(this.#route)) this.#levels.beginStep();
    this.#route = route;
  }

  /**
   * @param key the caller's sticky key, if any
   * @returns undefined while there is nothing to serve
   */
  draw(key: string | undefined): Draw | undefined {
    const { stable, assignment, cells } = this.#route;
    if (stable === null) return undefined;
    if (assignment === null) {
      return {
        version: stable,
        arm: "stable",
        assignment: undefined,
        cell: undefined,
        keyHash: undefined,
      };
    }
    const keyHash = key === undefined ? undefined : hashKey(assignment.salt, key);
    const coin = keyHash ?? this.#random.uint32();
    const arm: Arm = coin < Math.floor(assignment.share * TWO_32) ? "canary" : "stable";
    const counted = key === undefined && cells !== null && assignment.share > 0;
    return {
      version: arm === "canary" ? assignment.canary : assignment.stable,
      arm,
      assignment,
      cell: counted ? cells[arm] : undefined,
      keyHash,
    };
  }

  /** An attempt begins to run. */
  start(draw: Draw): void {
    if (draw.cell !== undefined) this.#counts.count(draw.cell, "started");
  }

  /**
   * An attempt was answered or failed.
   *
   * @returns whether it was a bad event, which the registry should hear of soon
   */
  finish(draw: Draw, outcome: { failed: boolean; latencyMs: number }): boolean {
    const bad = draw.cell !== undefined && this.#count(draw.cell, draw, outcome);
    // After it was held against the levels: they may not come from what they judge.
    // Another version that was asked for by number has a latency of its own.
    const isStable = draw.version === this.#route.stable;
    if (isStable && !outcome.failed) this.#levels.record(outcome.latencyMs);
    if (draw.assignment !== undefined) this.#levels.fixWhenEnough();
    return bad;
  }

  #count(cell: number, draw: Draw, outcome: { failed: boolean; latencyMs: number }): boolean {
    let bad = outcome.failed;
    if (outcome.failed) this.#counts.count(cell, "errors");
    else bad = this.#countLatency(cell, draw, outcome.latencyMs);
    // Last: what is started and not finished when an isolate dies counts as an error.
    this.#counts.count(cell, "requests");
    return bad;
  }

  #countLatency(cell: number, draw: Draw, latencyMs: number): boolean {
    const levels = this.#levels.current;
    const tolerance = draw.assignment?.latencyTolerance;
    if (levels === undefined || tolerance === undefined) return false;
    const over = (level: number) =>
      latencyMs > (1 + tolerance.relative) * level + tolerance.absoluteMs;
    this.#counts.count(cell, "latency_measured");
    if (over(levels[0])) this.#counts.count(cell, "latency_p90");
    if (over(levels[1])) this.#counts.count(cell, "latency_p95");
    if (over(levels[2])) this.#counts.count(cell, "latency_p99");
    return over(levels[0]);
  }
}

/** FNV-1a over salt and key, then a finaliser: 32 bits, the same on every replica. */
function hashKey(salt: string, key: string): number {
  let hash = 0x811c9dc5;
  for (const text of [salt, "\0", key]) {
    for (let i = 0; i < text.length; i++) {
      hash = Math.imul(hash ^ (text.charCodeAt(i) & 0xff), 0x01000193);
      hash = Math.imul(hash ^ (text.charCodeAt(i) >>> 8), 0x01000193);
    }
  }
  return mix32(hash);
}
