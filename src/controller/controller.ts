import {
  backoffMs,
  type Clock,
  type Log,
  messageOf,
  type Random,
  SerinError,
} from "../core/mod.ts";
import {
  isKindMissing,
  type KubernetesClient,
  type KubernetesObject,
  type LeaderLease,
  type Sleep,
} from "../kubernetes/mod.ts";
import { DeploymentArgs } from "./deployment_args.ts";
import { gateClient, gateRegistry, LostLeadership } from "./leader_gate.ts";
import { PartStats } from "./part_stats.ts";
import { ProblemLog } from "./problem_log.ts";
import type { RegistryModel, RegistryPort, RolloutHead } from "./registry_port.ts";
import { RolloutMirror } from "./rollout_mirror.ts";
import type { RemovalDelays } from "./serving_args.ts";
import { TrainingJobs } from "./training_jobs.ts";

/** Objects of one kind, as a watch keeps them. */
export interface ObjectSource {
  objects(): readonly KubernetesObject[];
  /** Whether it was complete once. */
  isListed(): boolean;
  /** Why it is not up to date; undefined where it is. */
  problem(): SerinError | undefined;
}

/** The parts of the work; each has its own pace when it fails. */
export const PARTS = ["rollouts", "deployments", "training"] as const;

/** A name of {@linkcode PARTS}. */
export type Part = typeof PARTS[number];

/** What a {@linkcode Controller} stands on. */
export interface ControllerOptions {
  readonly client: KubernetesClient;
  readonly registry: RegistryPort;
  readonly lease: Pick<LeaderLease, "isHeld" | "holder" | "problem">;
  /** The controller's Rollouts and Jobs, and all Deployments of the namespace. */
  readonly sources: Readonly<Record<Part, ObjectSource>>;
  readonly clock: Clock;
  readonly random: Random;
  readonly sleep: Sleep;
  readonly log: Log;
  /** The Deployment of models without the tag `serin.serving`. */
  readonly deployment: string;
  /** Between two looks at the registry, milliseconds. */
  readonly intervalMs: number;
  /** How long a model must be missing before it leaves. */
  readonly removalDelays?: RemovalDelays;
}

/** A registry that is silent for less than this is not spoken of on the objects. */
const UNREACHABLE_MS = 5000;
/** Changes that follow each other closely are looked at together. */
const WAKE_MS = 200;
const RETRY = { firstMs: 1000, capMs: 30_000 };
/** A look takes seconds at worst; one that takes minutes hangs. */
const READY_MS_MAX = 120_000;
const ALIVE_MS_MAX = 300_000;

/** What the registry said in one look. */
interface Snapshot {
  readonly models: readonly RegistryModel[];
  /** undefined: it is an MLflow server, which has no rollouts. */
  readonly rollouts: readonly RolloutHead[] | undefined;
}

/**
 * Makes Kubernetes look like the registry's state, over and over (level-triggered): nothing is
 * remembered that matters, so that it goes on after any interruption. Only the leader writes, and asks
 * before each write whether it still leads.
 */
export class Controller {
  readonly #options: ControllerOptions;
  readonly #problems: ProblemLog;
  readonly #mirror: RolloutMirror;
  readonly #args: DeploymentArgs;
  readonly #training: TrainingJobs;
  readonly #stats = new Map<Part, PartStats>(PARTS.map((part) => [part, new PartStats()]));
  readonly #pauses = new Map<Part, { failures: number; until: number }>();
  #registryProblem: string | undefined;
  #reachedAt: number | undefined;
  #everReached = false;
  #passAt: number;
  #wake = () => {};

