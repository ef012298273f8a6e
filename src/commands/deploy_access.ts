import { openProgress } from "../cli/mod.ts";
import type { CommandContext } from "../cli/mod.ts";
import { createControlClient } from "../control/mod.ts";
import { type Clock, Lifecycle, type Random, systemClock, SystemRandom } from "../core/mod.ts";
import { NAMES, PORTS } from "../deploy/manifests/mod.ts";
import { type ModelRegistry, readAdminToken, type Waiting } from "../deploy/release/mod.ts";
import {
  describeReference,
  type KubernetesClient,
  serviceProxyPath,
  type Sleep,
  systemSleep,
} from "../kubernetes/mod.ts";
import { createMlflowClient } from "../mlflow/mod.ts";
import { DEFAULT_NAMESPACE, type DeployAccessOptions } from "./deploy_options.ts";
import { joinModelRegistry } from "./deploy_registry.ts";
import { openKubernetes } from "./kubernetes_access.ts";
import { openRegistryClient, readRegistryToken } from "./registry_client.ts";
import { serviceProxyFetch } from "./service_proxy_fetch.ts";

/** What a `serin deploy` command has of the outside; tests give their own. */
export interface DeployAccess {
  /** Opened at the first call: a rollback of a model with --registry needs no cluster. */
  cluster(): Promise<KubernetesClient>;
  /** Opens the registry, directly or through the API server. */
  registry(namespace: string): Promise<ModelRegistry>;
  readonly clock: Clock;
  readonly random: Random;
  readonly sleep: Sleep;
  /** Aborted by Ctrl-C. */
  readonly signal: AbortSignal;
  /** Progress on stderr. */
  readonly progress: Waiting["report"] & { end(): void };
}

/** Runs a `serin deploy` command with the cluster and the registry that its options name. */
export async function withDeployAccess<T>(
  options: DeployAccessOptions,
  context: CommandContext,
  run: (access: DeployAccess) => Promise<T>,
): Promise<T> {
  const lifecycle = new Lifecycle();
  lifecycle.stopOnSignals();
  const progress = openProgress({ interactive: context.interactive });
  let opened: ReturnType<typeof openKubernetes> | undefined;
  const cluster = async () => {
    opened ??= openKubernetes({ ...options, namespace: options.namespace ?? DEFAULT_NAMESPACE });
    return (await opened).client;
  };
  try {
    return await run({
      cluster,
      registry: (namespace) => openModelRegistry(options, namespace, cluster),
      clock: systemClock,
      random: new SystemRandom(),
      sleep: systemSleep,
      signal: lifecycle.signal,
      progress,
    });
  } finally {
    progress.end();
    (await opened?.catch(() => undefined))?.close();
    await lifecycle.stop();
  }
}

/**
 * Opens the registry of an installation: by `--registry`, or by the API server's service proxy with the
 * admin's token of the Secret.
 *
 * @throws {SerinError} `not_found` where serin is not installed there, `configuration`
 */
export async function openModelRegistry(
  options: DeployAccessOptions,
  namespace: string,
  cluster: () => Promise<KubernetesClient>,
): Promise<ModelRegistry> {
  if (options.registry !== undefined) {
    const { client, control } = await openRegistryClient(options.registry, options);
    return joinModelRegistry(client, control);
  }
  const kubernetes = await cluster();
  const token = await readRegistryToken(options) ?? await readAdminToken(kubernetes, namespace);
  const name = NAMES.registry, port = PORTS.registry.http;
  const fetch = serviceProxyFetch(kubernetes, {
    path: serviceProxyPath(namespace, name, port),
    name: describeReference({ apiVersion: "v1", kind: "Service", namespace, name }),
  });
  // Only the path of this address is used: the API server knows the rest.
  const baseUrl = `http://${name}.${namespace}:${port}`;
  const headers = { "x-serin-authorization": `Bearer ${token}` };
  return joinModelRegistry(
    createMlflowClient({ baseUrl, fetch, headers }),
    createControlClient({ baseUrl, fetch, headers }),
  );
}
