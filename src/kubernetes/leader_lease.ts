import {
  type Clock,
  type Log,
  messageOf,
  type Random,
  SerinError,
  systemClock,
  SystemRandom,
} from "../core/mod.ts";
import type { KubernetesClient } from "./kubernetes_client.ts";
import type { KubernetesObject } from "./kubernetes_object.ts";
import { type Sleep, systemSleep } from "./sleep.ts";

/** How {@linkcode openLease} elects. */
export interface LeaseOptions {
  readonly client: KubernetesClient;
  /** The Lease's name. */
  readonly name: string;
  /** Who this is, unique: two processes with one identity would both lead. */
  readonly identity: string;
  readonly log: Log;
  /** How long a leader that is silent is waited for, seconds; default 15. */
  readonly leaseSeconds?: number;
  /** How long the leader acts without having renewed, seconds; default 10. */
  readonly renewSeconds?: number;
  /** Between two attempts, seconds; default 2. */
  readonly retrySeconds?: number;
  readonly clock?: Clock;
  readonly random?: Random;
  readonly sleep?: Sleep;
}

/** A place in an election. */
export interface LeaderLease {
  /** Whether this process leads at this moment: to be asked before each write. */
  isHeld(): boolean;
  /** Who was seen to hold it last; undefined where nobody. */
  holder(): string | undefined;
  /** @returns why the last attempt failed; undefined where it did not, whoever holds it */
  problem(): string | undefined;
  /** One attempt to get or renew it; never throws. */
  attempt(): Promise<void>;
  /** Attempts until the signal ends it, then gives the lease back. */
  run(signal: AbortSignal): Promise<void>;
  /** Gives it back where it is held, so that the next one need not wait. */
  release(): Promise<void>;
}

const API_VERSION = "coordination.k8s.io/v1";

interface LeaseSpec {
  readonly holderIdentity?: string;
  readonly leaseDurationSeconds?: number;
  readonly acquireTime?: string;
  readonly renewTime?: string;
  readonly leaseTransitions?: number;
}

/**
 * Elects one leader by a Lease, as client-go's leader election does it: the times in the Lease are
 * for people. A holder counts as gone when its Lease has not changed for its duration **as measured by
 * this process's own monotonic clock**, so clocks need not agree. The leader itself stops before that:
 * {@linkcode LeaderLease.isHeld} is false as soon as the last renewal was sent more than `renewSeconds`
 * ago, also after the process stood still. (Clocks that run at very different speeds would break it.)
 */
export function openLease(options: LeaseOptions): LeaderLease {
  return new Election(options);
}

class Election implements LeaderLease {
  readonly #client: KubernetesClient;
  readonly #options: LeaseOptions;
  readonly #log: Log;
  readonly #clock: Clock;
  readonly #renewMs: number;
  /** The Lease as it was last seen, and when it was seen to change. */
  #seen: KubernetesObject | undefined;
  #changedAt = 0;
  #lastVersion: string | undefined;
  /** When the last renewal that came through was sent; undefined: not the leader. */
  #renewedAt: number | undefined;
  #saidToLead = false;
  #problem = "";

  constructor(options: LeaseOptions) {
    this.#options = options;
    this.#client = options.client;
    this.#log = options.log;
    this.#clock = options.clock ?? systemClock;
    this.#renewMs = (options.renewSeconds ?? 10) * 1000;
  }

  isHeld(): boolean {
    return this.#renewedAt !== undefined &&
      this.#clock.monotonic() - this.#renewedAt < this.#renewMs;
  }