  constructor(options: ControllerOptions) {
    this.#options = options;
    const { clock, log, lease, deployment, removalDelays } = options;
    const isLeader = () => lease.isHeld();
    const client = gateClient(options.client, isLeader);
    const registry = gateRegistry(options.registry, isLeader);
    this.#problems = new ProblemLog(log, clock);
    this.#mirror = new RolloutMirror({ client, registry, clock, log });
    this.#args = new DeploymentArgs({
      client,
      clock,
      log,
      deployment,
      ...(removalDelays === undefined ? {} : { delays: removalDelays }),
    });
    this.#training = new TrainingJobs({ client, registry, log });
    this.#passAt = clock.monotonic();
  }

  /** Looks until the signal ends it. */
  async run(signal: AbortSignal): Promise<void> {
    const { sleep, intervalMs } = this.#options;
    while (!signal.aborted) {
      // Made before the look: what changes while it goes on is not in it.
      const pause = new AbortController(), end = () => pause.abort();
      this.#wake = end;
      signal.addEventListener("abort", end);
      await this.reconcile();
      await sleep(Math.min(WAKE_MS, intervalMs), signal);
      await sleep(Math.max(0, intervalMs - WAKE_MS), pause.signal);
      signal.removeEventListener("abort", end);
    }
  }

  /** Something of Kubernetes changed: do not wait for the next look. */
  wake(): void {
    this.#wake();
  }

  /** One look: reads the registry, and does what follows from it where this process leads. */
  async reconcile(): Promise<void> {
    const { clock, lease } = this.#options;
    this.#passAt = clock.monotonic();
    const snapshot = await this.#readRegistry();
    if (lease.isHeld()) {
      try {
        if (snapshot === undefined) await this.#sayUnreachable();
        else await this.#work(snapshot);
      } catch (thrown) {
        if (!(thrown instanceof LostLeadership)) throw thrown;
      }
    } else {
      // What was missing for a part of the time may have been there for the rest of it.
      this.#args.interrupted();
    }
    this.#passAt = clock.monotonic();
  }

  /** Whether what this process is for can be done; why not, for people. */
  ready(): { ready: boolean; reasons: string[] } {
    const { lease, sources, clock } = this.#options;
    const reasons = PARTS.flatMap((part) => {
      const problem = sources[part].problem();
      if (problem !== undefined) return [`${part}: ${problem.message}`];
      return sources[part].isListed() ? [] : [`${part}: not listed yet`];
    });
    const problem = lease.problem();
    if (problem !== undefined) reasons.push(`lease: ${problem}`);
    if (clock.monotonic() - this.#passAt > READY_MS_MAX) reasons.push("the last look hangs");
    if (!this.#everReached) reasons.push(`registry: ${this.#registryProblem ?? "not asked yet"}`);
    const ready = reasons.length === 0;
    // An outage of the registry is nothing that another controller could do better.
    if (ready && this.#registryProblem !== undefined) {
      reasons.push(`registry: ${this.#registryProblem} (nothing is changed meanwhile)`);
    }
    return { ready, reasons };
  }

  /** Whether the process should be started anew: its loop stands still. */
  alive(): boolean {
    return this.#options.clock.monotonic() - this.#passAt < ALIVE_MS_MAX;
  }

  /** What metrics are made of. */
  stats(): {
    readonly parts: ReadonlyMap<Part, Readonly<PartStats>>;
    readonly leads: boolean;
    readonly registryReachable: boolean;
  } {
    return {
      parts: this.#stats,
      leads: this.#options.lease.isHeld(),
      registryReachable: this.#everReached && this.#registryProblem === undefined,
    };
  }

  async #readRegistry(): Promise<Snapshot | undefined> {
    const { registry, clock } = this.#options;
    try {
      const models = await registry.listModels();
      const rollouts = await this.#readRollouts();
      this.#registryProblem = undefined;
      this.#reachedAt = clock.monotonic();
      this.#everReached = true;
      this.#problems.report("the registry", undefined);
      return { models, rollouts };
    } catch (thrown) {
      this.#args.interrupted();
      this.#registryProblem = messageOf(thrown);
      this.#problems.report("the registry", thrown);
      return undefined;
    }
  }

  async #readRollouts(): Promise<readonly RolloutHead[] | undefined> {
    try {
      const rollouts = await this.#options.registry.listRollouts();
      this.#problems.report("rollouts of the registry", undefined);
      return rollouts;
    } catch (thrown) {
      if (!(thrown instanceof SerinError) || thrown.code !== "not_found") throw thrown;
      this.#problems.report("rollouts of the registry", thrown);
      return undefined;
    }
  }

  async #work({ models, rollouts }: Snapshot): Promise<void> {
    // Serving before all else.
    await this.#part("deployments", (live) => this.#args.reconcile(models, live));
    if (rollouts !== undefined) {
      await this.#part("rollouts", (live) => this.#mirror.reconcile(rollouts, live));
    }
    await this.#part("training", (live) => this.#training.reconcile(models, live));
  }

  async #sayUnreachable(): Promise<void> {
    const { clock } = this.#options;
    if (this.#reachedAt !== undefined && clock.monotonic() - this.#reachedAt < UNREACHABLE_MS) {
      return;
    }
    const message = this.#registryProblem ?? "";
    await this.#part("rollouts", (live) => this.#mirror.markUnreachable(live, message));
  }

  async #part(
    part: Part,
    run: (live: readonly KubernetesObject[]) => Promise<void>,
  ): Promise<void> {
    const { sources, clock, random } = this.#options, source = sources[part];
    const pause = this.#pauses.get(part), began = clock.monotonic();
    if (pause !== undefined && began < pause.until) return;
    let problem: unknown = source.problem();
    if (problem === undefined) {
      // What is not listed yet would be made once more.
      if (!source.isListed()) return;
      try {
        await run(source.objects());
      } catch (thrown) {
        if (thrown instanceof LostLeadership) throw thrown;
        problem = thrown;
      }
    }
    this.#stats.get(part)!.add((clock.monotonic() - began) / 1000, problem !== undefined);
    this.#problems.report(part, withWayOut(problem));
    if (problem === undefined) this.#pauses.delete(part);
    else {
      const failures = (pause?.failures ?? 0) + 1;
      const wait = backoffMs(failures, random, RETRY);
      this.#pauses.set(part, { failures, until: clock.monotonic() + wait });
    }
  }
}

/** Whoever installed the controller knows its manifests, not what a CustomResourceDefinition is. */
function withWayOut(problem: unknown): unknown {
  if (!isKindMissing(problem) || problem.details?.kind !== "Rollout") return problem;
  return new SerinError(problem.code, problem.message, {
    hint:
      "apply its definition: `serin deploy apply`, or kubectl apply with base/rollout-crd.yaml " +
      "of the manifests",
    cause: problem,
  });
}
