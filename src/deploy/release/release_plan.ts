import { SerinError } from "../../core/mod.ts";
import {
  describeReference,
  isKindMissing,
  type KubernetesClient,
  type KubernetesObject,
  type ObjectReference,
  referenceOf,
} from "../../kubernetes/mod.ts";
import { inOrder, whyKept } from "./kind_order.ts";
import { configMapHint, findMissingConfigMap } from "./mounted_config.ts";
import { diffObjects, type FieldChange } from "./object_diff.ts";
import { textAt } from "./object_fields.ts";
import { refusalOf } from "./refusal.ts";

/** In whose name fields are applied. */
export const FIELD_MANAGER = "serin-deploy";

/** Where objects are tried whose own namespace is still to be made. */
const STAND_IN_NAMESPACE = "default";
const STAND_IN_SUFFIX = "-serin-dry-run";

/** What would happen to an object. `keep`: it is no longer rendered, but not removed either. */
export type PlannedAction = "create" | "change" | "unchanged" | "remove" | "keep" | "refused";

/** One object of a plan. */
export interface PlannedObject {
  readonly reference: ObjectReference;
  readonly action: PlannedAction;
  /** Of `change`. */
  readonly changes: readonly FieldChange[];
  /** Why it is refused or kept. */
  readonly reason?: string;
  /** What to do about a refusal. */
  readonly hint?: string;
}

/** What {@linkcode planObjects} plans. */
export interface PlanRequest {
  readonly namespace: string;
  readonly objects: readonly KubernetesObject[];
  /** Of all kept releases: what is among them and no longer among `objects` is removed. */
  readonly released: readonly KubernetesObject[];
  /** Takes fields over that others manage. */
  readonly force: boolean;
}

/**
 * What applying objects would do, object by object, by the API server's own dry run: its defaults,
 * validation, admission and field owners are all in it. Writes nothing.
 *
 * @throws {SerinError} `unavailable`, `unauthenticated`; what concerns one object alone is its action
 *   `refused`
 */
export async function planObjects(
  client: KubernetesClient,
  request: PlanRequest,
): Promise<PlannedObject[]> {
  const objects = inOrder(request.objects);
  const isNew = await isNamespaceMissing(client, request);
  const planned = await Promise.all(
    objects.map((object) => planObject(client, object, { isNew, request })),
  );
  const wanted = new Set(objects.map(keyOf));
  const gone = new Map(
    request.released.filter((object) => !wanted.has(keyOf(object)))
      .map((object) => [keyOf(object), object]),
  );
  // The other way round: what needs something goes before what it needs.
  for (const object of inOrder([...gone.values()]).toReversed()) {
    const removal = await planRemoval(client, object);
    if (removal !== undefined) planned.push(removal);
  }
  return planned;
}

/** @returns whether a plan changes anything in the cluster */
export function changesAnything(plan: readonly PlannedObject[]): boolean {
  return plan.some(({ action }) => action !== "unchanged" && action !== "keep");
}

/** @throws {SerinError} `invalid_input` that names every object that is refused */
export function checkPlan(plan: readonly PlannedObject[]): void {
  const refused = plan.filter(({ action }) => action === "refused");
  if (refused.length === 0) return;
  const lines = refused.map(({ reference, reason, hint }) =>
    `\n  - ${describeReference(reference)}: ${reason}${hint === undefined ? "" : ` (${hint})`}`
  );
  throw new SerinError(
    "invalid_input",
    `Nothing was applied: ${refused.length} of ${plan.length} objects are refused:` +
      lines.join(""),
    {
      hint: "change the settings, or what the lines above name; " +
        "`serin deploy plan` shows the whole",
      details: { refused: refused.map(({ reference, reason }) => ({ ...reference, reason })) },
    },
  );
}

async function isNamespaceMissing(
  client: KubernetesClient,
  { namespace, objects }: PlanRequest,
): Promise<boolean> {
  const isOwn = (object: KubernetesObject) =>
    object.kind === "Namespace" && object.metadata.name === namespace;
  if (!objects.some(isOwn)) return false;
  return await client.get({ apiVersion: "v1", kind: "Namespace", name: namespace }) === undefined;
}

