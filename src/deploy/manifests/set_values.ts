import { z } from "zod";
import { didYouMean, SerinError } from "../../core/mod.ts";
import { type ManifestSettings, manifestSettingsSchema } from "./settings.ts";
import type { ManifestSettingsInput } from "./settings.ts";

/** One value that may be set, by its dotted key. */
export interface Setting {
  /** E.g. `serving.replicasMin`. */
  readonly key: string;
  readonly kind: "string" | "integer" | "boolean" | "list";
  readonly description: string;
  /** undefined where there is none. */
  readonly defaultValue: unknown;
  /** The words that it may be, where they are few. */
  readonly choices: readonly string[] | undefined;
}

interface JsonSchema {
  readonly type?: string;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly description?: string;
  readonly default?: unknown;
  readonly enum?: readonly string[];
}

/** @returns every setting, in the order of the schema */
export function listSettings(): readonly Setting[] {
  const schema = z.toJSONSchema(manifestSettingsSchema, { io: "input", unrepresentable: "any" });
  return leavesOf(schema as JsonSchema, "");
}

function leavesOf(schema: JsonSchema, prefix: string): Setting[] {
  return Object.entries(schema.properties ?? {}).flatMap(([name, property]) => {
    const key = prefix + name;
    if (property.properties !== undefined) return leavesOf(property, `${key}.`);
    const kind = property.type === "array" ? "list" : property.type;
    return [{
      key,
      kind: kind === "list" || kind === "integer" || kind === "boolean" ? kind : "string",
      description: property.description ?? "",
      defaultValue: property.default,
      choices: property.enum,
    }];
  });
}

type Tree = { [key: string]: unknown };

/**
 * Puts settings together: defaults, then each layer, then `KEY=VALUE` assignments; later ones win.
 *
 * @param assignments e.g. `serving.replicasMax=10`; lists are `a,b` or a JSON array
 * @throws {SerinError} `usage` with everything that is wrong
 *
 * @example One layer and one assignment
 * ```ts
 * import { resolveSettings } from "./set_values.ts";
 * const layers = [{ serving: { replicasMin: 3 } }];
 * const { serving } = resolveSettings(layers, ["serving.replicasMax=9"]);
 * console.assert(serving.replicasMin === 3 && serving.replicasMax === 9);
 * ```
 */
export function resolveSettings(
  layers: readonly ManifestSettingsInput[],
  assignments: readonly string[] = [],
): ManifestSettings {
  const settings = listSettings();
  const problems: string[] = [];
  const given = readAssignments(assignments, settings, problems);
  const merged: Tree = {};
  for (const layer of layers) mergeInto(merged, layer as Tree);
  mergeInto(merged, given);
  const result = manifestSettingsSchema.safeParse(merged);
  if (!result.success) {
    problems.push(...result.error.issues.map((issue) => describeIssue(issue, merged)));
  }
  if (problems.length === 0) return result.data!;
  throw new SerinError("usage", problems.join("\n"), {
    hint: "`serin manifests render --output DIR` writes a README.md that lists every setting",
    details: { problems },
  });
}

function readAssignments(
  assignments: readonly string[],
  settings: readonly Setting[],
  problems: string[],
): Tree {
  const byKey = new Map(settings.map((setting) => [setting.key, setting]));
  const seen = new Set<string>();
  const tree: Tree = {};
  for (const text of assignments) {
    const at = text.indexOf("=");
    const key = at < 0 ? text : text.slice(0, at);
    const setting = byKey.get(key);
    if (at < 1) problems.push(`--set must be KEY=VALUE: it is "${text}"`);
    else if (setting === undefined) problems.push(unknownKey(key, settings));
    else if (seen.has(key)) problems.push(`"${key}" is set twice`);
    else {
      seen.add(key);
      const value = readValue(text.slice(at + 1), setting);
      if (value instanceof Problem) problems.push(`"${key}": ${value.text}`);
      else putAt(tree, key.split("."), value);
    }
  }
  return tree;
}

function unknownKey(key: string, settings: readonly Setting[]): string {
  const inside = settings.filter((setting) => setting.key.startsWith(`${key}.`));
  if (inside.length > 0) {
    return `"${key}" is a group of settings: it has ${inside.map((s) => s.key).join(", ")}`;
  }
  const keys = settings.map((setting) => setting.key);
  const lastWord = (text: string) => text.slice(text.lastIndexOf(".") + 1);
  const sameWord = keys.filter((known) => lastWord(known) === lastWord(key));
  const near = didYouMean(key, keys) ??
    (sameWord.length === 1 ? `did you mean "${sameWord[0]}"?` : undefined);
  return `there is no setting "${key}": ${near ?? namesBeside(key, keys)}`;
}

/** What there is in the innermost group of the key that exists; groups end in a dot. */
function namesBeside(key: string, keys: readonly string[]): string {
  let group = key;
  do group = group.replace(/[^.]*\.?$/, ""); while (!keys.some((known) => known.startsWith(group)));
  const inside = keys.filter((known) => known.startsWith(group));
  const names = inside.map((known) => /^[^.]+\.?/.exec(known.slice(group.length))![0]);
  return `${group === "" ? "there are" : `"${group}" has`} ${[...new Set(names)].join(", ")}`;
}

/** What is wrong with a value; apart from every value that there may be. */
class Problem {
  constructor(readonly text: string) {}
}

/** Text → the setting's kind. What is no number stays text, so that the schema names it. */
function readValue(text: string, setting: Setting): unknown {
  if (setting.kind === "boolean") {
    if (/^(true|false)$/.test(text)) return text === "true";
    return new Problem(`must be true or false: current value is "${text}"`);
  }
  if (setting.kind === "integer") return /^-?\d{1,15}$/.test(text) ? Number(text) : text;
  if (setting.kind === "string") return text;
  if (!text.startsWith("[")) return text === "" ? [] : text.split(",");
  try {
    return JSON.parse(text);
  } catch (cause) {
    return new Problem(`is no JSON array (${(cause as Error).message}): current value is ${text}`);
  }
}

function describeIssue(issue: z.core.$ZodIssue, merged: Tree): string {
  let seen: unknown = merged;
  for (const key of issue.path) seen = (seen as Tree | undefined)?.[String(key)];
  const value = seen === undefined ? "" : `: current value is ${JSON.stringify(seen)}`;
  const message = issue.code === "invalid_type" && /^(int|number)$/.test(issue.expected)
    ? "must be a whole number"
    : issue.message.charAt(0).toLowerCase() + issue.message.slice(1);
  return `"${issue.path.map(String).join(".")}": ${message}${value}`;
}

function putAt(tree: Tree, path: readonly string[], value: unknown): void {
  const [key, ...rest] = path;
  if (rest.length === 0) tree[key] = value;
  else putAt((tree[key] ??= {}) as Tree, rest, value);
}

function mergeInto(target: Tree, layer: Tree): void {
  for (const [key, value] of Object.entries(layer)) {
    if (value === undefined) continue;
    const isGroup = typeof value === "object" && value !== null && !Array.isArray(value);
    if (isGroup) mergeInto((target[key] ??= {}) as Tree, value as Tree);
    else target[key] = value;
  }
}
