import type { RolloutSummary, ServingReplica } from "../../control/mod.ts";
import { messageOf, SerinError } from "../../core/mod.ts";
import {
  type KubernetesClient,
  type KubernetesObject,
  type ObjectReference,
  referenceOf,
} from "../../kubernetes/mod.ts";
import { readSurroundings, SERIN_SELECTOR } from "./health_watch.ts";
import { CHAMPION, isRunning, type ModelRegistry, type RegisteredModel } from "./model_registry.ts";
import { numberAt } from "./object_fields.ts";
import { describeMetrics, objectHealth } from "./object_health.ts";
import { restartsOf } from "./pod_problem.ts";
import { imagesOf, type Release } from "./release_record.ts";
import { openReleaseStore } from "./release_store.ts";
import {
  describeHealth,
  type Health,
  podCounts,
  podsOf,
  type Surroundings,
} from "./workload_health.ts";

const WORKLOAD_KINDS = [
  { apiVersion: "apps/v1", kind: "StatefulSet" },
  { apiVersion: "apps/v1", kind: "Deployment" },
] as const;
const AUTOSCALER = { apiVersion: "autoscaling/v2", kind: "HorizontalPodAutoscaler" } as const;

/** A Deployment or StatefulSet. */
export interface WorkloadStatus {
  readonly reference: ObjectReference;
  readonly desired: number;
  readonly ready: number;
  readonly updated: number;
  readonly images: readonly string[];
  readonly restarts: number;
  /** Why the last container of it ended; undefined where none did. */
  readonly lastEnd: string | undefined;
  readonly health: Health;
}

/** A HorizontalPodAutoscaler. */
export interface AutoscalerStatus {
  readonly reference: ObjectReference;
  readonly replicas: { readonly now: number; readonly min: number; readonly max: number };
  /** E.g. `cpu 35 % of 60 %`. */
  readonly metrics: string;
  readonly health: Health;
}

/** What the registry says; all of it is undefined where it is out of reach. */
export interface RegistryStatus {
  /** Why it could not be asked; undefined where it answered. */
  readonly error: string | undefined;
  readonly hint: string | undefined;
  readonly models: readonly RegisteredModel[];
  readonly replicas: readonly ServingReplica[];
  /** Those under way. */
  readonly rollouts: readonly RolloutSummary[];
}

/** How an installation is. */
export interface DeploymentStatus {
  readonly namespace: string;
  /** The newest; undefined where none was applied. */
  readonly release: Release | undefined;
  readonly workloads: readonly WorkloadStatus[];
  readonly autoscalers: readonly AutoscalerStatus[];
  readonly registry: RegistryStatus;
  /** What is not as it should be, one line each; empty: all is well. */
  readonly problems: readonly string[];
}

/**
 * Reads how an installation is: workloads, autoscalers, what each replica holds, rollouts.
 *
 * @param openRegistry opens the registry; it may fail, which is part of the status
 * @param nowMs milliseconds since the epoch
 * @throws {SerinError} where the API server is out of reach or refuses to be read
 */
export async function readStatus(
  client: KubernetesClient,
  namespace: string,
  openRegistry: () => Promise<ModelRegistry>,
  nowMs: number,
): Promise<DeploymentStatus> {
  const around = await readSurroundings(client, namespace, nowMs);
  const selected = { namespace, labelSelector: SERIN_SELECTOR };
  const lists = await Promise.all(
    [...WORKLOAD_KINDS, AUTOSCALER].map((kind) => client.list({ ...kind, ...selected })),
  );
  const [statefulSets, deployments, autoscalers] = lists.map(({ items }) => items);
  const [release] = await openReleaseStore(client, namespace).list();
  const status = {
    namespace,
    release,
    workloads: [...statefulSets, ...deployments].map((object) => workloadStatus(object, around)),
    autoscalers: autoscalers.map((object) => autoscalerStatus(object, around)),
    registry: await readRegistry(openRegistry),
  };
  return { ...status, problems: findProblems(status) };
}

/** @returns what is not as it should be, one line each */
export function findProblems(status: Omit<DeploymentStatus, "problems">): string[] {
  const { workloads, autoscalers, registry, release, namespace } = status;
  const problems: string[] = [];
  if (workloads.length === 0) {
    problems.push(`nothing of serin runs in namespace ${namespace}`);
    return problems;
  }
  if (release !== undefined && release.outcome !== "healthy") {
    problems.push(`release ${release.number} is marked ${release.outcome}`);
  }
  for (const { reference, health } of [...workloads, ...autoscalers]) {
    const isNew = reference.kind === AUTOSCALER.kind && health.state === "progressing";
    if (health.state !== "healthy" && !isNew) {
      problems.push(`${reference.kind} ${reference.name}: ${describeHealth(health)}`);
    }
  }
  if (registry.error !== undefined) problems.push(`the registry: ${registry.error}`);
  problems.push(...modelProblems(registry));
  return problems;
}

/** A champion that a live replica does not serve is a fault; one that is loading, too. */
function modelProblems({ models, replicas }: RegistryStatus): string[] {
  const live = replicas.filter((replica) => replica.live);
  return models.flatMap(({ name, aliases }) => {
    const champion = aliases[CHAMPION];
    if (champion === undefined) return [];
    return live.flatMap(({ replica, models: served }) => {
      const held = served.find((one) => one.model === name && one.alias === CHAMPION)
        ?.held.find(({ version }) => version === champion);
      // Which replicas serve which model is the controller's: only what one of them follows counts.
      if (!served.some((one) => one.model === name) || held?.warm === true) return [];
      const why = held?.error ?? "it is not warm yet";
      return [`replica ${replica} does not serve ${name} version ${champion}: ${why}`];
    });
  });
}

function workloadStatus(object: KubernetesObject, around: Surroundings): WorkloadStatus {
  const restarts = podsOf(object, around.pods).map(restartsOf);
  const { desired, ready, updated } = podCounts(object);
  return {
    reference: referenceOf(object),
    desired,
    ready,
    updated,
    images: imagesOf([object]),
    restarts: restarts.reduce((sum, { count }) => sum + count, 0),
    lastEnd: restarts.find(({ why }) => why !== undefined)?.why,
    health: objectHealth(object, around),
  };
}

function autoscalerStatus(object: KubernetesObject, around: Surroundings): AutoscalerStatus {
  return {
    reference: referenceOf(object),
    replicas: {
      now: numberAt(object, "status", "currentReplicas") ?? 0,
      min: numberAt(object, "spec", "minReplicas") ?? 1,
      max: numberAt(object, "spec", "maxReplicas") ?? 1,
    },
    metrics: describeMetrics(object),
    health: objectHealth(object, around),
  };
}

async function readRegistry(open: () => Promise<ModelRegistry>): Promise<RegistryStatus> {
  try {
    const registry = await open();
    const [models, replicas, rollouts] = await Promise.all([
      registry.listModels(),
      registry.listReplicas(),
      registry.listRollouts(),
    ]);
    const running = rollouts.filter(isRunning);
    return { error: undefined, hint: undefined, models, replicas, rollouts: running };
  } catch (thrown) {
    if (!(thrown instanceof SerinError)) throw thrown;
    const { hint } = thrown;
    return { error: messageOf(thrown), hint, models: [], replicas: [], rollouts: [] };
  }
}
