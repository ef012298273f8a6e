import { type Clock, SerinError } from "../core/mod.ts";
import {
  ALL_NAMESPACES,
  type ApplyOptions,
  type DeleteOptions,
  describeReference,
  kindMissing,
  type KindReference,
  type KubernetesClient,
  type KubernetesObject,
  type ObjectList,
  type ObjectReference,
  type RawRequest,
  referenceOf,
  type WatchEvent,
  type WatchOptions,
  type WriteOptions,
} from "../kubernetes/mod.ts";
import {
  isSame,
  type Json,
  leavesOf,
  mergePatch,
  removeLeaf,
  setLeaf,
  toFieldPath,
  toFieldsV1,
} from "./fake_apply.ts";
import { FakeClock } from "./fake_clock.ts";
import { selects } from "./fake_selectors.ts";

/** Kinds that a new {@linkcode FakeKubernetes} has; a star: it has a status of its own. */
const KINDS = [
  ...["v1/ConfigMap", "v1/Secret", "v1/Service", "v1/ServiceAccount", "v1/Event", "v1/Pod*"],
  ...["v1/PersistentVolumeClaim*", "v1/Namespace*", "apps/v1/Deployment*", "apps/v1/StatefulSet*"],
  ...["apps/v1/ReplicaSet*", "batch/v1/Job*", "batch/v1/CronJob*", "events.k8s.io/v1/Event"],
  ...["autoscaling/v2/HorizontalPodAutoscaler*", "policy/v1/PodDisruptionBudget*"],
  ...["coordination.k8s.io/v1/Lease", "networking.k8s.io/v1/NetworkPolicy"],
  ...["rbac.authorization.k8s.io/v1/Role", "rbac.authorization.k8s.io/v1/RoleBinding"],
  ...["apiextensions.k8s.io/v1/CustomResourceDefinition*", "serin.dev/v1alpha1/Rollout*"],
];

const CLUSTER_KINDS = new Set(["Namespace", "CustomResourceDefinition"]);

/** One call, as {@linkcode FakeKubernetes.calls} records it. */
export interface FakeCall {
  readonly method: "get" | "list" | "create" | "apply" | "replace" | "patch" | "delete" | "watch";
  readonly kind: string;
  readonly name: string;
  readonly subresource?: string;
}

interface Entry {
  object: Json;
  /** manager → paths; one that only updates is marked so. */
  readonly owners: Map<string, { operation: "Apply" | "Update"; paths: Set<string> }>;
}

interface Watcher {
  readonly kind: KindReference;
  readonly queue: WatchEvent[];
  wake: () => void;
}

/**
 * An API server in memory: objects with resource versions, field owners with conflicts, a status of its
 * own, selectors, watches and a garbage collector. Nothing else runs: no controllers, no defaults.
 */
export class FakeKubernetes implements KubernetesClient {
  readonly namespace: string;
  /** Every call so far, the refused ones too. */
  readonly calls: FakeCall[] = [];
  /** Called before each call does anything; what it throws is what the call throws. */
  before: (call: FakeCall, number: number) => void = () => {};
  /** Called when the call is done, its effect kept: for answers that get lost. */
  after: (call: FakeCall, number: number) => void = () => {};
  /** Answers {@linkcode FakeKubernetes.raw}. */
  onRaw: (method: string, path: string, init?: RawRequest) => Response | Promise<Response> = () =>
    new Response("not found", { status: 404 });
  readonly #clock: Clock;
  readonly #kinds = new Map<string, { hasStatus: boolean }>();
  readonly #entries = new Map<string, Entry>();
  readonly #watchers = new Set<Watcher>();
  #version = 0;
  #uids = 0;

  constructor({ namespace = "serin", clock = new FakeClock() as Clock } = {}) {
    this.namespace = namespace;
    this.#clock = clock;
    for (const kind of KINDS) {
      this.#kinds.set(kind.replace("*", ""), { hasStatus: kind.endsWith("*") });
    }
  }

