import { type Clock, type Random, systemClock, SystemRandom } from "../core/mod.ts";
import { Discovery, pathOf, type Resource } from "./discovery.ts";
import { kindMissing } from "./kind_missing.ts";
import type {
  ApplyOptions,
  DeleteOptions,
  KubernetesClient,
  ObjectList,
  RawRequest,
  WatchEvent,
  WatchOptions,
  WriteOptions,
} from "./kubernetes_client.ts";
import {
  ALL_NAMESPACES,
  describeReference,
  type KindReference,
  type KubernetesObject,
  type ObjectReference,
  referenceOf,
} from "./kubernetes_object.ts";
import { type Sleep, systemSleep } from "./sleep.ts";
import { type Attempt, isExpired, parseStatus, statusError } from "./status_error.ts";
import { Transport } from "./transport.ts";
import { watchKind } from "./watch.ts";

/** What {@linkcode createKubernetesClient} needs. */
export interface KubernetesClientOptions {
  /** E.g. `https://10.0.0.1:6443`. */
  readonly server: string;
  /** For references without a namespace. */
  readonly namespace: string;
  /** Carries TLS and proxy settings. */
  readonly fetch: typeof globalThis.fetch;
  /** The `Authorization` header; asked with `renewed` after a 401. Default: none is sent. */
  readonly authorize?: (renewed: boolean) => Promise<string | undefined>;
  /** How long an answer may take, milliseconds; default 30000. Watches have their own limit. */
  readonly timeoutMs?: number;
  readonly clock?: Clock;
  readonly random?: Random;
  readonly sleep?: Sleep;
}

const PAGE_OBJECTS = 500;
const RESTARTS_MAX = 3;

/**
 * @throws {SerinError} `configuration` where the address is no http(s) URL
 *
 * @example The Deployments of a namespace, through `kubectl proxy`
 * ```ts ignore
 * const client = createKubernetesClient({
 *   server: "http://localhost:8001",
 *   namespace: "serin",
 *   fetch,
 * });
 * const { items } = await client.list({ apiVersion: "apps/v1", kind: "Deployment" });
 * ```
 */
export function createKubernetesClient(options: KubernetesClientOptions): KubernetesClient {
  return new RestClient(options);
}

class RestClient implements KubernetesClient {
  readonly namespace: string;
  readonly #transport: Transport;
  readonly #discovery: Discovery;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #sleep: Sleep;

