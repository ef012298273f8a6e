/** A cluster as the test reaches it: kubectl, serin's own commands, addresses of Services and pods. */
import { until } from "../../src/testing/mod.ts";

const ROOT = decodeURIComponent(new URL("../../", import.meta.url).pathname);

/** Starts and ends the cluster, and has its kubectl. */
export const CLUSTER_SCRIPT = `${ROOT}scripts/cluster/cluster`;

// deno-lint-ignore no-explicit-any -- Kubernetes objects and JSON documents, as a user sees them
export type Json = any;

/** How a program ended. */
export interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program to its end. */
export async function run(
  command: string,
  args: readonly string[],
  options: { env?: Record<string, string>; stdin?: string; cwd?: string; timeoutMs?: number } = {},
): Promise<Ended> {
  const { env, stdin, cwd = ROOT, timeoutMs = 300_000 } = options;
  const child = new Deno.Command(command, {
    args: [...args],
    cwd,
    stdin: stdin === undefined ? "null" : "piped",
    stdout: "piped",
    stderr: "piped",
    ...(env === undefined ? {} : { env }),
  }).spawn();
  const timer = setTimeout(() => child.kill("SIGTERM"), timeoutMs);
  if (stdin !== undefined) {
    const writer = child.stdin.getWriter();
    await writer.write(new TextEncoder().encode(stdin));
    await writer.close();
  }
  const { code, stdout, stderr } = await child.output();
  clearTimeout(timer);
  const decoder = new TextDecoder();
  return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}

/** A namespace of a running cluster. */
export class Cluster {
  readonly kubeconfig: string;
  readonly namespace = "serin";

  constructor(kubeconfig: string) {
    this.kubeconfig = kubeconfig;
  }

  /** Runs kubectl in the namespace, whatever comes of it. */
  async tryKubectl(args: readonly string[], stdin?: string): Promise<Ended> {
    const all = ["kubectl", "--namespace", this.namespace, ...args];
    return await run(CLUSTER_SCRIPT, all, stdin === undefined ? {} : { stdin });
  }

  /** @returns what kubectl printed; throws with its words unless it ended well */
  async kubectl(args: readonly string[], stdin?: string): Promise<string> {
    const { code, stdout, stderr } = await this.tryKubectl(args, stdin);
    if (code !== 0) throw new Error(`kubectl ${args.join(" ")}: ${(stderr || stdout).trim()}`);
    return stdout;
  }

  /** @returns an object or list as JSON */
  async get(...args: string[]): Promise<Json> {
    return JSON.parse(await this.kubectl(["get", ...args, "--output", "json"]));
  }

  /** Applies objects as they are. */
  async apply(objects: readonly unknown[]): Promise<void> {
    await this.kubectl(["apply", "--filename", "-"], toList(objects));
  }

  /** Runs a command of serin that talks to this cluster. */
  serin(args: readonly string[], env: Record<string, string> = {}): Promise<Ended> {
    return run(`${ROOT}serin`, args, { env: { KUBECONFIG: this.kubeconfig, ...env } });
  }

  /** @returns what it printed; throws with its words unless it ended well */
  async serinOk(args: readonly string[], env: Record<string, string> = {}): Promise<string> {
    const { code, stdout, stderr } = await this.serin(args, env);
    if (code !== 0) throw new Error(`serin ${args.join(" ")}: ended with ${code}: ${stderr}`);
    return stdout;
  }

  /** @returns a Service's address inside the cluster, which this machine reaches too */
  async serviceUrl(name: string, port: number): Promise<string> {
    return `http://${(await this.get("service", name)).spec.clusterIP}:${port}`;
  }

  /** @returns a key of a Secret, decoded */
  async secret(name: string, key: string): Promise<string> {
    return atob((await this.get("secret", name)).data[key]);
  }

  /** @returns the pods of a component that are ready and not about to end */
  async readyPods(component: string): Promise<Json[]> {
    const selector = `app.kubernetes.io/component=${component}`;
    const { items } = await this.get("pods", "--selector", selector);
    return items.filter((pod: Json) =>
      pod.metadata.deletionTimestamp === undefined &&
      pod.status.conditions?.some((each: Json) => each.type === "Ready" && each.status === "True")
    );
  }

  /** Waits until a workload has as many ready pods as it wants, all of its newest template. */
  async settled(kind: "deployment" | "statefulset", name: string, timeoutMs = 90_000) {
    return await until(`${kind} ${name} has settled`, async () => {
      const { metadata, spec, status } = await this.get(kind, name);
      const { observedGeneration, replicas = 0, readyReplicas = 0, updatedReplicas = 0 } = status;
      return observedGeneration === metadata.generation && replicas === spec.replicas &&
        readyReplicas === spec.replicas && updatedReplicas === spec.replicas && { spec, status };
    }, timeoutMs);
  }
}

/** @returns objects as one JSON document that kubectl reads */
export function toList(objects: readonly unknown[]): string {
  return JSON.stringify({ apiVersion: "v1", kind: "List", items: objects });
}
