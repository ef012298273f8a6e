import type { KubernetesObject } from "../../kubernetes/mod.ts";

/** One field that two states of an object differ in; undefined: it is not there. */
export interface FieldChange {
  /** E.g. `spec.template.spec.containers[serin].image`. */
  readonly path: string;
  readonly from: unknown;
  readonly to: unknown;
}

/** What the server sets by itself: never a difference that somebody wants. */
const SERVER_SET_METADATA: ReadonlySet<string> = new Set([
  "creationTimestamp",
  "deletionTimestamp",
  "generation",
  "managedFields",
  "resourceVersion",
  "selfLink",
  "uid",
]);

/** Counted by controllers. */
const SERVER_SET_ANNOTATIONS: ReadonlySet<string> = new Set([
  "deployment.kubernetes.io/revision",
  "deprecated.daemonset.template.generation",
]);

/** Fields that name the entries of a list, as the API's merge keys do; the first that fits is used. */
const ENTRY_KEYS = ["name", "mountPath", "containerPort", "port", "topologyKey", "type", "key"];

/** What stands in the place of a Secret's values. */
const HIDDEN = "(secret)";

const VALUE_CHARACTERS_MAX = 100;

type Json = Readonly<Record<string, unknown>>;

/**
 * What changes between an object as it is and as it would be, both as the server gives them, so that
 * its defaults are on both sides. What the server sets by itself and the status are left out; values of
 * Secrets are hidden.
 *
 * @returns the fields in the order of the wanted object
 *
 * @example Another image
 * ```ts
 * import { diffObjects } from "./mod.ts";
 * const pod = (image: string) => ({
 *   apiVersion: "v1", kind: "Pod", metadata: { name: "a" },
 *   spec: { containers: [{ name: "serin", image }] },
 * });
 * const [change] = diffObjects(pod("serin:1"), pod("serin:2"));
 * console.assert(change.path === "spec.containers[serin].image" && change.to === "serin:2");
 * ```
 */
export function diffObjects(live: KubernetesObject, wanted: KubernetesObject): FieldChange[] {
  const changes: FieldChange[] = [];
  compare("", comparable(live), comparable(wanted), changes);
  return wanted.kind === "Secret" ? changes.map(hideSecret) : changes;
}

/** @returns what changes between two values, field by field */
export function diffValues(from: unknown, to: unknown): FieldChange[] {
  const changes: FieldChange[] = [];
  compare("", from, to, changes);
  return changes;
}

/** @returns e.g. `spec.replicas: 2 → 3`, `+ spec.paused: true`, `- metadata.labels.team: "a"` */
export function formatChange({ path, from, to }: FieldChange): string {
  if (from === undefined) return `+ ${path}: ${formatValue(to)}`;
  if (to === undefined) return `- ${path}: ${formatValue(from)}`;
  return `  ${path}: ${formatValue(from)} → ${formatValue(to)}`;
}

function comparable(object: KubernetesObject): Json {
  const { status: _status, metadata, ...rest } = object;
  const kept = Object.entries(metadata).filter(([key]) => !SERVER_SET_METADATA.has(key));
  const annotations = Object.entries(metadata.annotations ?? {})
    .filter(([key]) => !SERVER_SET_ANNOTATIONS.has(key));
  const head = Object.fromEntries(kept);
  return { metadata: { ...head, annotations: Object.fromEntries(annotations) }, ...rest };
}

function compare(path: string, from: unknown, to: unknown, changes: FieldChange[]): void {
  if (isEmpty(from) && isEmpty(to)) return;
  if (isMap(from) && isMap(to)) return compareMaps(path, from, to, changes);
  if (Array.isArray(from) && Array.isArray(to)) return compareLists(path, from, to, changes);
  // Whole maps that come or go are told field by field: that is how they are written.
  if (path !== "" && isMap(to) && from === undefined) return compareMaps(path, {}, to, changes);
  if (path !== "" && isMap(from) && to === undefined) return compareMaps(path, from, {}, changes);
  if (!isSame(from, to)) changes.push({ path, from, to });
}

function compareMaps(path: string, from: Json, to: Json, changes: FieldChange[]): void {
  for (const key of new Set([...Object.keys(to), ...Object.keys(from)])) {
    compare(joinPath(path, key), from[key], to[key], changes);
  }
}

function compareLists(
  path: string,
  from: readonly unknown[],
  to: readonly unknown[],
  changes: FieldChange[],
): void {
  const key = ENTRY_KEYS.find((candidate) => names(from, candidate) && names(to, candidate));
  if (key === undefined) {
    if (from.length !== to.length || !to.every(isMap) || !from.every(isMap)) {
      if (!isSame(from, to)) changes.push({ path, from, to });
      return;
    }
    to.forEach((entry, i) => compare(`${path}[${i}]`, from[i], entry, changes));
    return;
  }
  const byName = (list: readonly unknown[]) =>
    new Map(list.map((entry) => [String((entry as Json)[key]), entry]));
  const before = byName(from), after = byName(to);
  for (const name of new Set([...after.keys(), ...before.keys()])) {
    const old = before.get(name), now = after.get(name);
    // An entry that comes or goes is one change; one in both is compared field by field.
    if (old !== undefined && now !== undefined) compare(`${path}[${name}]`, old, now, changes);
    else changes.push({ path: `${path}[${name}]`, from: old, to: now });
  }
}

/** Whether each entry of a list is named by `key`, and by nothing twice. */
function names(list: readonly unknown[], key: string): boolean {
  const found = list.map((entry) => isMap(entry) ? entry[key] : undefined);
  return found.every((value) => typeof value === "string" || typeof value === "number") &&
    new Set(found).size === found.length;
}

function joinPath(path: string, key: string): string {
  if (!/^[A-Za-z0-9_-]+$/.test(key)) return `${path}["${key}"]`;
  return path === "" ? key : `${path}.${key}`;
}

function isMap(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isEmpty(value: unknown): boolean {
  return value === undefined || value === null ||
    (typeof value === "object" && Object.keys(value).length === 0);
}

/** Equal as JSON, whatever the order of keys. */
function isSame(a: unknown, b: unknown): boolean {
  if (Array.isArray(a) && Array.isArray(b)) {
    return a.length === b.length && a.every((entry, i) => isSame(entry, b[i]));
  }
  if (!isMap(a) || !isMap(b)) return a === b;
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length && keys.every((key) => isSame(a[key], b[key]));
}

function hideSecret(change: FieldChange): FieldChange {
  if (!/^(data|stringData)\b/.test(change.path)) return change;
  const hide = (value: unknown) => value === undefined ? undefined : HIDDEN;
  return { ...change, from: hide(change.from), to: hide(change.to) };
}

function formatValue(value: unknown): string {
  const text = JSON.stringify(value) ?? "nothing";
  return text.length <= VALUE_CHARACTERS_MAX ? text : `${text.slice(0, VALUE_CHARACTERS_MAX)}…`;
}