  constructor(options: KubernetesClientOptions) {
    const { server, fetch, namespace, timeoutMs = 30_000 } = options;
    this.namespace = namespace;
    this.#clock = options.clock ?? systemClock;
    this.#random = options.random ?? new SystemRandom();
    this.#sleep = options.sleep ?? systemSleep;
    this.#transport = new Transport({
      server,
      fetch,
      timeoutMs,
      authorize: options.authorize ?? (() => Promise.resolve(undefined)),
      sleep: this.#sleep,
      random: this.#random,
    });
    this.#discovery = new Discovery((path) => this.#fetchGroup(path));
  }

  async get(ref: ObjectReference): Promise<KubernetesObject | undefined> {
    return await orUndefined(() => this.#call("get", "GET", ref));
  }

  async list(kind: KindReference & { readonly limit?: number }): Promise<ObjectList> {
    const { resource, path, attempt } = await this.#locate("list", bareKind(kind));
    for (let restarts = 0;; restarts++) {
      try {
        return await this.#listPages(kind, path, attempt);
      } catch (thrown) {
        if (isRouteMissing(thrown)) throw this.#gone(kind, resource);
        // The pages' common snapshot is gone (5 minutes, as a rule): from the start.
        if (!isExpired(thrown) || restarts === RESTARTS_MAX) throw thrown;
      }
    }
  }

  async create(
    object: KubernetesObject,
    options: Omit<WriteOptions, "subresource"> = {},
  ): Promise<KubernetesObject> {
    const ref = referenceOf(object);
    const { resource, attempt } = await this.#locate("create", ref);
    const path = pathOf(resource, { ...this.#placed(ref), name: undefined });
    return await this.#send(ref, resource, "POST", path + writeQuery(options), attempt, object);
  }

  async apply(object: KubernetesObject, options: ApplyOptions): Promise<KubernetesObject> {
    const { fieldManager, force = false, dryRun, subresource } = options;
    // Force is written out: without it the API server takes it for false, with a conflict's error.
    const query = writeQuery({ fieldManager, dryRun }, { force: String(force) });
    const { managedFields: _, ...metadata } = object.metadata;
    return await this.#call("patch", "PATCH", referenceOf(object), {
      subresource,
      query,
      body: { ...object, metadata },
      // JSON is YAML.
      contentType: "application/apply-patch+yaml",
    });
  }

  async replace(object: KubernetesObject, options: WriteOptions = {}): Promise<KubernetesObject> {
    return await this.#call("update", "PUT", referenceOf(object), {
      subresource: options.subresource,
      query: writeQuery(options),
      body: object,
    });
  }

  async patch(
    ref: ObjectReference,
    mergePatch: Readonly<Record<string, unknown>>,
    options: WriteOptions = {},
  ): Promise<KubernetesObject> {
    return await this.#call("patch", "PATCH", ref, {
      subresource: options.subresource,
      query: writeQuery(options),
      body: mergePatch,
      contentType: "application/merge-patch+json",
    });
  }

  async delete(ref: ObjectReference, options: DeleteOptions = {}): Promise<boolean> {
    const { propagation, dryRun, ...rest } = options;
    const body = {
      apiVersion: "v1",
      kind: "DeleteOptions",
      ...rest,
      ...(propagation === undefined ? {} : { propagationPolicy: propagation }),
      ...(dryRun ? { dryRun: ["All"] } : {}),
    };
    return (await orUndefined(() => this.#call("delete", "DELETE", ref, { body }))) !== undefined;
  }

  watch(kind: KindReference, options: WatchOptions): AsyncIterable<WatchEvent> {
    return watchKind({
      list: () => this.list(kind),
      open: (query, signal) => this.#openWatch(kind, query, signal),
      clock: this.#clock,
      random: this.#random,
      sleep: this.#sleep,
    }, options);
  }

  async raw(method: string, path: string, init?: RawRequest): Promise<Response> {
    return await this.#transport.raw(method, path, init);
  }

  async #openWatch(
    kind: KindReference,
    query: Readonly<Record<string, string>>,
    signal: AbortSignal,
  ): Promise<Response> {
    const { resource, path, attempt } = await this.#locate("watch", bareKind(kind));
    const search = new URLSearchParams({ ...selectorsOf(kind), ...query });
    const answer = await this.#transport.raw("GET", `${path}?${search}`, { signal });
    if (answer.ok) return answer;
    const status = parseStatus(await answer.text());
    if (answer.status === 404 && status === undefined) throw this.#gone(kind, resource);
    throw statusError(answer.status, status, attempt);
  }

  async #listPages(
    kind: KindReference & { readonly limit?: number },
    path: string,
    attempt: Attempt,
  ): Promise<ObjectList> {
    const { apiVersion } = kind, items: KubernetesObject[] = [];
    const query = new URLSearchParams(selectorsOf(kind));
    query.set("limit", String(kind.limit ?? PAGE_OBJECTS));
    for (;;) {
      const page = await this.#transport.json("GET", `${path}?${query}`, attempt) as ListAnswer;
      // Items of a list come without their head.
      for (const item of page.items ?? []) items.push({ ...item, apiVersion, kind: kind.kind });
      const { continue: next = "", resourceVersion = "" } = page.metadata ?? {};
      if (next === "") return { items, resourceVersion };
      query.set("continue", next);
    }
  }

  async #call(
    verb: string,
    method: string,
    ref: ObjectReference,
    options: CallOptions = {},
  ): Promise<KubernetesObject> {
    const { subresource, query = "", body, contentType } = options;
    const { resource, path, attempt } = await this.#locate(verb, ref, subresource);
    return await this.#send(ref, resource, method, path + query, attempt, body, contentType);
  }

  async #send(
    ref: ObjectReference,
    resource: Resource,
    method: string,
    path: string,
    attempt: Attempt,
    body?: unknown,
    contentType = "application/json",
  ): Promise<KubernetesObject> {
    const init = body === undefined
      ? {}
      : { body: JSON.stringify(body), headers: { "content-type": contentType } };
    try {
      return await this.#transport.json(method, path, attempt, init) as KubernetesObject;
    } catch (thrown) {
      throw isRouteMissing(thrown) ? this.#gone(ref, resource) : thrown;
    }
  }

  /** Finds a kind's path, and the words for its errors. */
  async #locate(
    verb: string,
    ref: KindReference & { readonly name?: string },
    subresource?: string,
  ): Promise<{ resource: Resource; path: string; attempt: Attempt }> {
    const resource = await this.#discovery.resourceOf(ref);
    const placed = this.#placed(ref, resource);
    const { apiVersion, kind, namespace, name } = placed;
    const where = namespace === undefined ? "" : ` of namespace ${namespace}`;
    const attempt: Attempt = {
      verb,
      what: name === undefined ? `${kind}s${where}` : describeReference({ ...placed, name }),
      resource: subresource === undefined ? resource.name : `${resource.name}/${subresource}`,
      group: apiVersion.includes("/") ? apiVersion.split("/")[0] : "",
    };
    return { resource, path: pathOf(resource, placed, subresource), attempt };
  }

  #placed<R extends { readonly namespace?: string }>(ref: R, resource?: Resource): R {
    const namespace = resource?.namespaced === false || ref.namespace === ALL_NAMESPACES
      ? undefined
      : ref.namespace ?? this.namespace;
    return { ...ref, namespace };
  }

  async #fetchGroup(path: string): Promise<unknown> {
    const attempt: Attempt = { verb: "get", what: `the kinds of ${path}` };
    return await orUndefined(() => this.#transport.json("GET", path, attempt));
  }

  /** The kind was there once: its CRD has been taken away. */
  #gone({ apiVersion }: { apiVersion: string }, { kind }: Resource) {
    this.#discovery.forget(apiVersion);
    return kindMissing(apiVersion, kind);
  }
}