async function planObject(
  client: KubernetesClient,
  object: KubernetesObject,
  { isNew, request }: { isNew: boolean; request: PlanRequest },
): Promise<PlannedObject> {
  const reference = referenceOf(object), { force } = request;
  const options = { fieldManager: FIELD_MANAGER, force, dryRun: true };
  try {
    const missing = await findMissingConfigMap(client, object, request.objects);
    if (missing !== undefined) return lacking(reference, missing, isNew);
    if (isNew && object.metadata.namespace === request.namespace) {
      await client.apply(standIn(object), options);
      return { reference, action: "create", changes: [] };
    }
    const live = await client.get(reference);
    if (live?.metadata.deletionTimestamp !== undefined) {
      const reason = "it is being deleted", hint = "wait until it is gone";
      return { reference, action: "refused", changes: [], reason, hint };
    }
    const wanted = await client.apply(object, options);
    if (live === undefined) return { reference, action: "create", changes: [] };
    const changes = diffObjects(live, wanted);
    return { reference, action: changes.length === 0 ? "unchanged" : "change", changes };
  } catch (thrown) {
    if (!(thrown instanceof SerinError) || concernsAll(thrown)) throw thrown;
    if (isKindMissing(thrown) && definesKind(request.objects, reference)) {
      return { reference, action: "create", changes: [] };
    }
    return { reference, action: "refused", changes: [], ...refusalOf(reference, thrown) };
  }
}

/** Applied, its pods would wait for what only a person can make. */
function lacking(reference: ObjectReference, configMap: string, isNew: boolean): PlannedObject {
  const { namespace } = reference;
  const first = isNew ? `kubectl create namespace ${namespace}, then ` : "";
  return {
    ...{ reference, action: "refused", changes: [] },
    reason: `its pods mount the ConfigMap ${configMap}, which is not there`,
    hint: first + configMapHint(configMap, namespace),
  };
}

/** The same object elsewhere: checked as the real one will be, without its namespace. */
function standIn(object: KubernetesObject): KubernetesObject {
  const { metadata } = object, name = `${metadata.name}${STAND_IN_SUFFIX}`;
  return { ...object, metadata: { ...metadata, name, namespace: STAND_IN_NAMESPACE } };
}

function definesKind(objects: readonly KubernetesObject[], reference: ObjectReference): boolean {
  return objects.some((object) =>
    object.kind === "CustomResourceDefinition" &&
    textAt(object, "spec", "names", "kind") === reference.kind &&
    reference.apiVersion.startsWith(`${textAt(object, "spec", "group")}/`)
  );
}

async function planRemoval(
  client: KubernetesClient,
  object: KubernetesObject,
): Promise<PlannedObject | undefined> {
  const reference = referenceOf(object);
  try {
    const live = await client.get(reference);
    if (live === undefined || live.metadata.deletionTimestamp !== undefined) return undefined;
    const kept = whyKept(object.kind) ??
      (isOurs(live) ? undefined : "serin-deploy has no part in it");
    return kept === undefined
      ? { reference, action: "remove", changes: [] }
      : { reference, action: "keep", changes: [], reason: kept };
  } catch (thrown) {
    if (isKindMissing(thrown)) return undefined;
    throw thrown;
  }
}

function isOurs(live: KubernetesObject): boolean {
  return (live.metadata.managedFields ?? []).some(({ manager }) => manager === FIELD_MANAGER);
}

function concernsAll({ code }: SerinError): boolean {
  return code === "unavailable" || code === "unauthenticated" || code === "timeout" ||
    code === "limit_exceeded";
}

/** What makes an object the same in two releases: its version may change. */
function keyOf({ apiVersion, kind, metadata }: KubernetesObject): string {
  const group = apiVersion.includes("/") ? apiVersion.split("/")[0] : "";
  return `${group}/${kind}/${metadata.namespace ?? ""}/${metadata.name}`;
}
