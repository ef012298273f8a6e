/**
 * The path by which the API server hands requests through to a Service, for clients outside of the
 * cluster. It answers for the Service's port by name or number; `Authorization` is the API server's
 * own and does not get through.
 *
 * @returns e.g. `/api/v1/namespaces/serin/services/http:serin-registry:5000/proxy`
 *
 * @example The registry's health through the API server
 * ```ts
 * import { serviceProxyPath } from "./mod.ts";
 * const path = `${serviceProxyPath("serin", "serin-registry", "http")}/health`;
 * console.assert(path.endsWith("/services/http:serin-registry:http/proxy/health"));
 * ```
 */
export function serviceProxyPath(
  namespace: string,
  service: string,
  port: number | string,
  scheme: "http" | "https" = "http",
): string {
  const name = [scheme, service, String(port)].map(encodeURIComponent).join(":");
  return `/api/v1/namespaces/${encodeURIComponent(namespace)}/services/${name}/proxy`;
}
