import type { KindReference, KubernetesObject, ObjectReference } from "./kubernetes_object.ts";

/** How {@linkcode KubernetesClient.apply} applies. */
export interface ApplyOptions {
  /** In whose name: fields that this manager applied before and leaves out now are removed. */
  readonly fieldManager: string;
  /** Takes fields over that others manage; otherwise that is a `conflict`. */
  readonly force?: boolean;
  /** Nothing is kept; the answer is what would be. */
  readonly dryRun?: boolean;
  /** E.g. `status`. */
  readonly subresource?: string;
}

/** Options of {@linkcode KubernetesClient.replace} and {@linkcode KubernetesClient.patch}. */
export interface WriteOptions {
  readonly subresource?: string;
  readonly dryRun?: boolean;
  readonly fieldManager?: string;
}

/** How {@linkcode KubernetesClient.delete} deletes. */
export interface DeleteOptions {
  /** What happens to what the object owns; the kind's own default where it is left out. */
  readonly propagation?: "Background" | "Foreground" | "Orphan";
  readonly gracePeriodSeconds?: number;
  /** Only this very object, in this very state. */
  readonly preconditions?: { readonly uid?: string; readonly resourceVersion?: string };
  readonly dryRun?: boolean;
}

/** A page of objects put together; `resourceVersion` is where a watch goes on. */
export interface ObjectList {
  readonly items: readonly KubernetesObject[];
  readonly resourceVersion: string;
}

/** One change. */
export interface WatchEvent {
  readonly type: "ADDED" | "MODIFIED" | "DELETED";
  readonly object: KubernetesObject;
}

/** How {@linkcode KubernetesClient.watch} watches. */
export interface WatchOptions {
  /** Where to go on; without it everything that is there comes first, as ADDED. */
  readonly resourceVersion?: string;
  /** Ends the watch: the iteration is then done, without an error. */
  readonly signal: AbortSignal;
  /** Told of each interruption before it is tried again. */
  readonly onInterruption?: (error: unknown) => void;
  /** Told when everything that was there has been handed out: after each list. */
  readonly onListed?: () => void;
}

/**
 * A client of one Kubernetes API server. Every method throws {SerinError}: `unavailable` (out of
 * reach, 5xx), `timeout`, `unauthenticated`, `permission_denied` (the hint names verb and resource),
 * `not_found` where the cluster has no such kind (see `isKindMissing`), `invalid_input` with every field
 * that the server names, `conflict`, `limit_exceeded`. Messages name the object.
 */
export interface KubernetesClient {
  /** Of the kubeconfig's context, the pod's or the command line; for references without one. */
  readonly namespace: string;
  /** @returns undefined where there is no such object */
  get(ref: ObjectReference): Promise<KubernetesObject | undefined>;
  /** All of a kind, page by page. @param kind `limit`: objects of one page, default 500 */
  list(kind: KindReference & { readonly limit?: number }): Promise<ObjectList>;
  /** @throws {SerinError} `already_exists` */
  create(
    object: KubernetesObject,
    options?: Omit<WriteOptions, "subresource">,
  ): Promise<KubernetesObject>;
  /**
   * Server-side apply: makes the object where it is missing, sets the fields that are given, and
   * removes those that the same manager gave before.
   *
   * @throws {SerinError} `conflict` that names the other managers and their fields
   */
  apply(object: KubernetesObject, options: ApplyOptions): Promise<KubernetesObject>;
  /**
   * Puts the whole object in the place of what is there.
   *
   * @throws {SerinError} `conflict` where it has another `resourceVersion` by now, `not_found`
   */
  replace(object: KubernetesObject, options?: WriteOptions): Promise<KubernetesObject>;
  /**
   * JSON merge patch (RFC 7386): a null removes, lists are replaced whole.
   *
   * @throws {SerinError} `not_found`
   */
  patch(
    ref: ObjectReference,
    mergePatch: Readonly<Record<string, unknown>>,
    options?: WriteOptions,
  ): Promise<KubernetesObject>;
  /** @returns false where it was not there */
  delete(ref: ObjectReference, options?: DeleteOptions): Promise<boolean>;
  /**
   * What changes, for as long as the signal allows. Interruptions (the server's own time limit, a
   * lost connection, history that is gone: 410) are got over: after a new list, what was missed comes
   * as ADDED, MODIFIED and DELETED.
   *
   * @throws {SerinError} `permission_denied`, `unauthenticated`, `not_found` (no such kind): what
   *   waiting alone does not heal
   */
  watch(kind: KindReference, options: WatchOptions): AsyncIterable<WatchEvent>;
  /**
   * Any request, with the client's credentials; the answer's status is the caller's to judge.
   *
   * @param path with its query, e.g. `/version`
   * @throws {SerinError} `unavailable` where the server is out of reach
   */
  raw(method: string, path: string, init?: RawRequest): Promise<Response>;
}

/** What {@linkcode KubernetesClient.raw} sends. */
export interface RawRequest {
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: BodyInit;
  readonly signal?: AbortSignal;
}
