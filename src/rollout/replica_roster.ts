import { type Clock, LIMITS } from "../core/mod.ts";
import type { Observation } from "./rollout_state.ts";
import type { SyncRequest } from "./sync.ts";

/** A replica that was not heard for this long is not live. */
const LIVE_MS = 5000;
/** One that is silent for longer is gone: Pods come and go under new names. */
const REMEMBERED_MS = 15 * 60_000;
const REPLICAS_MAX = 10_000;

/** One replica as it is listed. */
export interface RosterEntry {
  readonly replica: string;
  readonly incarnation: string;
  /** When it was heard last, milliseconds since the epoch. */
  readonly seenAt: number;
  readonly live: boolean;
  readonly models: SyncRequest["models"];
}

interface HeardReplica {
  readonly name: string;
  readonly incarnation: string;
  /** Monotonic: whether it is live must not depend on a clock that is set. */
  readonly heardAt: number;
  readonly seenAt: number;
  readonly models: SyncRequest["models"];
  /** It has said that it ends. */
  readonly left: boolean;
}

/**
 * Which replicas are live, and what they hold. In memory: after a start they are heard within 1 s.
 */
export class ReplicaRoster {
  readonly #clock: Clock;
  readonly #settledAt: number;
  /** By name and incarnation: two machines may give theirs the same name. */
  readonly #replicas = new Map<string, HeardReplica>();

  /** @param resumed whether rollouts run already: then every replica first gets time to be heard */
  constructor(clock: Clock, resumed: boolean) {
    this.#clock = clock;
    this.#settledAt = resumed ? clock.monotonic() + LIVE_MS : -Infinity;
  }

  /**
   * A replica that takes its leave is not live from then on; one that is killed, after LIVE_MS. An older
   * sync that comes late, as after a time-out, brings nobody back.
   */
  hear({ replica, incarnation, models, leaving = false }: SyncRequest): void {
    const key = `${replica}\n${incarnation}`, before = this.#replicas.get(key);
    if (before?.left) return;
    if (before === undefined) {
      this.#forgetSilent(this.#replicas.size >= REPLICAS_MAX ? LIVE_MS : REMEMBERED_MS);
    }
    const heardAt = this.#clock.monotonic(), seenAt = this.#clock.now();
    this.#replicas.set(key, { name: replica, incarnation, heardAt, seenAt, models, left: leaving });
  }

  /** @returns the live replicas that serve a model by an alias, as the state machine sees them */
  observe(model: string, alias: string, canary: string): Observation["replicas"] {
    const settled = this.#clock.monotonic() >= this.#settledAt;
    let live = 0, warm = 0;
    const errors: string[] = [], unservable: string[] = [];
    for (const replica of this.#replicas.values()) {
      if (!this.#isLive(replica)) continue;
      const { name } = replica;
      const served = replica.models.find((entry) => entry.model === model && entry.alias === alias);
      if (served === undefined) continue;
      live++;
      const held = served.held.find(({ version }) => version === canary);
      if (held?.error !== undefined) {
        errors.push(`${name}: ${held.error}`);
        if (held.lasting) unservable.push(`${name}: ${held.error}`);
      } else if (held?.warm) warm++;
    }
    return { live, warm, errors, unservable, settled };
  }

  /** @returns those heard of late, live ones first, then by name; at most LIMITS.replicasListedMax */
  list(): RosterEntry[] {
    const now = this.#clock.monotonic();
    return [...this.#replicas.values()]
      .filter(({ heardAt }) => now - heardAt < REMEMBERED_MS)
      .map((heard) => {
        const { name: replica, incarnation, seenAt, models } = heard;
        return { replica, incarnation, seenAt, live: this.#isLive(heard), models };
      })
      .toSorted((a, b) => Number(b.live) - Number(a.live) || compare(a.replica, b.replica))
      .slice(0, LIMITS.replicasListedMax);
  }

  /** @returns the aliases by which live replicas serve a model */
  aliasesOf(model: string): string[] {
    const aliases = new Set<string>();
    for (const replica of this.#replicas.values()) {
      if (!this.#isLive(replica)) continue;
      for (const served of replica.models) if (served.model === model) aliases.add(served.alias);
    }
    return [...aliases];
  }

  #isLive({ heardAt, left }: HeardReplica): boolean {
    return !left && this.#clock.monotonic() - heardAt < LIVE_MS;
  }

  #forgetSilent(silentMs: number): void {
    const now = this.#clock.monotonic();
    for (const [key, { heardAt }] of this.#replicas) {
      if (now - heardAt >= silentMs) this.#replicas.delete(key);
    }
  }
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
