import { type Clock, type Log, SerinError } from "../core/mod.ts";
import {
  describeReference,
  type KubernetesClient,
  type KubernetesObject,
  referenceOf,
} from "../kubernetes/mod.ts";
import { CONTROLLER } from "./labels.ts";
import { isSameJson, surplusPatch } from "./object_difference.ts";
import { rolloutObjectName } from "./object_names.ts";
import {
  isEnded,
  type RegistryPort,
  type RolloutDetail,
  type RolloutHead,
} from "./registry_port.ts";
import { rolloutEvents } from "./rollout_events.ts";
import {
  reachability,
  REGISTRY_REACHABLE,
  rfc3339,
  type RolloutObjectStatus,
  toRolloutObject,
  toRolloutStatus,
} from "./rollout_object.ts";
import { eachOf } from "./each_of.ts";

/** What a {@linkcode RolloutMirror} stands on. */
export interface RolloutMirrorOptions {
  readonly client: KubernetesClient;
  readonly registry: RegistryPort;
  readonly clock: Clock;
  readonly log: Log;
  /** Ended rollouts that keep an object; default 20. */
  readonly endedMax?: number;
  /** Numbers alone are written at most so often, milliseconds; default 5000. */
  readonly numbersMs?: number;
}

/** One part of an object, as it was asked for and as the server keeps it (it may prune and default). */
interface Settled {
  readonly wanted: unknown;
  readonly kept: unknown;
  readonly at: number;
}

/** Keeps a Rollout object for each rollout of the registry: running ones, and the newest that ended. */
export class RolloutMirror {
  readonly #options: RolloutMirrorOptions;
  readonly #settled = new Map<string, { spec?: Settled; status?: Settled }>();

  constructor(options: RolloutMirrorOptions) {
    this.#options = options;
  }

  /**
   * @param heads all rollouts that the registry lists
   * @param live the controller's Rollout objects, as they are
   * @throws the first failure, when all objects have been tried
   */
  async reconcile(
    heads: readonly RolloutHead[],
    live: readonly KubernetesObject[],
  ): Promise<void> {
    const { client, endedMax = 20 } = this.#options;
    const ended = heads.filter(({ phase }) => isEnded(phase));
    // The list has the newest start first; what counts here is the end.
    const kept = ended.toSorted((a, b) => (b.endedAt ?? 0) - (a.endedAt ?? 0)).slice(0, endedMax);
    const wanted = [...heads.filter(({ phase }) => !isEnded(phase)), ...kept];
    const byName = new Map(live.map((object) => [object.metadata.name, object]));
    const names = new Set(wanted.map(({ model, id }) => rolloutObjectName(model, id)));
    await eachOf([
      ...wanted.map((head) => () => this.#mirror(head, byName)),
      ...live.filter(({ metadata: { name } }) => !names.has(name)).map((object) => async () => {
        const { name, uid } = object.metadata;
        await client.delete(
          referenceOf(object),
          uid === undefined ? {} : { preconditions: { uid } },
        );
        this.#settled.delete(name);
      }),
    ]);
  }

  /** Says on each running rollout, once, that what it shows may be old. */
  async markUnreachable(live: readonly KubernetesObject[], message: string): Promise<void> {
    const { client, clock } = this.#options;
    await eachOf(live.map((object) => async () => {
      const before = statusOf(object);
      if (before?.phase === undefined || isEnded(before.phase)) return;
      const known = before.conditions?.find(({ type }) => type === REGISTRY_REACHABLE);
      if (known?.status === "False") return;
      const seen = reachability(before, { reachable: false, message, now: clock.now() });
      const others = (before.conditions ?? []).filter(({ type }) => type !== REGISTRY_REACHABLE);
      const status = { ...before, conditions: [...others, seen] };
      await client.apply({ ...bare(object), status }, {
        fieldManager: CONTROLLER,
        force: true,
        subresource: "status",
      });
      this.#settled.delete(object.metadata.name);
    }));
  }

  async #mirror(head: RolloutHead, live: ReadonlyMap<string, KubernetesObject>): Promise<void> {
    const { registry, client } = this.#options;
    const name = rolloutObjectName(head.model, head.id), known = live.get(name);
    if (known !== undefined && this.#isFinal(head, known)) return;
    const rollout = await registry.getRollout(head.id);
    const wanted = toRolloutObject(rollout, client.namespace);
    const object = await this.#settleSpec(wanted, known);
    await this.#settleStatus(object, rollout);
  }

  /** An ended rollout's numbers stand still: neither registry nor server need be asked. */
  #isFinal(head: RolloutHead, known: KubernetesObject): boolean {
    const { spec, status } = this.#settled.get(known.metadata.name) ?? {};
    if (!isEnded(head.phase) || spec === undefined || status === undefined) return false;
    const shown = statusOf(known);
    return shown?.phase === head.phase && shown.verdict === head.verdict &&
      isSameJson(headOf(known), spec.kept) && isSameJson(known.status, status.kept);
  }

