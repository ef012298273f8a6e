import { assert } from "../../core/mod.ts";

/** What JSON can say. */
export type Json =
  | null
  | boolean
  | number
  | string
  | readonly Json[]
  | { readonly [key: string]: Json };

/** One operation of JSON Patch (RFC 6902), of the kinds that {@linkcode diffJson} makes. */
export type PatchOperation =
  | { readonly op: "add" | "replace"; readonly path: string; readonly value: Json }
  | { readonly op: "remove"; readonly path: string };

/**
 * The JSON Patch that makes `to` of `from`. Lists that differ by one run of items get `add` or
 * `remove` operations; lists of one length are compared item by item; others are replaced.
 *
 * @example An item more, a value less
 * ```ts
 * import { diffJson } from "./json_patch.ts";
 * const patch = diffJson({ a: [1], b: 2 }, { a: [0, 1] });
 * console.assert(JSON.stringify(patch) ===
 *   '[{"op":"add","path":"/a/0","value":0},{"op":"remove","path":"/b"}]');
 * ```
 */
export function diffJson(from: Json, to: Json, path = ""): PatchOperation[] {
  if (isSame(from, to)) return [];
  if (isList(from) && isList(to)) return diffLists(from, to, path);
  if (isRecord(from) && isRecord(to)) return diffRecords(from, to, path);
  return [{ op: "replace", path, value: to }];
}

type JsonRecord = { readonly [key: string]: Json };

function diffRecords(from: JsonRecord, to: JsonRecord, path: string): PatchOperation[] {
  const keys = [...new Set([...Object.keys(from), ...Object.keys(to)])];
  return keys.flatMap((key): PatchOperation[] => {
    const inside = `${path}/${escapePointer(key)}`;
    if (!Object.hasOwn(to, key)) return [{ op: "remove", path: inside }];
    if (!Object.hasOwn(from, key)) return [{ op: "add", path: inside, value: to[key] }];
    return diffJson(from[key], to[key], inside);
  });
}

function diffLists(from: readonly Json[], to: readonly Json[], path: string): PatchOperation[] {
  if (from.length === to.length) {
    return from.flatMap((item, i) => diffJson(item, to[i], `${path}/${i}`));
  }
  const shorter = Math.min(from.length, to.length);
  let head = 0, tail = 0;
  while (head < shorter && isSame(from[head], to[head])) head++;
  while (tail < shorter - head && isSame(from.at(-1 - tail)!, to.at(-1 - tail)!)) tail++;
  if (head + tail < shorter) return [{ op: "replace", path, value: to }];
  const added = to.slice(head, to.length - tail);
  if (from.length < to.length) {
    return added.map((value, i) => ({ op: "add", path: `${path}/${head + i}`, value }));
  }
  const removed = from.length - to.length;
  return Array.from({ length: removed }, () => ({ op: "remove", path: `${path}/${head}` }));
}

/** @returns the patched value; the given one stays as it is */
export function applyPatch(value: Json, operations: readonly PatchOperation[]): Json {
  const root = { value: structuredClone(value) };
  for (const operation of operations) applyOperation(root, operation);
  return root.value;
}

function applyOperation(root: { value: Json }, operation: PatchOperation): void {
  const keys = ["value", ...operation.path.split("/").slice(1).map(unescapePointer)];
  const last = keys.pop()!;
  // deno-lint-ignore no-explicit-any
  const parent = keys.reduce<any>((found, key) => found?.[key], root);
  assert(typeof parent === "object" && parent !== null, `nothing is at ${operation.path}`);
  assert(
    operation.op === "add" || Object.hasOwn(parent, last),
    `nothing is at ${operation.path}`,
  );
  if (!Array.isArray(parent)) {
    if (operation.op === "remove") delete parent[last];
    else parent[last] = operation.value;
  } else if (operation.op === "replace") parent[Number(last)] = operation.value;
  else if (operation.op === "remove") parent.splice(Number(last), 1);
  else parent.splice(Number(last), 0, operation.value);
}

function isSame(a: Json, b: Json): boolean {
  if (isList(a) && isList(b)) return a.length === b.length && a.every((x, i) => isSame(x, b[i]));
  if (!isRecord(a) || !isRecord(b)) return a === b;
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length &&
    keys.every((key) => Object.hasOwn(b, key) && isSame(a[key], b[key]));
}

function isList(value: Json): value is readonly Json[] {
  return Array.isArray(value);
}

function isRecord(value: Json): value is JsonRecord {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function escapePointer(key: string): string {
  return key.replaceAll("~", "~0").replaceAll("/", "~1");
}

function unescapePointer(key: string): string {
  return key.replaceAll("~1", "/").replaceAll("~0", "~");
}
