import { SerinError } from "../core/mod.ts";

/** MLflow's limits (`utils/validation.py`); lengths are in characters. */
export const REGISTRY_LIMITS = {
  modelNameCharactersMax: 256,
  tagKeyCharactersMax: 250,
  tagValueCharactersMax: 100_000,
  aliasCharactersMax: 255,
  modelSearchResultsMax: 1000,
  versionSearchResultsMax: 200_000,
  /** Longest source and description; serin's own. */
  sourceCharactersMax: 10_000,
  descriptionCharactersMax: 1_000_000,
} as const;

/** Refuses what a caller sent. */
export function invalid(message: string): SerinError {
  return new SerinError("invalid_input", message);
}

function missing(path: string): SerinError {
  return invalid(`Missing value for required parameter '${path}'.`);
}

/** @throws {SerinError} `invalid_input` when the text is longer than `limit` characters */
export function checkLength(what: string, limit: number, text: string): void {
  if (text.length <= limit || Array.from(text).length <= limit) return;
  throw invalid(`'${what}' exceeds the maximum length of ${limit} characters`);
}

/** @throws {SerinError} `invalid_input` for an empty name, "/" or ":" in it, or a path's special name */
export function checkModelName(name: string): void {
  if (name.trim() === "") throw missing("name");
  if (/[/:]/.test(name)) {
    throw invalid(`Invalid model name '${name}'. Names cannot contain '/' or ':'.`);
  }
  if (name === "." || name.startsWith("..")) {
    throw invalid(
      `Invalid value ${
        JSON.stringify(name)
      } for parameter 'name' supplied: Names may be treated as ` +
        "files in certain cases, and must not resolve to other names when treated as such. This " +
        `name would resolve to '${name}'`,
    );
  }
  checkLength("name", REGISTRY_LIMITS.modelNameCharactersMax, name);
}

/** @throws {SerinError} `invalid_input` where the text is not an integer */
export function parseVersion(version: string): number {
  if (/^\s*[+-]?\d+\s*$/.test(version) && Number.isSafeInteger(Number(version))) {
    return Number(version);
  }
  throw invalid(`Parameter 'version' must be an integer, got '${version}'.`);
}

/** @throws {SerinError} `invalid_input` for a wrong key or a value too long */
export function checkTag(key: string, value: string): void {
  checkTagKey(key);
  checkLength("key", REGISTRY_LIMITS.tagKeyCharactersMax, key);
  checkLength("value", REGISTRY_LIMITS.tagValueCharactersMax, value);
}

/** @throws {SerinError} `invalid_input` for other characters than letters, digits and `_ - . : /` */
export function checkTagKey(key: string): void {
  const wrong = !/^[/\p{L}\p{N}_.\- :]*$/u.test(key)
    ? "Names may only contain alphanumerics, underscores (_), dashes (-), periods (.), spaces ( ), " +
      "colon(:) and slashes (/)."
    : key === "" || key.startsWith("/") || key.endsWith("/") ||
        key.split("/").some((part) => part === "" || part === "." || part === "..")
    ? "Names may be treated as files in certain cases, and must not resolve to other names when " +
      "treated as such."
    : undefined;
  if (wrong === undefined) return;
  throw invalid(`Invalid value ${JSON.stringify(key)} for parameter 'key' supplied: ${wrong}`);
}

/** @throws {SerinError} `invalid_input` for an empty alias, other characters, or one too long */
export function checkAlias(alias: string): void {
  if (alias === "") throw invalid("Registered model alias name cannot be empty.");
  if (!/^[\p{L}\p{N}_-]*$/u.test(alias)) {
    throw invalid(
      `Invalid alias name: '${alias}'. Names may only contain alphanumerics, underscores (_), and ` +
        "dashes (-).",
    );
  }
  checkLength("Registered model alias name", REGISTRY_LIMITS.aliasCharactersMax, alias);
}

/** @throws {SerinError} `invalid_input` for "latest" and for what looks like a version ("v1") */
export function checkAliasFree(alias: string): void {
  if (alias.toLowerCase() === "latest") {
    throw invalid("'latest' alias name (case insensitive) is reserved.");
  }
  if (/^[vV]\d+$/.test(alias)) throw invalid(`Version alias name '${alias}' is reserved.`);
}

/** MLflow's stages of a version, which aliases have replaced. */
export const STAGES = ["None", "Staging", "Production", "Archived"] as const;

/** A name of {@linkcode STAGES}. */
export type VersionStage = typeof STAGES[number];

/** @throws {SerinError} `invalid_input` for a stage that does not exist; upper and lower case alike */
export function parseStage(text: string): VersionStage {
  const found = STAGES.find((stage) => stage.toLowerCase() === text.toLowerCase());
  if (found !== undefined) return found;
  throw invalid(
    `Invalid Model Version stage: ${text}. Value must be one of ${STAGES.join(", ")}.`,
  );
}