interface CallOptions {
  readonly subresource?: string;
  readonly query?: string;
  readonly body?: unknown;
  readonly contentType?: string;
}

interface ListAnswer {
  readonly metadata?: { readonly continue?: string; readonly resourceVersion?: string };
  readonly items?: readonly KubernetesObject[];
}

/** An object's whole reference may stand for its kind. */
function bareKind({ apiVersion, kind, namespace }: KindReference): KindReference {
  return { apiVersion, kind, ...(namespace === undefined ? {} : { namespace }) };
}

function selectorsOf({ labelSelector, fieldSelector }: KindReference): Record<string, string> {
  return {
    ...(labelSelector === undefined ? {} : { labelSelector }),
    ...(fieldSelector === undefined ? {} : { fieldSelector }),
  };
}

function writeQuery(
  { dryRun, fieldManager }: WriteOptions,
  more: Readonly<Record<string, string>> = {},
): string {
  const query = new URLSearchParams({
    // Fields that the kind does not have are an error, not a warning that nobody reads.
    fieldValidation: "Strict",
    ...(fieldManager === undefined ? {} : { fieldManager }),
    ...(dryRun ? { dryRun: "All" } : {}),
    ...more,
  });
  return `?${query}`;
}

/** An object that is missing comes with a Status; a path that is missing with a line of text. */
function isRouteMissing(thrown: unknown): boolean {
  const { status, reason } = detailsOf(thrown);
  return status === 404 && reason === undefined;
}

function detailsOf(thrown: unknown): { status?: unknown; reason?: unknown } {
  return (thrown as { details?: Record<string, unknown> })?.details ?? {};
}

async function orUndefined<T>(get: () => Promise<T>): Promise<T | undefined> {
  try {
    return await get();
  } catch (thrown) {
    if (detailsOf(thrown).status === 404) return undefined;
    throw thrown;
  }
}
