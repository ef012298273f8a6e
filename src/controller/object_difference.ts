/** Anything that JSON can say. */
export type JsonValue = unknown;

/** @returns whether both say the same, whatever the order of their fields */
export function isSameJson(a: JsonValue, b: JsonValue): boolean {
  if (a === b) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  if (Array.isArray(a) || Array.isArray(b)) {
    return Array.isArray(a) && Array.isArray(b) && a.length === b.length &&
      a.every((item, i) => isSameJson(item, b[i]));
  }
  const names = definedKeys(a);
  return names.length === definedKeys(b).length &&
    names.every((name) => isSameJson(fieldOf(a, name), fieldOf(b, name)));
}

/**
 * A JSON merge patch (RFC 7386) that takes away what `live` has beyond `wanted`; what `live` lacks or
 * says differently is none of its business.
 *
 * @returns undefined where there is nothing to take away
 */
export function surplusPatch(live: JsonValue, wanted: JsonValue): JsonValue | undefined {
  if (!isMap(live) || !isMap(wanted)) return undefined;
  const patch: Record<string, unknown> = {};
  for (const name of definedKeys(live)) {
    if (!definedKeys(wanted).includes(name)) patch[name] = null;
    else {
      const [here, there] = [fieldOf(live, name), fieldOf(wanted, name)];
      // Items of a list that has a key are merged by it: others' items may be among them.
      const isLonger = Array.isArray(here) && Array.isArray(there) && here.length > there.length;
      const inner = isLonger ? there : surplusPatch(here, there);
      if (inner !== undefined) patch[name] = inner;
    }
  }
  return Object.keys(patch).length === 0 ? undefined : patch;
}

function isMap(value: JsonValue): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function fieldOf(value: object, name: string): unknown {
  return (value as Record<string, unknown>)[name];
}

function definedKeys(value: object): string[] {
  return Object.keys(value).filter((name) => fieldOf(value, name) !== undefined);
}