  /** Takes a kind away, as where its CRD is not applied. */
  removeKind(apiVersion: string, kind: string): void {
    this.#kinds.delete(`${apiVersion}/${kind}`);
  }

  /** Adds a kind. */
  addKind(apiVersion: string, kind: string, hasStatus = false): void {
    this.#kinds.set(`${apiVersion}/${kind}`, { hasStatus });
  }

  /** @returns the kinds that there are, by apiVersion */
  kinds(): Map<string, { kind: string; namespaced: boolean; hasStatus: boolean }[]> {
    const groups = new Map<string, { kind: string; namespaced: boolean; hasStatus: boolean }[]>();
    for (const [key, { hasStatus }] of this.#kinds) {
      const apiVersion = key.slice(0, key.lastIndexOf("/"));
      const kind = key.slice(apiVersion.length + 1);
      const kinds = groups.get(apiVersion) ?? [];
      kinds.push({ kind, namespaced: !CLUSTER_KINDS.has(kind), hasStatus });
      groups.set(apiVersion, kinds);
    }
    return groups;
  }

  /** @returns everything there is of a kind, or at all, sorted by name; counts as no call */
  objects(kind?: string): Json[] {
    return [...this.#entries.values()].map(({ object }) => structuredClone(object))
      .filter((object) => kind === undefined || object.kind === kind)
      .toSorted((a, b) => a.metadata.name < b.metadata.name ? -1 : 1);
  }

  // deno-lint-ignore require-await
  async get(ref: ObjectReference): Promise<KubernetesObject | undefined> {
    return this.#call({ method: "get", kind: ref.kind, name: ref.name }, () => {
      const entry = this.#entries.get(this.#keyOf(ref));
      return entry === undefined ? undefined : structuredClone(entry.object);
    });
  }

  // deno-lint-ignore require-await
  async list(kind: KindReference): Promise<ObjectList> {
    return this.#call({ method: "list", kind: kind.kind, name: "" }, () => ({
      items: this.#select(kind),
      resourceVersion: String(this.#version),
    }));
  }

  // deno-lint-ignore require-await
  async create(
    object: KubernetesObject,
    options: Omit<WriteOptions, "subresource"> = {},
  ): Promise<KubernetesObject> {
    return this.#call({ method: "create", kind: object.kind, name: object.metadata.name }, () => {
      const key = this.#keyOf(referenceOf(object));
      if (this.#entries.has(key)) {
        throw new SerinError("already_exists", `${describeReference(referenceOf(object))} exists`);
      }
      const entry: Entry = { object: this.#born(object), owners: new Map() };
      if (this.#kinds.get(kindKey(object))!.hasStatus) delete entry.object.status;
      update(entry, {}, options.fieldManager);
      return this.#keep(key, entry, "ADDED", options.dryRun);
    });
  }

  // deno-lint-ignore require-await
  async apply(object: KubernetesObject, options: ApplyOptions): Promise<KubernetesObject> {
    const { metadata: { name }, kind } = object, { subresource } = options;
    const call: FakeCall = { method: "apply", kind, name, ...(subresource && { subresource }) };
    return this.#call(call, () => {
      const key = this.#keyOf(referenceOf(object)), known = this.#entries.get(key);
      if (known === undefined && subresource !== undefined) throw notFound(object);
      checkVersion(object, known);
      const entry: Entry = known === undefined
        ? {
          object: this.#born({ apiVersion: object.apiVersion, kind, metadata: bare(object) }),
          owners: new Map(),
        }
        : cloneEntry(known);
      const wanted = leavesOf(this.#visible(object, subresource));
      applyFields(entry, wanted, options);
      if (known !== undefined && isUnchanged(known, entry)) return structuredClone(known.object);
      return this.#keep(key, entry, known === undefined ? "ADDED" : "MODIFIED", options.dryRun);
    });
  }

  // deno-lint-ignore require-await
  async replace(
    object: KubernetesObject,
    options: WriteOptions = {},
  ): Promise<KubernetesObject> {
    const call = { method: "replace", kind: object.kind, name: object.metadata.name } as const;
    return this.#call(call, () =>
      this.#write(object, options, (old) => ({
        ...object,
        metadata: {
          ...object.metadata,
          ...bare(old),
          uid: old.metadata.uid,
          creationTimestamp: old.metadata.creationTimestamp,
          generation: old.metadata.generation,
        },
      })));
  }

  // deno-lint-ignore require-await
  async patch(
    ref: ObjectReference,
    patch: Readonly<Record<string, unknown>>,
    options: WriteOptions = {},
  ): Promise<KubernetesObject> {
    const { apiVersion, kind, name, namespace } = ref;
    const metadata = { ...(patch.metadata as object), name, namespace };
    return this.#call(
      { method: "patch", kind, name },
      () => this.#write({ apiVersion, kind, metadata }, options, (old) => mergePatch(old, patch)),
    );
  }

  // deno-lint-ignore require-await
  async delete(ref: ObjectReference, options: DeleteOptions = {}): Promise<boolean> {
    return this.#call({ method: "delete", kind: ref.kind, name: ref.name }, () => {
      const key = this.#keyOf(ref), entry = this.#entries.get(key);
      if (entry === undefined) return false;
      const { metadata } = entry.object;
      for (const [field, value] of Object.entries(options.preconditions ?? {})) {
        if (metadata[field] !== value) {
          throw new SerinError("conflict", `${describeReference(ref)} has another ${field}`);
        }
      }
      if (options.dryRun) return true;
      this.#remove(key, entry, options.propagation !== "Orphan");
      return true;
    });
  }

  async *watch(kind: KindReference, options: WatchOptions): AsyncIterable<WatchEvent> {
    const { signal } = options;
    this.#call(
      { method: "watch", kind: kind.kind, name: "" },
      () => this.#keyOf({ ...kind, name: "x" }),
    );
    const watcher: Watcher = { kind, queue: [], wake: () => {} };
    if (options.resourceVersion === undefined) {
      watcher.queue.push(
        ...this.#select(kind).map((object) => ({ type: "ADDED", object } as const)),
      );
      options.onListed?.();
    }
    this.#watchers.add(watcher);
    const stop = () => watcher.wake();
    signal.addEventListener("abort", stop);
    try {
      while (!signal.aborted) {
        const event = watcher.queue.shift();
        if (event !== undefined) yield event;
        else await new Promise<void>((wake) => watcher.wake = wake);
      }
    } finally {
      signal.removeEventListener("abort", stop);
      this.#watchers.delete(watcher);
    }
  }

  async raw(method: string, path: string, init?: RawRequest): Promise<Response> {
    return await this.onRaw(method, path, init);
  }

  #call<T>(call: FakeCall, run: () => T): T {
    this.calls.push(call);
    const number = this.calls.length;
    this.before(call, number);
    const result = run();
    this.after(call, number);
    return result;
  }

  #keyOf({ apiVersion, kind, namespace, name }: ObjectReference): string {
    if (!this.#kinds.has(`${apiVersion}/${kind}`)) throw kindMissing(apiVersion, kind);
    const where = CLUSTER_KINDS.has(kind) ? "" : namespace ?? this.namespace;
    return `${apiVersion}/${kind}/${where}/${name}`;
  }

  #select(kind: KindReference): KubernetesObject[] {
    this.#keyOf({ ...kind, name: "x" });
    return [...this.#entries.values()].map(({ object }) => object)
      .filter((object) => this.#isSelected(object, kind))
      .map((object) => structuredClone(object));
  }

  #isSelected(object: Json, kind: KindReference): boolean {
    const { namespace = this.namespace } = kind;
    return object.apiVersion === kind.apiVersion && object.kind === kind.kind &&
      (object.metadata.namespace === undefined || namespace === ALL_NAMESPACES ||
        object.metadata.namespace === namespace) &&
      selects(kind, object);
  }

  /** A status that is a subresource is written through it, and nothing else with it. */
  #visible(object: Json, subresource: string | undefined): Json {
    if (!this.#kinds.get(kindKey(object))!.hasStatus) return object;
    if (subresource === "status") return { status: object.status };
    const { status: _status, ...rest } = object;
    return rest;
  }

  #born(object: Json): Json {
    const namespace = CLUSTER_KINDS.has(object.kind)
      ? {}
      : { namespace: object.metadata.namespace ?? this.namespace };
    const born = structuredClone(object);
    born.metadata = {
      ...born.metadata,
      ...namespace,
      uid: `uid-${++this.#uids}`,
      creationTimestamp: new Date(this.#clock.now()).toISOString().replace(/\.\d+Z$/, "Z"),
      generation: 0,
    };
    return JSON.parse(JSON.stringify(born));
  }

  #write(object: Json, options: WriteOptions, change: (old: Json) => Json): KubernetesObject {
    const key = this.#keyOf(referenceOf(object)), known = this.#entries.get(key);
    if (known === undefined) throw notFound(object);
    checkVersion(object, known);
    const entry = cloneEntry(known), changed = change(known.object);
    const hasStatus = this.#kinds.get(kindKey(object))!.hasStatus;
    if (options.subresource === "status") entry.object.status = structuredClone(changed.status);
    else {
      entry.object = structuredClone(changed);
      if (hasStatus) entry.object.status = structuredClone(known.object.status);
    }
    entry.object = JSON.parse(JSON.stringify(entry.object));
    update(entry, known.object, options.fieldManager);
    if (isUnchanged(known, entry)) return structuredClone(known.object);
    return this.#keep(key, entry, "MODIFIED", options.dryRun);
  }

  #keep(
    key: string,
    entry: Entry,
    type: "ADDED" | "MODIFIED",
    dryRun: boolean | undefined,
  ): KubernetesObject {
    const { metadata } = entry.object;
    const old = this.#entries.get(key)?.object;
    if (!isSame(old?.spec, entry.object.spec) || old === undefined) metadata.generation++;
    metadata.managedFields = managedFieldsOf(entry);
    if (dryRun) return structuredClone(entry.object);
    metadata.resourceVersion = String(++this.#version);
    this.#entries.set(key, entry);
    this.#tell(type, entry.object);
    return structuredClone(entry.object);
  }

  #remove(key: string, entry: Entry, withOwned: boolean): void {
    this.#entries.delete(key);
    this.#version++;
    this.#tell("DELETED", entry.object);
    if (!withOwned) return;
    const { uid } = entry.object.metadata;
    for (const [other, owned] of [...this.#entries]) {
      const owners: Json[] = owned.object.metadata.ownerReferences ?? [];
      if (owners.some((owner) => owner.uid === uid)) this.#remove(other, owned, true);
    }
  }

  #tell(type: WatchEvent["type"], object: Json): void {
    for (const watcher of this.#watchers) {
      if (!this.#isSelected(object, watcher.kind)) continue;
      watcher.queue.push({ type, object: structuredClone(object) });
      watcher.wake();
    }
  }
}