  holder(): string | undefined {
    return specOf(this.#seen).holderIdentity || undefined;
  }

  problem(): string | undefined {
    return this.#problem || undefined;
  }

  async attempt(): Promise<void> {
    try {
      await this.#attempt();
      if (this.#problem !== "") this.#log.info("the lease can be reached again");
      this.#problem = "";
    } catch (thrown) {
      // What is there may be newer than what was seen.
      if (thrown instanceof SerinError && thrown.code !== "unavailable") this.#seen = undefined;
      if (!isRace(thrown) && this.#problem !== messageOf(thrown)) {
        this.#problem = messageOf(thrown);
        const hint = thrown instanceof SerinError ? thrown.hint : undefined;
        this.#log.warn("cannot get or renew the lease", { error: this.#problem, hint });
      }
    }
    if (!this.isHeld()) this.#renewedAt = undefined;
    this.#say();
  }

  async run(signal: AbortSignal): Promise<void> {
    const { sleep = systemSleep, retrySeconds = 2 } = this.#options;
    const random = this.#options.random ?? new SystemRandom();
    while (!signal.aborted) {
      await this.attempt();
      // Those who wait come at different moments.
      const jitter = this.isHeld() ? 1 : 1 + 0.2 * random.uint32() / 2 ** 32;
      await sleep(retrySeconds * 1000 * jitter, signal);
    }
    await this.release();
  }

  async release(): Promise<void> {
    const held = this.isHeld(), lease = this.#seen;
    this.#renewedAt = undefined;
    this.#saidToLead = false;
    if (!held || lease === undefined) return;
    const { leaseTransitions } = specOf(lease), renewTime = this.#time();
    const spec = { leaseTransitions, holderIdentity: "", leaseDurationSeconds: 1, renewTime };
    try {
      this.#seen = await this.#client.replace({ ...lease, spec });
      this.#log.info("the lease is given back", { lease: this.#options.name });
    } catch (thrown) {
      this.#log.warn("the lease was not given back", { error: messageOf(thrown) });
    }
  }

  #say(): void {
    const { name, identity } = this.#options, leads = this.isHeld();
    if (leads && !this.#saidToLead) {
      this.#log.info("this process leads", { lease: name, identity });
    } else if (!leads && this.#saidToLead) {
      this.#log.warn("this process leads no more", { lease: name, holder: this.holder() });
    }
    this.#saidToLead = leads;
  }

  async #attempt(): Promise<void> {
    const { identity, name, leaseSeconds = 15 } = this.#options;
    // The leader writes at once; if somebody else wrote meanwhile, that is a conflict.
    if (this.#renewedAt === undefined || this.#seen === undefined) await this.#look(name);
    const lease = this.#seen, spec = specOf(lease), sentAt = this.#clock.monotonic();
    const isMine = spec.holderIdentity === identity;
    if (lease !== undefined && !isMine && !this.#isFree(spec)) {
      this.#renewedAt = undefined;
      return;
    }
    const time = this.#time();
    const wanted: LeaseSpec = {
      holderIdentity: identity,
      leaseDurationSeconds: leaseSeconds,
      acquireTime: isMine ? spec.acquireTime ?? time : time,
      renewTime: time,
      leaseTransitions: (spec.leaseTransitions ?? 0) + (lease === undefined || isMine ? 0 : 1),
    };
    this.#saw(
      lease === undefined
        ? await this.#client.create({
          apiVersion: API_VERSION,
          kind: "Lease",
          metadata: { name },
          spec: wanted,
        })
        : await this.#client.replace({ ...lease, spec: wanted }),
    );
    this.#renewedAt = sentAt;
  }

  async #look(name: string): Promise<void> {
    const lease = await this.#client.get({ apiVersion: API_VERSION, kind: "Lease", name });
    if (lease === undefined) this.#seen = undefined;
    else this.#saw(lease);
  }

  #saw(lease: KubernetesObject): void {
    if (lease.metadata.resourceVersion !== this.#lastVersion) {
      this.#lastVersion = lease.metadata.resourceVersion;
      this.#changedAt = this.#clock.monotonic();
    }
    this.#seen = lease;
  }

  #isFree({ holderIdentity = "", leaseDurationSeconds = 15 }: LeaseSpec): boolean {
    if (holderIdentity === "") return true;
    return this.#clock.monotonic() - this.#changedAt >= leaseDurationSeconds * 1000;
  }

  /** `metav1.MicroTime`. */
  #time(): string {
    return new Date(this.#clock.now()).toISOString().replace("Z", "000Z");
  }
}

function specOf(lease: KubernetesObject | undefined): LeaseSpec {
  return (lease?.spec ?? {}) as LeaseSpec;
}

/** Another one was quicker: that is what elections are for. */
function isRace(thrown: unknown): boolean {
  return thrown instanceof SerinError &&
    ["conflict", "already_exists", "not_found"].includes(thrown.code) &&
    thrown.details?.reason !== "KindMissing";
}
