import { controllerApp } from "../api/ops/mod.ts";
import type { CommandContext } from "../cli/mod.ts";
import { CONTROLLER, Controller, OWN_OBJECTS, ROLLOUT_API_VERSION } from "../controller/mod.ts";
import { Lifecycle, type Log, systemClock, SystemRandom } from "../core/mod.ts";
import {
  type KindReference,
  type KubernetesClient,
  ObjectCache,
  openLease,
  systemSleep,
} from "../kubernetes/mod.ts";
import { addProcessMetrics, Metrics } from "../telemetry/mod.ts";
import { addControllerMetrics } from "./controller_metrics.ts";
import { toRegistryPort } from "./controller_registry.ts";
import { openKubernetes } from "./kubernetes_access.ts";
import type { KubernetesOptions } from "./kubernetes_options.ts";
import { listenOn } from "./listen.ts";
import { openRegistryClient } from "./registry_client.ts";

/** The options of `serin controller`. */
export interface ControllerCommandOptions extends KubernetesOptions {
  readonly registry: string;
  readonly registryTokenFile?: string | undefined;
  readonly registryToken?: string | undefined;
  readonly deployment: string;
  readonly host: string;
  readonly port: number;
  readonly intervalSeconds: number;
  readonly identity: string;
}

/** Kinds that are watched, by the part of the work that looks at them. */
const WATCHED: Readonly<Record<"rollouts" | "deployments" | "training", KindReference>> = {
  rollouts: { apiVersion: ROLLOUT_API_VERSION, kind: "Rollout", labelSelector: OWN_OBJECTS },
  // Those to obey are annotated, and annotations cannot be selected.
  deployments: { apiVersion: "apps/v1", kind: "Deployment" },
  training: { apiVersion: "batch/v1", kind: "Job", labelSelector: OWN_OBJECTS },
};

/** Twice within the time that a leader acts without having renewed its Lease. */
const ELECTION_TIMEOUT_MS = 4000;

/** Works until SIGTERM or SIGINT, then gives the lease back. */
export async function run(
  options: ControllerCommandOptions,
  context: CommandContext,
): Promise<void> {
  const { log } = context;
  const lifecycle = new Lifecycle();
  lifecycle.stopOnSignals();
  const { client: mlflow, control } = await openRegistryClient(options.registry, options);
  const kubernetes = await openKubernetes(options);
  lifecycle.onStop("kubernetes", () => kubernetes.close());
  // Connections of its own: an answer that hangs must not cost the leadership.
  const election = await openKubernetes(options, { timeoutMs: ELECTION_TIMEOUT_MS });
  lifecycle.onStop("election", () => election.close());
  const { client } = kubernetes;
  try {
    const metrics = new Metrics();
    const clients = { client, election: election.client };
    const working = openWork(options, clients, log, (lease, sources) =>
      new Controller({
        client,
        registry: toRegistryPort(mlflow, control),
        lease,
        sources,
        clock: systemClock,
        random: new SystemRandom(),
        sleep: systemSleep,
        log,
        deployment: options.deployment,
        intervalMs: options.intervalSeconds * 1000,
      }));
    lifecycle.onStop("work", () => working.stop());
    const { controller } = working;
    addProcessMetrics(metrics, "controller");
    addControllerMetrics(metrics, controller);
    const app = controllerApp({
      metrics,
      alive: () => controller.alive(),
      ready: () => controller.ready(),
    });
    const server = listenOn(options, app.fetch);
    lifecycle.onStop("server", () => server.close());
    log.info(`serin controller listening on ${server.url}`, {
      registry: options.registry,
      kubernetes: kubernetes.server,
      from: kubernetes.source,
      namespace: client.namespace,
    });
  } catch (thrown) {
    await lifecycle.stop();
    throw thrown;
  }
  await lifecycle.stopped;
}

type Sources = Readonly<Record<keyof typeof WATCHED, ObjectCache>>;

/** Starts the watches, the election and the loop. */
function openWork(
  options: ControllerCommandOptions,
  { client, election }: { client: KubernetesClient; election: KubernetesClient },
  log: Log,
  open: (lease: ReturnType<typeof openLease>, sources: Sources) => Controller,
): { controller: Controller; stop: () => Promise<void> } {
  const ending = new AbortController(), leaving = new AbortController();
  const lease = openLease({
    client: election,
    name: CONTROLLER,
    identity: `${options.identity}_${randomHex()}`,
    log,
  });
  const caches = Object.entries(WATCHED).map(([part, kind]) =>
    [
      part,
      new ObjectCache(client, kind, {
        signal: ending.signal,
        onChange: () => controller.wake(),
      }),
    ] as const
  );
  const controller = open(lease, Object.fromEntries(caches) as Sources);
  const loop = Promise.all([
    controller.run(ending.signal),
    ...caches.map(([, cache]) => cache.run()),
  ]);
  const electing = lease.run(leaving.signal);
  return {
    controller,
    async stop() {
      // First the writes end, then the lease is given back: never two at work.
      ending.abort();
      await loop;
      leaving.abort();
      await electing;
    },
  };
}

function randomHex(): string {
  const bytes = new SystemRandom().bytes(4);
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
