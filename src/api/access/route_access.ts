/** What a route wants: nothing, any token, or the admin's. */
export type Access = "open" | "replica" | "admin";

/** Read by probes, scrapers and MLflow's clients before they have anything to show. */
const OPEN: readonly string[] = ["/health", "/livez", "/readyz", "/version", "/metrics"];

/** What a replica sends. */
const REPLICA_POSTS: readonly string[] = ["/api/serin/v1/sync", "/v1/labels"];

/** What a replica or a person's browser reads. */
const REPLICA_GETS: readonly string[] = [
  ...["/", "/ui", "/get-artifact", "/model-versions/get-artifact"],
];
const REPLICA_GETS_BELOW: readonly string[] = ["/ui/", "/api/serin/v1/"];

/** The same of MLflow's API, below /api and /ajax-api. */
const MLFLOW_GETS: readonly string[] = [
  "/2.0/mlflow/registered-models/get",
  "/2.0/mlflow/registered-models/alias",
  "/2.0/mlflow/registered-models/get-latest-versions",
  "/2.0/mlflow/model-versions/get",
  "/2.0/mlflow/model-versions/get-download-uri",
  "/2.0/mlflow/runs/get",
  "/2.0/mlflow/artifacts/list",
  "/2.0/mlflow-artifacts/artifacts",
  "/3.0/mlflow/server-info",
];
const MLFLOW_GETS_BELOW: readonly string[] = ["/2.0/mlflow-artifacts/artifacts/"];
const LOGGED_MODEL = /^\/2\.0\/mlflow\/logged-models\/[^/]+(\/artifacts\/(directories|files))?$/;

/**
 * What a request wants of its caller. Only what stands here is open or a replica's: every other
 * method and path, also one that no route has, is the admin's.
 *
 * @param method HEAD is answered by a GET's route, so it wants the same
 * @param path as the router sees it, compared letter by letter: no other spelling is the same route
 */
export function accessOf(method: string, path: string): Access {
  if (method === "POST") return REPLICA_POSTS.includes(path) ? "replica" : "admin";
  if (method !== "GET" && method !== "HEAD") return "admin";
  if (OPEN.includes(path)) return "open";
  return isReplicaRead(path) ? "replica" : "admin";
}

function isReplicaRead(path: string): boolean {
  if (REPLICA_GETS.includes(path) || isBelow(path, REPLICA_GETS_BELOW)) return true;
  const prefix = ["/api", "/ajax-api"].find((prefix) => path.startsWith(`${prefix}/`));
  if (prefix === undefined) return false;
  const route = path.slice(prefix.length);
  return MLFLOW_GETS.includes(route) || isBelow(route, MLFLOW_GETS_BELOW) ||
    LOGGED_MODEL.test(route);
}

function isBelow(path: string, folders: readonly string[]): boolean {
  return folders.some((folder) => path.startsWith(folder));
}

/** @returns whether errors of that path have MLflow's form */
export function isMlflowPath(path: string): boolean {
  return /^\/(ajax-)?api\/[23]\.0\//.test(path) || /^\/(model-versions\/)?get-artifact$/.test(path);
}
