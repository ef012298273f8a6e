import { SerinError } from "../core/mod.ts";
import type { KubernetesClient } from "../kubernetes/mod.ts";

/** A Service of the cluster. */
export interface ProxiedService {
  /** As `serviceProxyPath` gives it. */
  readonly path: string;
  /** For errors, e.g. `Service serin/serin-registry`. */
  readonly name: string;
}

/**
 * `fetch` for a Service of the cluster, through the API server's proxy: of an address only path and
 * query count. `Authorization` is the API server's own: tokens for the Service need another header.
 *
 * @returns a `fetch` that rejects with {SerinError} `unavailable` where the API server answers in the
 *   Service's place, `permission_denied` where it may not be used as a proxy
 */
export function serviceProxyFetch(
  client: Pick<KubernetesClient, "raw">,
  { path, name }: ProxiedService,
): typeof globalThis.fetch {
  return async (input, init) => {
    const request = new Request(input, init);
    const { pathname, search } = new URL(request.url);
    const headers = Object.fromEntries(request.headers);
    delete headers.authorization;
    const hasBody = request.body !== null;
    const response = await client.raw(request.method, `${path}${pathname}${search}`, {
      headers,
      ...(hasBody ? { body: await request.arrayBuffer() } : {}),
      signal: request.signal,
    });
    if (!response.ok) await refuseStatus(response.clone(), name);
    return response;
  };
}

/** The API server's own errors are of kind Status; a Service's are whatever they are. */
async function refuseStatus(response: Response, name: string): Promise<void> {
  if (!(response.headers.get("content-type") ?? "").includes("json")) {
    await response.body?.cancel();
    return;
  }
  const body = await response.json().catch(() => undefined) as
    | { kind?: unknown; message?: unknown }
    | undefined;
  if (body?.kind !== "Status") return;
  const isForbidden = response.status === 403;
  throw new SerinError(
    isForbidden ? "permission_denied" : "unavailable",
    `${name} did not answer through the API server: ${body.message ?? response.status}`,
    {
      hint: isForbidden
        ? "these credentials may not use the proxy: a Role must allow services/proxy, or give " +
          "--registry"
        : "look whether its pod is ready and whether a NetworkPolicy shuts the API server out " +
          "(--set network.apiServerCidrs=…), or give --registry",
    },
  );
}
