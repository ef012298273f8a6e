/** Who keeps an object alive: when the owner is deleted, the garbage collector deletes the object. */
export interface OwnerReference {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  readonly uid: string;
  readonly controller?: boolean;
  readonly blockOwnerDeletion?: boolean;
}

/** Which fields of an object belong to whom, as server-side apply keeps it. */
export interface ManagedFields {
  readonly manager: string;
  readonly operation: "Apply" | "Update";
  readonly apiVersion?: string;
  readonly time?: string;
  readonly subresource?: string;
  readonly fieldsType?: string;
  readonly fieldsV1?: Readonly<Record<string, unknown>>;
}

/** What every object has (`k8s.io/apimachinery`, `ObjectMeta`). Times are RFC 3339. */
export interface ObjectMeta {
  readonly name: string;
  readonly namespace?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly uid?: string;
  readonly resourceVersion?: string;
  readonly generation?: number;
  readonly creationTimestamp?: string;
  readonly deletionTimestamp?: string;
  readonly finalizers?: readonly string[];
  readonly ownerReferences?: readonly OwnerReference[];
  readonly managedFields?: readonly ManagedFields[];
}

/** Any object of a Kubernetes API. What is beside its head is read where it is needed. */
export interface KubernetesObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: ObjectMeta;
  readonly [field: string]: unknown;
}

/** An object's address. Without a namespace: the client's, where the kind has namespaces at all. */
export interface ObjectReference {
  readonly apiVersion: string;
  readonly kind: string;
  readonly namespace?: string;
  readonly name: string;
}

/** What is listed or watched: one kind in one namespace, or in {@linkcode ALL_NAMESPACES}. */
export interface KindReference {
  readonly apiVersion: string;
  readonly kind: string;
  readonly namespace?: string;
  /** E.g. `app.kubernetes.io/name=serin`. */
  readonly labelSelector?: string;
  /** E.g. `metadata.name=serin-serving`. */
  readonly fieldSelector?: string;
}

/** As a {@linkcode KindReference}'s namespace: every namespace. */
export const ALL_NAMESPACES = "*";

/** @returns the address of an object */
export function referenceOf(object: KubernetesObject): ObjectReference {
  const { apiVersion, kind, metadata: { name, namespace } } = object;
  return { apiVersion, kind, name, ...(namespace === undefined ? {} : { namespace }) };
}

/** @returns e.g. `Deployment serin/serin-serving`, for messages */
export function describeReference(ref: ObjectReference): string {
  return `${ref.kind} ${ref.namespace === undefined ? "" : `${ref.namespace}/`}${ref.name}`;
}
