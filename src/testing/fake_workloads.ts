import { sha256Hex } from "../core/mod.ts";
import type { KubernetesObject } from "../kubernetes/mod.ts";
import type { FakeKubernetes } from "./fake_kubernetes.ts";

// deno-lint-ignore no-explicit-any
type Json = any;

const REVISION = "deployment.kubernetes.io/revision";

/** A status with which a pod takes requests. */
const READY_STATUS = {
  phase: "Running",
  conditions: [{ type: "PodScheduled", status: "True" }, { type: "Ready", status: "True" }],
  containerStatuses: [{ name: "serin", ready: true, restartCount: 0, state: { running: {} } }],
};

/**
 * What the controllers of Deployments and StatefulSets do, one step a turn: pods of the newest template
 * are made and get ready, then those of older ones go. As the real one, a StatefulSet waits for each pod.
 */
export class FakeWorkloads {
  /** The status that a new pod of a workload gets in the place of a healthy one. */
  fault: (workload: KubernetesObject) => Record<string, unknown> | undefined = () => undefined;
  readonly #kubernetes: FakeKubernetes;

  constructor(kubernetes: FakeKubernetes) {
    this.#kubernetes = kubernetes;
  }

  /** Lets every controller do one step. */
  async turn(): Promise<void> {
    for (const definition of this.#kubernetes.objects("CustomResourceDefinition")) {
      await this.#status(definition, { conditions: [{ type: "Established", status: "True" }] });
    }
    for (const deployment of this.#kubernetes.objects("Deployment")) {
      await this.#turnDeployment(deployment);
    }
    for (const statefulSet of this.#kubernetes.objects("StatefulSet")) {
      await this.#turnStatefulSet(statefulSet);
    }
  }

  /** Turns until nothing more happens. */
  async settle(): Promise<void> {
    for (let i = 0; i < 10; i++) await this.turn();
  }

  async #turnDeployment(deployment: Json): Promise<void> {
    const { name, namespace } = deployment.metadata, hash = hashOf(deployment);
    const sets = this.#owned("ReplicaSet", deployment);
    let set = sets.find((one) => one.metadata.name === `${name}-${hash}`);
    const revision = String(set?.metadata.annotations[REVISION] ?? sets.length + 1);
    set ??= await this.#kubernetes.create({
      apiVersion: "apps/v1",
      kind: "ReplicaSet",
      metadata: {
        name: `${name}-${hash}`,
        namespace,
        labels: deployment.spec.selector.matchLabels,
        annotations: { [REVISION]: revision },
        ownerReferences: [ownerOf(deployment)],
      },
    });
    await this.#kubernetes.patch(refOf(deployment), {
      metadata: { annotations: { [REVISION]: revision } },
    });
    const desired = deployment.spec.replicas ?? 1;
    for (let i = 0; i < desired; i++) {
      await this.#ensurePod(`${name}-${hash}-${i}`, deployment, set);
    }
    const now = this.#owned("Pod", set), ready = now.filter(isReady);
    const old = sets.filter((one) => one.metadata.name !== set!.metadata.name)
      .flatMap((one) => this.#owned("Pod", one));
    if (ready.length >= desired) {
      for (const pod of old) {
        await this.#kubernetes.delete(refOf(pod));
      }
    }
    const left = ready.length >= desired ? 0 : old.length;
    await this.#status(deployment, {
      observedGeneration: deployment.metadata.generation,
      replicas: now.length + left,
      updatedReplicas: now.length,
      readyReplicas: ready.length + (left === 0 ? 0 : old.filter(isReady).length),
      availableReplicas: ready.length,
    });
  }

  async #turnStatefulSet(statefulSet: Json): Promise<void> {
    const { name } = statefulSet.metadata, hash = hashOf(statefulSet);
    const desired = statefulSet.spec.replicas ?? 1;
    for (let i = 0; i < desired; i++) {
      const pod = this.#owned("Pod", statefulSet)
        .find((one) => one.metadata.name === `${name}-${i}`);
      const isOld = pod !== undefined && revisionOf(pod) !== hash;
      if (pod !== undefined && !isReady(pod)) break;
      if (isOld) await this.#kubernetes.delete(refOf(pod));
      if (isOld || pod === undefined) {
        await this.#ensurePod(`${name}-${i}`, statefulSet, statefulSet);
      }
    }
    const pods = this.#owned("Pod", statefulSet), ready = pods.filter(isReady);
    const updated = pods.filter((pod) => revisionOf(pod) === hash);
    await this.#status(statefulSet, {
      observedGeneration: statefulSet.metadata.generation,
      replicas: pods.length,
      readyReplicas: ready.length,
      availableReplicas: ready.length,
      updatedReplicas: updated.length,
      currentRevision: updated.length === desired ? hash : "before",
      updateRevision: hash,
    });
  }

  async #ensurePod(name: string, workload: Json, owner: Json): Promise<void> {
    if (this.#owned("Pod", owner).some((pod) => pod.metadata.name === name)) return;
    const pod = await this.#kubernetes.create({
      apiVersion: "v1",
      kind: "Pod",
      metadata: {
        name,
        namespace: workload.metadata.namespace,
        labels: {
          ...workload.spec.template.metadata?.labels,
          ...workload.spec.selector.matchLabels,
          "controller-revision-hash": hashOf(workload),
        },
        ownerReferences: [ownerOf(owner)],
      },
      spec: workload.spec.template.spec,
    });
    await this.#status(pod, this.fault(workload) ?? READY_STATUS);
  }

  #owned(kind: string, owner: Json): Json[] {
    return this.#kubernetes.objects(kind).filter(({ metadata }) =>
      (metadata.ownerReferences ?? []).some(({ uid }: Json) => uid === owner.metadata.uid)
    );
  }

  async #status(object: Json, status: unknown): Promise<void> {
    const live = await this.#kubernetes.get(refOf(object));
    if (live === undefined) return;
    await this.#kubernetes.replace({ ...live, status }, { subresource: "status" });
  }
}

function refOf({ apiVersion, kind, metadata: { name, namespace } }: Json) {
  return { apiVersion, kind, name, namespace };
}

function ownerOf({ apiVersion, kind, metadata: { name, uid } }: Json) {
  return { apiVersion, kind, name, uid, controller: true };
}

function hashOf(workload: Json): string {
  return sha256Hex(new TextEncoder().encode(JSON.stringify(workload.spec.template))).slice(0, 8);
}

function revisionOf(pod: Json): string {
  return pod.metadata.labels["controller-revision-hash"];
}

function isReady(pod: Json): boolean {
  return (pod.status?.conditions ?? [])
    .some((condition: Json) => condition.type === "Ready" && condition.status === "True");
}
