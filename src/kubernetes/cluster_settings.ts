/** Certificate or key: in PEM, or the file that holds it. */
export type PemSource =
  | { readonly kind: "pem"; readonly pem: string }
  | { readonly kind: "file"; readonly path: string };

/** How a cluster is reached, and as whom; nothing is read or opened yet. */
export interface ClusterSettings {
  /** Where this was found, for messages: a kubeconfig's path and context, or "the pod". */
  readonly source: string;
  readonly server: string;
  readonly namespace: string;
  /** The authority of the server's certificate; undefined: the system's authorities. */
  readonly authority?: PemSource;
  readonly certificate?: PemSource;
  readonly key?: PemSource;
  readonly token?: string;
  /** Wins over `token`; is read anew, since tokens of pods are renewed. */
  readonly tokenFile?: string;
  /** `http://`, `https://` or `socks5://`. */
  readonly proxyUrl?: string;
}

/** Where a pod's service account is mounted. */
export const SERVICE_ACCOUNT_FOLDER = "/var/run/secrets/kubernetes.io/serviceaccount";

/** The namespace where nothing names one. */
export const DEFAULT_NAMESPACE = "default";

/**
 * The settings inside of a pod.
 *
 * @param env `KUBERNETES_SERVICE_HOST` and `KUBERNETES_SERVICE_PORT`, which every container has
 * @param namespace the content of the service account's file `namespace`
 * @returns undefined outside of a cluster
 *
 * @example In a pod
 * ```ts
 * import { inClusterSettings } from "./mod.ts";
 * const settings = inClusterSettings({ host: "10.96.0.1", port: "443" }, "serin\n");
 * console.assert(settings?.server === "https://10.96.0.1:443" && settings.namespace === "serin");
 * ```
 */
export function inClusterSettings(
  { host, port = "443" }: { host: string | undefined; port?: string | undefined },
  namespace: string | undefined,
): ClusterSettings | undefined {
  if (host === undefined || host === "") return undefined;
  const shown = host.includes(":") && !host.startsWith("[") ? `[${host}]` : host;
  return {
    source: "the pod's service account",
    server: `https://${shown}:${port}`,
    namespace: namespace?.trim() || DEFAULT_NAMESPACE,
    authority: { kind: "file", path: `${SERVICE_ACCOUNT_FOLDER}/ca.crt` },
    tokenFile: `${SERVICE_ACCOUNT_FOLDER}/token`,
  };
}