function kindKey({ apiVersion, kind }: KubernetesObject): string {
  return `${apiVersion}/${kind}`;
}

function bare(object: KubernetesObject): { name: string; namespace?: string } {
  const { name, namespace } = object.metadata;
  return { name, ...(namespace === undefined ? {} : { namespace }) };
}

function notFound(object: KubernetesObject): SerinError {
  return new SerinError("not_found", `There is no ${describeReference(referenceOf(object))}`);
}

function checkVersion(object: KubernetesObject, known: Entry | undefined): void {
  const { resourceVersion, uid } = object.metadata;
  const isOther = (wanted: string | undefined, seen: string | undefined) =>
    wanted !== undefined && wanted !== seen;
  const seen = known?.object.metadata;
  if (isOther(resourceVersion, seen?.resourceVersion) || isOther(uid, seen?.uid)) {
    const what = describeReference(referenceOf(object));
    throw new SerinError("conflict", `${what} has been changed by somebody else`);
  }
}

function applyFields(entry: Entry, wanted: Map<string, Json>, options: ApplyOptions): void {
  const { fieldManager, force = false, subresource } = options;
  const mine = subresource === undefined ? fieldManager : `${fieldManager} ${subresource}`;
  const live = leavesOf(entry.object);
  const conflicts: { manager: string; field: string }[] = [];
  for (const [manager, { paths }] of entry.owners) {
    if (manager === mine) continue;
    for (const path of paths) {
      if (!wanted.has(path) || isSame(wanted.get(path), live.get(path))) continue;
      if (force) paths.delete(path);
      else conflicts.push({ manager: manager.split(" ")[0], field: toFieldPath(path) });
    }
  }
  if (conflicts.length > 0) {
    const said = conflicts.map(({ manager, field }) => `"${manager}" manages ${field}`).join("; ");
    throw new SerinError("conflict", `Cannot apply ${entry.object.metadata.name}: ${said}`, {
      hint: "leave the fields out, or take them over with force",
      details: { conflicts },
    });
  }
  const isOwned = (path: string) =>
    [...entry.owners].some(([manager, { paths }]) => manager !== mine && paths.has(path));
  for (const path of entry.owners.get(mine)?.paths ?? []) {
    if (!wanted.has(path) && !isOwned(path)) removeLeaf(entry.object, path);
  }
  for (const [path, value] of wanted) setLeaf(entry.object, path, value);
  if (wanted.size === 0) entry.owners.delete(mine);
  else entry.owners.set(mine, { operation: "Apply", paths: new Set(wanted.keys()) });
}

