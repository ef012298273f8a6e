import { z } from "zod";
import { parseYamlConfig } from "../config/mod.ts";
import { type Clock, messageOf, SerinError, systemClock } from "../core/mod.ts";
import {
  type ClusterSettings,
  createKubernetesClient,
  inClusterSettings,
  type KubeconfigFile,
  type KubernetesClient,
  parseKubeconfig,
  type PemSource,
  SERVICE_ACCOUNT_FOLDER,
} from "../kubernetes/mod.ts";
import type { KubernetesOptions } from "./kubernetes_options.ts";

/** A cluster as a command reaches it. */
export interface KubernetesAccess {
  readonly client: KubernetesClient;
  /** Where the way to it was found, for messages. */
  readonly source: string;
  readonly server: string;
  /** Closes the connections that are kept open. */
  close(): void;
}

/** Tokens of pods are renewed long before they expire; client-go reads them as often. */
const TOKEN_AGE_MS = 60_000;

/**
 * Opens the cluster that the command line, the environment, `~/.kube/config` or the pod names, in this
 * order.
 *
 * @param timeoutMs how long an answer may take, milliseconds; default the client's own
 * @throws {SerinError} `configuration`, with what was looked for and the way out
 */
export async function openKubernetes(
  options: KubernetesOptions,
  { timeoutMs }: { readonly timeoutMs?: number } = {},
): Promise<KubernetesAccess> {
  const settings = await findSettings(options);
  const http = await openHttpClient(settings);
  const fetch: typeof globalThis.fetch = (input, init) =>
    globalThis.fetch(input, { ...init, client: http } as RequestInit & { client: unknown });
  const { server, source } = settings;
  const client = createKubernetesClient({
    server,
    namespace: options.namespace ?? settings.namespace,
    fetch,
    authorize: authorizer(settings, systemClock),
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
  });
  return { client, source, server, close: () => http.close() };
}

async function findSettings(options: KubernetesOptions): Promise<ClusterSettings> {
  const { kubeApi, kubeconfig, context, home } = options;
  if (kubeApi !== undefined) {
    if (context !== undefined) {
      throw new SerinError("usage", "--kube-api and --context do not go together", {
        hint: "--kube-api takes no kubeconfig: leave one of them out",
      });
    }
    return { source: "--kube-api", server: kubeApi, namespace: "default" };
  }
  if (kubeconfig !== undefined) {
    return parseKubeconfig(await readKubeconfigs(kubeconfig), context);
  }
  const path = home ? `${home}/.kube/config` : undefined;
  const own = path === undefined ? undefined : await readOptional(path);
  if (path !== undefined && own !== undefined) {
    return parseKubeconfig([parseFile(path, own)], context);
  }
  const namespace = await readOptional(`${SERVICE_ACCOUNT_FOLDER}/namespace`);
  const { kubernetesHost: host, kubernetesPort: port } = options;
  const inside = inClusterSettings({ host, port: port || undefined }, namespace);
  if (inside !== undefined && context === undefined) return inside;
  throw new SerinError("configuration", "No Kubernetes cluster is configured", {
    hint:
      `looked for --kubeconfig (KUBECONFIG), ${path ?? "~/.kube/config"} and a pod's account; ` +
      "or run `kubectl proxy` and give --kube-api http://localhost:8001",
  });
}

/** As kubectl: several paths with colons, of which some may be missing. */
async function readKubeconfigs(paths: string): Promise<KubeconfigFile[]> {
  const files: KubeconfigFile[] = [];
  for (const path of paths.split(":").filter((path) => path !== "")) {
    const text = await readOptional(path);
    if (text !== undefined) files.push(parseFile(path, text));
  }
  if (files.length > 0) return files;
  throw new SerinError("configuration", `There is no kubeconfig at ${paths}`, {
    hint: "check --kubeconfig and the environment variable KUBECONFIG",
  });
}

function parseFile(path: string, text: string): KubeconfigFile {
  try {
    return { path, content: parseYamlConfig(text, z.unknown(), { source: path }) };
  } catch (cause) {
    if (!(cause instanceof SerinError)) throw cause;
    const hint = "a kubeconfig is YAML or JSON: kubectl config view --raw --flatten writes one";
    throw new SerinError(cause.code, cause.message, { hint, cause });
  }
}

async function readOptional(path: string): Promise<string | undefined> {
  try {
    return await Deno.readTextFile(path);
  } catch (cause) {
    if (cause instanceof Deno.errors.NotFound) return undefined;
    throw unreadable(path, cause);
  }
}

async function openHttpClient(settings: ClusterSettings): Promise<Deno.HttpClient> {
  const { authority, certificate, key, proxyUrl, source } = settings;
  const tls = {
    ...(authority === undefined ? {} : { caCerts: [await readPem(authority)] }),
    ...(proxyUrl === undefined ? {} : { proxy: { url: proxyUrl } }),
  };
  try {
    if (certificate === undefined || key === undefined) return Deno.createHttpClient(tls);
    const pair = { cert: await readPem(certificate), key: await readPem(key) };
    return Deno.createHttpClient({ ...tls, ...pair });
  } catch (cause) {
    if (cause instanceof SerinError) throw cause;
    throw new SerinError(
      "configuration",
      `The certificates or the proxy of ${source} cannot be used: ${messageOf(cause)}`,
      { hint: "certificates and keys must be PEM", cause },
    );
  }
}

async function readPem(pem: PemSource): Promise<string> {
  if (pem.kind === "pem") return pem.pem;
  try {
    return await Deno.readTextFile(pem.path);
  } catch (cause) {
    throw unreadable(pem.path, cause);
  }
}

/** The `Authorization` header; a token's file is read anew once a minute, and after a 401. */
function authorizer(
  { token, tokenFile }: ClusterSettings,
  clock: Clock,
): (renewed: boolean) => Promise<string | undefined> {
  let kept: string | undefined, readAt = 0;
  return async (renewed) => {
    if (tokenFile === undefined) {
      // Asking for it again would give the same: the 401 stands.
      return token === undefined || renewed ? undefined : `Bearer ${token}`;
    }
    if (kept === undefined || renewed || clock.monotonic() - readAt >= TOKEN_AGE_MS) {
      try {
        kept = `Bearer ${(await Deno.readTextFile(tokenFile)).trim()}`;
      } catch (cause) {
        if (kept === undefined) throw unreadable(tokenFile, cause);
      }
      readAt = clock.monotonic();
    }
    return kept;
  };
}

function unreadable(path: string, cause: unknown): SerinError {
  return new SerinError("configuration", `Cannot read ${path}: ${messageOf(cause)}`, { cause });
}
