import { z } from "zod";
import { didYouMean, SerinError } from "../core/mod.ts";
import { type ClusterSettings, DEFAULT_NAMESPACE, type PemSource } from "./cluster_settings.ts";

const text = z.string().optional();

/** What is read of a kubeconfig (`k8s.io/client-go`, `clientcmd/api/v1`); the rest is others'. */
const kubeconfigSchema = z.object({
  "current-context": text,
  clusters: z.array(z.object({
    name: z.string(),
    cluster: z.object({
      server: z.string(),
      "certificate-authority": text,
      "certificate-authority-data": text,
      "insecure-skip-tls-verify": z.boolean().optional(),
      "tls-server-name": text,
      "proxy-url": text,
    }),
  })).nullish(),
  users: z.array(z.object({
    name: z.string(),
    user: z.object({
      "client-certificate": text,
      "client-certificate-data": text,
      "client-key": text,
      "client-key-data": text,
      token: text,
      tokenFile: text,
      username: text,
      as: text,
      exec: z.object({ command: text }).nullish(),
      "auth-provider": z.unknown().optional(),
    }),
  })).nullish(),
  contexts: z.array(z.object({
    name: z.string(),
    context: z.object({ cluster: z.string(), user: z.string().default(""), namespace: text }),
  })).nullish(),
});

type Kubeconfig = z.output<typeof kubeconfigSchema>;
type Cluster = NonNullable<Kubeconfig["clusters"]>[number]["cluster"];
type User = NonNullable<Kubeconfig["users"]>[number]["user"];

/** One file, its YAML parsed. */
export interface KubeconfigFile {
  readonly path: string;
  readonly content: unknown;
}

/**
 * Finds a context in one or several kubeconfigs. As kubectl merges them: of things with one name, and
 * of `current-context`, the first file's counts. Relative paths are relative to their file's folder.
 *
 * @param context its name; default the current one
 * @throws {SerinError} `configuration`: not a kubeconfig, no such context, or one that needs what serin
 *   does not do (plugins that are programs, unchecked certificates), with the way out
 *
 * @example A context with a token
 * ```ts
 * import { parseKubeconfig } from "./mod.ts";
 * const content = {
 *   "current-context": "dev",
 *   clusters: [{ name: "c", cluster: { server: "https://10.0.0.1:6443" } }],
 *   users: [{ name: "me", user: { token: "t" } }],
 *   contexts: [{ name: "dev", context: { cluster: "c", user: "me", namespace: "serin" } }],
 * };
 * const { server, namespace } = parseKubeconfig([{ path: "config", content }]);
 * console.assert(server === "https://10.0.0.1:6443" && namespace === "serin");
 * ```
 */
export function parseKubeconfig(
  files: readonly KubeconfigFile[],
  context?: string,
): ClusterSettings {
  const parsed = files.map(({ path, content }) => ({ path, config: parseFile(path, content) }));
  const where = files.map(({ path }) => path).join(", ");
  const name = context ??
    parsed.map(({ config }) => config["current-context"]).find((name) => name) ??
    fail(`${where} has no current-context`, "choose one with --context NAME");
  const chosen = pick(parsed, "contexts", name, where).entry.context;
  const cluster = pick(parsed, "clusters", chosen.cluster, where);
  const user = chosen.user === ""
    ? { path: where, entry: { user: {} as User } }
    : pick(parsed, "users", chosen.user, where);
  const problems = [
    ...clusterProblems(cluster.entry.cluster, chosen.cluster),
    ...userProblems(user.entry.user, chosen.user),
  ];
  if (problems.length > 0) {
    const [first] = problems;
    fail(
      `Cannot use context "${name}" of ${where}: ${problems.map(([what]) => what).join("; ")}`,
      first[1],
    );
  }
  return {
    source: `context "${name}" of ${where}`,
    namespace: chosen.namespace || DEFAULT_NAMESPACE,
    ...clusterPart(cluster.entry.cluster, folderOf(cluster.path)),
    ...userPart(user.entry.user, folderOf(user.path)),
  };
}

function parseFile(path: string, content: unknown): Kubeconfig {
  const result = kubeconfigSchema.safeParse(content ?? {});
  if (result.success) return result.data;
  const problems = result.error.issues.map(({ path, message }) =>
    `${path.map(String).join(".") || "the whole file"}: ${message}`
  );
  // The values are not shown: they may be secrets.
  return fail(`${path} is no kubeconfig: ${problems.join("; ")}`, "see kubectl config view");
}

