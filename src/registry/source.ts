import { decodeFully } from "../artifact/mod.ts";
import { SerinError } from "../core/mod.ts";
import type { RegistryContext } from "./context.ts";
import { invalid } from "./validation.ts";

/** What a `models:/` URI names. */
export type ModelUri =
  | { readonly modelId: string }
  | { readonly name: string; readonly version: string }
  | { readonly name: string; readonly alias: string };

/**
 * Reads `models:/m-…`, `models:/name/3`, `models:/name@alias` and `models:/name/latest`.
 *
 * @returns undefined where it is none of these
 */
export function parseModelUri(uri: string): ModelUri | undefined {
  const path = /^models:\/([^/].*)$/.exec(uri)?.[1];
  if (path === undefined) return undefined;
  const alias = /^([^/@]+)@([^/@]+)$/.exec(path);
  if (alias !== null) return { name: alias[1], alias: alias[2] };
  const parts = path.split("/");
  if (parts.length === 1 && /^m-[0-9a-f]+$/.test(path)) return { modelId: path };
  if (parts.length === 2 && /^\d+$/.test(parts[1])) return { name: parts[0], version: parts[1] };
  if (parts.length === 2 && parts[1] === "latest") return { name: parts[0], alias: "latest" };
  return undefined;
}

/** Placeholders that MLflow gives as the source of a prompt. */
const PROMPT_SOURCES = ["prompt-template", "dummy-source"];

/** @throws {SerinError} `invalid_input` unless it is one of MLflow's placeholders */
export function checkPromptSource(source: string): void {
  if (PROMPT_SOURCES.includes(source)) return;
  throw invalid(
    `Invalid prompt source: '${source}'. Prompt sources must use an MLflow placeholder.`,
  );
}

/**
 * Checks that a version's source is a place that the named run or logged model wrote, so that nobody
 * makes the server hand out another run's files, or its own (`mlflow/server/handlers.py`,
 * `_validate_source_run` and `_validate_source_model`).
 *
 * @throws {SerinError} `invalid_input`
 */
export function checkSource(
  context: RegistryContext,
  source: string,
  ids: { runId: string; modelId: string },
): void {
  const { runId, modelId } = ids;
  const by = modelId !== "" ? "model_id" : "run_id";
  const owner = modelId !== ""
    ? context.sources.findLoggedModel(modelId)?.artifactLocation
    : runId !== ""
    ? context.sources.findRun(runId)?.artifactUri
    : undefined;
  if (isLocal(source)) return checkLocal(source, owner, by);
  checkNoTraversal(source);
  const { scheme, authority } = partsOf(source);
  if (scheme === "runs") {
    const right = by === "run_id" && authority === "" && runId !== "" &&
      partsOf(source).parts[0] === runId;
    if (!right) throw wrongOwner(source, by);
  }
  if (scheme === "models") {
    if (authority !== "") throw wrongOwner(source, "model_id");
    const uri = parseModelUri(source);
    if (uri === undefined) throw wrongOwner(source, "model_id");
    if ("modelId" in uri && (by !== "model_id" || uri.modelId !== modelId)) {
      throw wrongOwner(source, "model_id");
    }
  }
  if (isProxied(source) && (owner === undefined || !isWithin(source, owner))) {
    throw wrongOwner(source, by);
  }
}

function wrongOwner(source: string, by: string): SerinError {
  return invalid(
    `Invalid model version source: '${source}'. The ${by} request parameter must identify the ` +
      "resource that contains the source.",
  );
}

function isLocal(source: string): boolean {
  return !/^[A-Za-z][A-Za-z0-9+.-]*:/.test(source) || /^file:/i.test(source);
}

function checkLocal(source: string, owner: string | undefined, by: string): void {
  const path = resolveLocal(source);
  const within = owner !== undefined && isLocal(owner) &&
    (path === resolveLocal(owner) || path.startsWith(`${resolveLocal(owner)}/`));
  if (within) return;
  throw invalid(
    `Invalid model version source: '${source}'. To use a local path as a model version source, the ` +
      `${by} request parameter has to be specified and the local path has to be contained within ` +
      `the artifact directory of the run specified by the ${by}.`,
  );
}

function resolveLocal(uri: string): string {
  const path = decodeFully(uri.replace(/^file:(\/\/[^/]*)?/i, ""));
  const parts: string[] = [];
  for (const part of path.split("/")) {
    if (part === "" || part === ".") continue;
    if (part === "..") parts.pop();
    else parts.push(part);
  }
  return `/${parts.join("/")}`;
}

function checkNoTraversal(source: string): void {
  const decoded = decodeFully(source.replaceAll("+", " "));
  const path = partsOf(decoded).path;
  const relative = decoded.split("/").some((part) => part === ".." || part === ".");
  if (!relative && !decoded.includes("\0") && (path === "" || path.startsWith("/"))) return;
  throw invalid(
    `Invalid model version source: '${source}'. If supplying a source as an http, https, local file ` +
      "path, ftp, objectstore, or mlflow-artifacts uri, an absolute path must be provided without " +
      "relative path references present. Please provide an absolute path.",
  );
}

function partsOf(uri: string) {
  const found = /^([A-Za-z][A-Za-z0-9+.-]*):(?:\/\/([^/?#]*))?([^?#]*)/.exec(uri);
  const path = found?.[3] ?? uri;
  return {
    scheme: (found?.[1] ?? "").toLowerCase(),
    authority: (found?.[2] ?? "").toLowerCase(),
    path,
    parts: path.split("/").filter((part) => part !== "").map(decodeFully),
  };
}

function isProxied(source: string): boolean {
  const { scheme, parts } = partsOf(source);
  if (scheme === "mlflow-artifacts") return true;
  return (scheme === "http" || scheme === "https") &&
    `/${parts.join("/")}/`.includes("/api/2.0/mlflow-artifacts/artifacts/");
}

function isWithin(source: string, root: string): boolean {
  const [inner, outer] = [partsOf(source), partsOf(root)];
  return inner.scheme === outer.scheme && inner.authority === outer.authority &&
    outer.parts.length > 0 && outer.parts.every((part, i) => inner.parts[i] === part);
}
