/**
 * Who owns which field of an object, as server-side apply keeps it, for {@linkcode FakeKubernetes}.
 * A path's steps are those of `fieldsV1`: `f:spec`, or `k:{"name":"serin"}` for an item of a list that
 * has a key. Lists without a known key are one value.
 */

/** JSON objects that are changed in place. */
// deno-lint-ignore no-explicit-any
export type Json = any;

/** Lists whose items are merged by a key, by the field that holds the list. */
const LIST_KEYS: Readonly<Record<string, string>> = {
  conditions: "type",
  containers: "name",
  env: "name",
  initContainers: "name",
  ownerReferences: "uid",
  ports: "containerPort",
  volumeMounts: "mountPath",
  volumes: "name",
};

/** Fields of an object that nobody owns. */
const UNOWNED = new Set([
  "f:apiVersion",
  "f:kind",
  ...[
    "creationTimestamp",
    "deletionTimestamp",
    "generation",
    "managedFields",
    "name",
    "namespace",
    "resourceVersion",
    "uid",
  ].map((field) => `f:metadata\nf:${field}`),
]);

/** @returns every leaf of an object as path → value */
export function leavesOf(object: Json): Map<string, Json> {
  const leaves = new Map<string, Json>();
  walk(object, [], undefined, leaves);
  for (const path of UNOWNED) leaves.delete(path);
  return leaves;
}

function walk(value: Json, path: string[], field: string | undefined, leaves: Map<string, Json>) {
  const key = field === undefined ? undefined : LIST_KEYS[field];
  if (Array.isArray(value) && key !== undefined && value.every((item) => key in (item ?? {}))) {
    for (const item of value) {
      walk(item, [...path, `k:${JSON.stringify({ [key]: item[key] })}`], undefined, leaves);
    }
  } else if (isMap(value) && Object.keys(value).length > 0) {
    for (const [name, child] of Object.entries(value)) {
      walk(child, [...path, `f:${name}`], name, leaves);
    }
  } else leaves.set(path.join("\n"), value);
}

/** Sets one leaf; what is on the way there is made. */
export function setLeaf(object: Json, path: string, value: Json): void {
  const steps = path.split("\n");
  let at = object;
  steps.slice(0, -1).forEach((step, i) => {
    const next = childOf(at, step);
    if (next !== undefined && next !== null && typeof next === "object") at = next;
    else at = putChild(at, step, steps[i + 1].startsWith("k:") ? [] : {});
  });
  putChild(at, steps.at(-1)!, structuredClone(value));
}

/** Removes one leaf, and what it leaves empty. */
export function removeLeaf(object: Json, path: string): void {
  const steps = path.split("\n");
  const parents = [object];
  for (const step of steps.slice(0, -1)) {
    const next = childOf(parents.at(-1), step);
    if (next === undefined) return;
    parents.push(next);
  }
  for (let i = steps.length - 1; i >= 0; i--) {
    const child = childOf(parents[i], steps[i]);
    const isLeaf = i === steps.length - 1;
    if (!isLeaf && (Array.isArray(child) ? child.length : Object.keys(child ?? {}).length) > 0) {
      return;
    }
    dropChild(parents[i], steps[i]);
  }
}

/** @returns `fieldsV1` of a set of paths */
export function toFieldsV1(paths: Iterable<string>): Record<string, unknown> {
  const root: Json = {};
  for (const path of paths) {
    let at = root;
    for (const step of path.split("\n")) at = at[step] ??= {};
  }
  return root;
}

/** @returns e.g. `.spec.template.spec.containers[name="serin"].args`, as an API server writes it */
export function toFieldPath(path: string): string {
  return path.split("\n").map((step) => {
    if (step.startsWith("f:")) return `.${step.slice(2)}`;
    const [[key, value]] = Object.entries(JSON.parse(step.slice(2)));
    return `[${key}=${JSON.stringify(value)}]`;
  }).join("");
}

/** JSON merge patch, RFC 7386. @returns the patched value */
export function mergePatch(target: Json, patch: Json): Json {
  if (!isMap(patch)) return structuredClone(patch);
  const merged: Json = isMap(target) ? structuredClone(target) : {};
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) delete merged[name];
    else merged[name] = mergePatch(merged[name], value);
  }
  return merged;
}

export function isSame(a: Json, b: Json): boolean {
  if (a === b) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  if (Array.isArray(a) !== Array.isArray(b)) return false;
  const names = Object.keys(a);
  return names.length === Object.keys(b).length &&
    names.every((name) => name in b && isSame(a[name], b[name]));
}

function isMap(value: Json): boolean {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function childOf(parent: Json, step: string): Json {
  if (step.startsWith("f:")) return parent?.[step.slice(2)];
  return Array.isArray(parent) ? parent.find((item) => fits(item, step)) : undefined;
}

function putChild(parent: Json, step: string, value: Json): Json {
  if (step.startsWith("f:")) return parent[step.slice(2)] = value;
  const item = { ...JSON.parse(step.slice(2)), ...value };
  const at = parent.findIndex((other: Json) => fits(other, step));
  if (at < 0) parent.push(item);
  else parent[at] = item;
  return item;
}

function dropChild(parent: Json, step: string): void {
  if (step.startsWith("f:")) delete parent[step.slice(2)];
  else parent.splice(parent.findIndex((item: Json) => fits(item, step)), 1);
}

function fits(item: Json, step: string): boolean {
  return Object.entries(JSON.parse(step.slice(2))).every(([key, value]) => item?.[key] === value);
}
