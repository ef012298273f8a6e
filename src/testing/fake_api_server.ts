import { SerinError } from "../core/mod.ts";
import type { KindReference, KubernetesObject, ObjectReference } from "../kubernetes/mod.ts";
import type { FakeKubernetes } from "./fake_kubernetes.ts";

const REASONS: Partial<Record<SerinError["code"], [status: number, reason: string]>> = {
  not_found: [404, "NotFound"],
  already_exists: [409, "AlreadyExists"],
  conflict: [409, "Conflict"],
  invalid_input: [422, "Invalid"],
  permission_denied: [403, "Forbidden"],
};

/** A request's address, taken apart. */
interface Address extends KindReference {
  readonly name: string | undefined;
  readonly subresource: string | undefined;
}

/**
 * Serves a {@linkcode FakeKubernetes} as an API server's REST interface, on a port of this machine and
 * without TLS, for whole programs: `--kube-api URL`.
 */
export class FakeApiServer implements AsyncDisposable {
  readonly api: FakeKubernetes;
  readonly #server: Deno.HttpServer<Deno.NetAddr>;
  readonly #ending = new AbortController();

  constructor(api: FakeKubernetes) {
    this.api = api;
    const options = { hostname: "127.0.0.1", port: 0, onListen: () => {} };
    this.#server = Deno.serve(options, (request) => this.#answer(request));
  }

  get url(): string {
    return `http://127.0.0.1:${this.#server.addr.port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#ending.abort();
    await this.#server.shutdown();
  }

  async #answer(request: Request): Promise<Response> {
    const url = new URL(request.url);
    const group = /^\/api\/(v1)$|^\/apis\/([^/]+\/[^/]+)$/.exec(url.pathname);
    if (group !== null) return this.#resources(group[1] ?? group[2]);
    const address = this.#find(url);
    if (address === undefined) return new Response("404 page not found\n", { status: 404 });
    try {
      return await this.#perform(request, url.searchParams, address);
    } catch (thrown) {
      return failure(thrown);
    }
  }

  async #perform(request: Request, query: URLSearchParams, at: Address): Promise<Response> {
    const { api } = this, body = await bodyOf(request), method = request.method;
    const { subresource, name } = at;
    const options = {
      fieldManager: query.get("fieldManager") ?? "unknown",
      dryRun: query.has("dryRun"),
      ...(subresource === undefined ? {} : { subresource }),
    };
    if (name === undefined) {
      if (method === "POST") {
        return Response.json(await api.create(body as KubernetesObject, options));
      }
      if (query.has("watch")) return this.#watch(at, query.get("resourceVersion") ?? undefined);
      const { items, resourceVersion } = await api.list(at);
      return Response.json({ metadata: { resourceVersion }, items });
    }
    const ref: ObjectReference = { ...at, name };
    if (method === "GET") return found(await api.get(ref), name);
    if (method === "PUT") {
      return Response.json(await api.replace(body as KubernetesObject, options));
    }
    if (method === "DELETE") {
      const { propagationPolicy: propagation, ...rest } = body;
      const done = await api.delete(ref, { ...rest, ...(propagation && { propagation }) });
      return found(done ? { kind: "Status", status: "Success" } : undefined, name);
    }
    if (request.headers.get("content-type") === "application/apply-patch+yaml") {
      const force = query.get("force") === "true";
      return Response.json(await api.apply(body as KubernetesObject, { ...options, force }));
    }
    return Response.json(await api.patch(ref, body, options));
  }

  #watch(kind: KindReference, resourceVersion: string | undefined): Response {
    const closing = new AbortController();
    this.#ending.signal.addEventListener("abort", () => closing.abort());
    const events = this.api.watch(kind, { signal: closing.signal, resourceVersion });
    const lines = ReadableStream.from((async function* () {
      for await (const event of events) yield JSON.stringify(event) + "\n";
    })());
    return new Response(lines.pipeThrough(new TextEncoderStream()));
  }

  #resources(apiVersion: string): Response {
    const kinds = this.api.kinds().get(apiVersion);
    if (kinds === undefined) return new Response("404 page not found\n", { status: 404 });
    const resources = kinds.map(({ kind, namespaced }) => ({
      name: plural(kind),
      kind,
      namespaced,
    }));
    return Response.json({ resources });
  }

  #find({ pathname, searchParams }: URL): Address | undefined {
    const parts = pathname.split("/").slice(1).map(decodeURIComponent);
    const apiVersion = parts[0] === "api" ? parts[1] : `${parts[1]}/${parts[2]}`;
    const rest = parts.slice(parts[0] === "api" ? 2 : 3);
    const namespaced = rest[0] === "namespaces" && rest.length > 2;
    const [resource, name, subresource] = namespaced ? rest.slice(2) : rest;
    const kind = this.api.kinds().get(apiVersion)?.find((one) => plural(one.kind) === resource)
      ?.kind;
    if (kind === undefined) return undefined;
    const selector = (key: "labelSelector" | "fieldSelector") =>
      searchParams.has(key) ? { [key]: searchParams.get(key)! } : {};
    return {
      apiVersion,
      kind,
      name,
      subresource,
      ...(namespaced ? { namespace: rest[1] } : {}),
      ...selector("labelSelector"),
      ...selector("fieldSelector"),
    };
  }
}

function plural(kind: string): string {
  return kind.toLowerCase().replace(/y$/, "ie") + "s";
}

// deno-lint-ignore no-explicit-any -- any JSON body
async function bodyOf(request: Request): Promise<any> {
  const text = await request.text();
  return text === "" ? {} : JSON.parse(text);
}

function found(object: unknown, name: string): Response {
  if (object !== undefined) return Response.json(object);
  return failure(new SerinError("not_found", `"${name}" not found`));
}

function failure(thrown: unknown): Response {
  const { code, message, details } = thrown instanceof SerinError
    ? thrown
    : new SerinError("internal", String(thrown));
  const [status, reason] = REASONS[code] ?? [500, "InternalError"];
  const conflicts = (details?.conflicts ?? []) as { manager: string; field: string }[];
  const causes = conflicts.map(({ manager, field }) => ({
    reason: "FieldManagerConflict",
    message: `conflict with "${manager}"`,
    field,
  }));
  const body = {
    kind: "Status",
    status: "Failure",
    code: status,
    reason,
    message,
    details: { causes },
  };
  return Response.json(body, { status });
}
