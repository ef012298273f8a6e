import type { KubernetesObject } from "../../kubernetes/mod.ts";

/** One entry of an object's `status.conditions`. */
export interface Condition {
  readonly type: string;
  readonly status: string;
  readonly reason: string;
  readonly message: string;
  /** Milliseconds since the epoch; undefined where the server gave none. */
  readonly changedAt: number | undefined;
}

/** @returns what is at a path inside of any JSON value, undefined where the path ends early */
export function valueAt(value: unknown, ...path: readonly (string | number)[]): unknown {
  let inner = value;
  for (const step of path) {
    if (typeof inner !== "object" || inner === null) return undefined;
    inner = (inner as Record<string | number, unknown>)[step];
  }
  return inner;
}

/** @returns the text at a path, or undefined */
export function textAt(value: unknown, ...path: readonly (string | number)[]): string | undefined {
  const found = valueAt(value, ...path);
  return typeof found === "string" ? found : undefined;
}

/** @returns the number at a path, or undefined */
export function numberAt(
  value: unknown,
  ...path: readonly (string | number)[]
): number | undefined {
  const found = valueAt(value, ...path);
  return typeof found === "number" ? found : undefined;
}

/** @returns the list at a path; an empty one where there is none */
export function listAt(value: unknown, ...path: readonly (string | number)[]): readonly unknown[] {
  const found = valueAt(value, ...path);
  return Array.isArray(found) ? found : [];
}

/** @returns the map of texts at a path (labels, annotations, data); an empty one where there is none */
export function textsAt(
  value: unknown,
  ...path: readonly (string | number)[]
): Readonly<Record<string, string>> {
  const found = valueAt(value, ...path);
  if (typeof found !== "object" || found === null) return {};
  return Object.fromEntries(
    Object.entries(found).filter((entry): entry is [string, string] =>
      typeof entry[1] === "string"
    ),
  );
}

/** @returns a time of the API (RFC 3339) in milliseconds since the epoch, or undefined */
export function timeAt(value: unknown, ...path: readonly (string | number)[]): number | undefined {
  const time = Date.parse(textAt(value, ...path) ?? "");
  return Number.isNaN(time) ? undefined : time;
}

/** @returns the condition of that type, or undefined */
export function conditionOf(object: unknown, type: string): Condition | undefined {
  const found = listAt(object, "status", "conditions")
    .find((condition) => textAt(condition, "type") === type);
  return found === undefined ? undefined : {
    type,
    status: textAt(found, "status") ?? "Unknown",
    reason: textAt(found, "reason") ?? "",
    message: textAt(found, "message") ?? "",
    changedAt: timeAt(found, "lastTransitionTime"),
  };
}

/** @returns whether an object has every label of a selector's `matchLabels` */
export function matchesLabels(
  object: KubernetesObject,
  labels: Readonly<Record<string, string>>,
): boolean {
  const own = object.metadata.labels ?? {};
  return Object.entries(labels).every(([key, value]) => own[key] === value);
}

/** @returns whether `owner` is the controller of `object` */
export function isControlledBy(object: KubernetesObject, owner: KubernetesObject): boolean {
  return (object.metadata.ownerReferences ?? [])
    .some((reference) => reference.controller === true && reference.uid === owner.metadata.uid);
}