type Lists = { [L in "clusters" | "users" | "contexts"]: NonNullable<Kubeconfig[L]>[number] };

function pick<L extends keyof Lists>(
  files: readonly { path: string; config: Kubeconfig }[],
  list: L,
  name: string,
  where: string,
): { path: string; entry: Lists[L] } {
  const all = files.flatMap(({ path, config }) =>
    ((config[list] ?? []) as Lists[L][]).map((entry) => ({ path, entry }))
  );
  const found = all.find(({ entry }) => entry.name === name);
  if (found !== undefined) return found;
  const names = all.map(({ entry }) => entry.name);
  const known = names.length === 0 ? "there are none" : `there are ${names.join(", ")}`;
  const one = list.slice(0, -1);
  return fail(`${where} has no ${one} named "${name}"`, didYouMean(name, names) ?? known);
}

const PROXY_HINT = "run `kubectl proxy` beside it and give --kube-api http://localhost:8001";

type Problem = readonly [what: string, hint: string];

function clusterProblems(cluster: Cluster, name: string): Problem[] {
  const problems: Problem[] = [];
  if (cluster["insecure-skip-tls-verify"]) {
    problems.push([
      `cluster "${name}" has insecure-skip-tls-verify, and certificates are always checked`,
      `give its certificate-authority-data, or ${PROXY_HINT}`,
    ]);
  }
  if (cluster["tls-server-name"] !== undefined) {
    problems.push([`cluster "${name}" has tls-server-name, which is not supported`, PROXY_HINT]);
  }
  return problems;
}

function userProblems(user: User, name: string): Problem[] {
  const problems: Problem[] = [];
  if (user.exec !== undefined && user.exec !== null) {
    const program = user.exec.command ?? "a program";
    problems.push([
      `user "${name}" gets its credentials from ${program} (exec), and serin runs no programs`,
      `${PROXY_HINT}, or use a user with a token: kubectl create token SERVICEACCOUNT`,
    ]);
  }
  if (user["auth-provider"] !== undefined) {
    problems.push([`user "${name}" has an auth-provider, which Kubernetes gave up`, PROXY_HINT]);
  }
  if (user.username !== undefined) {
    problems.push([
      `user "${name}" has a user name and password, which Kubernetes gave up in 1.19`,
      "use a token or a client certificate",
    ]);
  }
  if (user.as !== undefined) {
    problems.push([
      `user "${name}" acts as somebody else (as), which is not supported`,
      PROXY_HINT,
    ]);
  }
  const has = (what: "certificate" | "key") =>
    user[`client-${what}`] !== undefined || user[`client-${what}-data`] !== undefined;
  if (has("certificate") !== has("key")) {
    problems.push([
      `user "${name}" has only one of client certificate and client key`,
      "give both",
    ]);
  }
  return problems;
}

function clusterPart(cluster: Cluster, folder: string) {
  const authority = pemOf(
    cluster["certificate-authority-data"],
    cluster["certificate-authority"],
    folder,
  );
  return {
    server: cluster.server,
    ...(authority === undefined ? {} : { authority }),
    ...(cluster["proxy-url"] === undefined ? {} : { proxyUrl: cluster["proxy-url"] }),
  };
}

function userPart(user: User, folder: string) {
  const certificate = pemOf(user["client-certificate-data"], user["client-certificate"], folder);
  const key = pemOf(user["client-key-data"], user["client-key"], folder);
  return {
    ...(certificate === undefined ? {} : { certificate }),
    ...(key === undefined ? {} : { key }),
    ...(user.token === undefined ? {} : { token: user.token }),
    ...(user.tokenFile === undefined ? {} : { tokenFile: within(folder, user.tokenFile) }),
  };
}

/** Data in the file wins over a path. */
function pemOf(
  data: string | undefined,
  path: string | undefined,
  folder: string,
): PemSource | undefined {
  if (data !== undefined && data !== "") {
    try {
      return { kind: "pem", pem: atob(data) };
    } catch {
      return fail("Certificate or key data of the kubeconfig are no base64", "write the file anew");
    }
  }
  if (path === undefined || path === "") return undefined;
  return { kind: "file", path: within(folder, path) };
}

function folderOf(path: string): string {
  return path.includes("/") ? path.slice(0, path.lastIndexOf("/")) || "/" : ".";
}

function within(folder: string, path: string): string {
  return path.startsWith("/") ? path : `${folder}/${path}`;
}

function fail(message: string, hint: string): never {
  throw new SerinError("configuration", message, { hint });
}
