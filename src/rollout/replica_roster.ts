import type { Clock } from "../core/mod.ts";
import type { Observation } from "./rollout_state.ts";
import type { SyncRequest } from "./sync.ts";

/** A replica that was not heard for this long is not live. */
const LIVE_MS = 5000;
const REPLICAS_MAX = 10_000;

type HeldVersion = SyncRequest["models"][number]["held"][number];

interface HeardReplica {
  readonly name: string;
  readonly heardAt: number;
  readonly models: SyncRequest["models"];
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

  hear({ replica, incarnation, models }: SyncRequest): void {
    if (this.#replicas.size >= REPLICAS_MAX) this.#forgetSilent();
    const heard = { name: replica, heardAt: this.#clock.monotonic(), models };
    this.#replicas.set(`${replica}\n${incarnation}`, heard);
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

  /** @returns the aliases by which live replicas serve a model */
  aliasesOf(model: string): string[] {
    const aliases = new Set<string>();
    for (const replica of this.#replicas.values()) {
      if (!this.#isLive(replica)) continue;
      for (const served of replica.models) if (served.model === model) aliases.add(served.alias);
    }
    return [...aliases];
  }

  #isLive({ heardAt }: HeardReplica): boolean {
    return this.#clock.monotonic() - heardAt < LIVE_MS;
  }

  #forgetSilent(): void {
    for (const [key, replica] of this.#replicas) {
      if (!this.#isLive(replica)) this.#replicas.delete(key);
    }
  }
}

/** @returns whether a version can take traffic on a replica */
export function isWarm(held: readonly HeldVersion[], version: string): boolean {
  return held.some((one) => one.version === version && one.warm && one.error === undefined);
}