/** Fields that a plain write changed belong to whoever wrote. */
function update(entry: Entry, old: Json, manager = "unknown"): void {
  const before = leavesOf(old), now = leavesOf(entry.object);
  const changed = [...now].filter(([path, value]) =>
    !before.has(path) || !isSame(before.get(path), value)
  ).map(([path]) => path);
  for (const { paths } of entry.owners.values()) {
    for (const path of [...paths]) if (!now.has(path) || changed.includes(path)) paths.delete(path);
  }
  if (changed.length === 0) return;
  const key = `${manager} (update)`;
  const paths = entry.owners.get(key)?.paths ?? new Set();
  entry.owners.set(key, { operation: "Update", paths: new Set([...paths, ...changed]) });
}

function managedFieldsOf({ owners }: Entry): Json[] {
  return [...owners].filter(([, { paths }]) => paths.size > 0).map(([key, value]) => {
    const [manager, subresource] = key.replace(" (update)", "").split(" ");
    return {
      manager,
      operation: value.operation,
      ...(subresource === undefined ? {} : { subresource }),
      fieldsType: "FieldsV1",
      fieldsV1: toFieldsV1(value.paths),
    };
  });
}

function cloneEntry({ object, owners }: Entry): Entry {
  const cloned = [...owners].map(([manager, { operation, paths }]) =>
    [manager, { operation, paths: new Set(paths) }] as const
  );
  return { object: structuredClone(object), owners: new Map(cloned) };
}

function isUnchanged(old: Entry, entry: Entry): boolean {
  const { managedFields: _, ...metadata } = entry.object.metadata;
  const { managedFields: before, ...oldMetadata } = old.object.metadata;
  return isSame(
    { ...entry.object, metadata },
    { ...old.object, metadata: oldMetadata },
  ) && isSame(managedFieldsOf(entry), before);
}
