import type { KindReference } from "../kubernetes/mod.ts";
import type { Json } from "./fake_apply.ts";

/** @returns whether label and field selector of a list or watch choose an object */
export function selects(kind: KindReference, object: Json): boolean {
  const labels: Record<string, string> = object.metadata.labels ?? {};
  return termsOf(kind.labelSelector).every((term) => fitsLabel(term, labels)) &&
    termsOf(kind.fieldSelector).every((term) => fitsField(term, object));
}

/** Commas part terms, except in brackets. */
function termsOf(selector = ""): string[] {
  return selector.split(/,(?![^(]*\))/).map((term) => term.trim()).filter((term) => term !== "");
}

function fitsLabel(term: string, labels: Record<string, string>): boolean {
  const set = /^(\S+) (in|notin) \(([^)]*)\)$/.exec(term);
  if (set !== null) {
    const values = set[3].split(",").map((value) => value.trim());
    return values.includes(labels[set[1]]) === (set[2] === "in");
  }
  const [, key, operator, value] = /^([^!=]+)(==|=|!=)(.*)$/.exec(term) ?? [];
  if (key === undefined) return term.startsWith("!") ? !(term.slice(1) in labels) : term in labels;
  return (labels[key] === value) === (operator !== "!=");
}

function fitsField(term: string, object: Json): boolean {
  const [, path, operator, value] = /^([^!=]+)(==|=|!=)(.*)$/.exec(term) ?? [];
  let found = object;
  for (const step of (path ?? term).split(".")) found = found?.[step];
  return (String(found ?? "") === value) === (operator !== "!=");
}