  async #settleSpec(
    wanted: KubernetesObject,
    known: KubernetesObject | undefined,
  ): Promise<KubernetesObject> {
    const { client, clock } = this.#options, { name } = wanted.metadata;
    const settled = this.#settled.get(name)?.spec;
    if (
      known !== undefined && settled !== undefined && isSameJson(settled.wanted, headOf(wanted)) &&
      isSameJson(settled.kept, headOf(known))
    ) return known;
    let object = await client.apply(wanted, { fieldManager: CONTROLLER, force: true });
    const surplus = surplusPatch(object.spec, wanted.spec);
    if (surplus !== undefined) {
      const patch = { spec: surplus as Record<string, unknown> };
      object = await client.patch(referenceOf(object), patch, { fieldManager: CONTROLLER });
    }
    const kept = { wanted: headOf(wanted), kept: headOf(object), at: clock.monotonic() };
    this.#settled.set(name, { ...this.#settled.get(name), spec: kept });
    return object;
  }

  async #settleStatus(object: KubernetesObject, rollout: RolloutDetail): Promise<void> {
    const { client, clock, numbersMs = 5000 } = this.#options, { name } = object.metadata;
    const before = statusOf(object), now = clock.now();
    const wanted = toRolloutStatus(rollout, before, now);
    const settled = this.#settled.get(name)?.status;
    const isIntact = settled !== undefined && isSameJson(settled.kept, object.status);
    if (isIntact && isSameJson(settled.wanted, wanted)) return;
    const isRecent = settled !== undefined && clock.monotonic() - settled.at < numbersMs;
    if (isIntact && isRecent && isSameJson(essence(settled.wanted), essence(wanted))) return;
    // Before the status: if this is cut off here, the next one sees the same change again.
    for (const event of rolloutEvents(object, before, rollout, now)) await this.#emit(event);
    const status = { ...wanted, observedAt: rfc3339(now) };
    const options = { fieldManager: CONTROLLER, subresource: "status" };
    let applied = await client.apply({ ...bare(object), status }, { ...options, force: true });
    const surplus = surplusPatch(applied.status, status);
    if (surplus !== undefined) {
      const patch = { status: surplus as Record<string, unknown> };
      applied = await client.patch(referenceOf(object), patch, options);
    }
    const kept = { wanted, kept: applied.status, at: clock.monotonic() };
    this.#settled.set(name, { ...this.#settled.get(name), status: kept });
  }

  async #emit(event: KubernetesObject): Promise<void> {
    const { client, log } = this.#options;
    try {
      await client.create(event, { fieldManager: CONTROLLER });
    } catch (thrown) {
      if (!(thrown instanceof SerinError)) throw thrown;
      if (thrown.code === "already_exists") return;
      // An event that the server refuses must not keep the status back.
      if (thrown.code !== "invalid_input" && thrown.code !== "permission_denied") throw thrown;
      const { message: error, hint } = thrown;
      log.warn(`${describeReference(referenceOf(event))} is refused`, { error, hint });
    }
  }
}

function statusOf(object: KubernetesObject): Partial<RolloutObjectStatus> | undefined {
  return object.status as Partial<RolloutObjectStatus> | undefined;
}

/** What of an object, besides its status, is the controller's. */
function headOf({ metadata, spec }: KubernetesObject): unknown {
  return { labels: metadata.labels, spec };
}

function bare({ apiVersion, kind, metadata }: KubernetesObject): KubernetesObject {
  const { name, namespace, uid } = metadata;
  return {
    apiVersion,
    kind,
    metadata: {
      name,
      ...(namespace === undefined ? {} : { namespace }),
      // Never makes it anew by its status alone.
      ...(uid === undefined ? {} : { uid }),
    },
  };
}

/** What is shown at once; the rest are numbers. */
function essence(status: unknown): unknown {
  const { phase, step, steps, share, endedAt, conditions = [] } = status as RolloutObjectStatus;
  const states = conditions.map(({ type, status, reason }) => ({ type, status, reason }));
  return { phase, step, steps, share, endedAt, states };
}
