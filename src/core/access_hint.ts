/**
 * What to do when a registry wants a token, or wants another: the same words for every client.
 *
 * @param status an HTTP status
 * @returns undefined unless it is 401 or 403
 */
export function accessHint(status: number): string | undefined {
  if (status === 401) {
    return "give the registry's token with --registry-token-file FILE, or in the environment as " +
      "SERIN_REGISTRY_TOKEN or MLFLOW_TRACKING_TOKEN";
  }
  if (status !== 403) return undefined;
  return "this token may not do that: give the admin's token with --registry-token-file FILE, or in " +
    "the environment as SERIN_REGISTRY_TOKEN (a replica's token reads, syncs and labels only)";
}
