import { didYouMean, messageOf, SerinError } from "../core/mod.ts";
import { type Dataset, findNonNumber, getColumn } from "../dataset/mod.ts";
import type { GivenInput, Signature } from "../inference/mod.ts";
import type { MlflowClient } from "../mlflow/mod.ts";
import { MlflowSource, type ModelUri, nameOfPath, readModelPath } from "../serving/mod.ts";
import { openRegistryClient, type RegistryAccess } from "./registry_client.ts";

/** A model's file, and what it is called. */
export interface FetchedModel {
  readonly name: string;
  /** The registry's number; "1" for a folder, a file or a run. */
  readonly version: string;
  readonly bytes: Uint8Array;
}

/** Where {@linkcode fetchModel} and {@linkcode fetchProfile} look. */
export interface ModelPlace extends RegistryAccess {
  /** The address as it was written. */
  readonly uri: string;
  readonly registry?: string | undefined;
}

/**
 * Fetches the model that a command line names.
 *
 * @param from the address as it was written, and the registry for those that need one
 * @throws {SerinError} `usage` where a registry is needed and none is given, `not_found`, `unavailable`
 */
export async function fetchModel(uri: ModelUri, from: ModelPlace): Promise<FetchedModel> {
  if (uri.kind === "path") {
    return { name: nameOfPath(uri.path), version: "1", bytes: await readModelPath(uri.path) };
  }
  const client = await openClient(from);
  const source = new MlflowSource(client);
  if (uri.kind === "run") {
    const { bytes } = await source.fetchRun(uri.run, uri.path);
    return { name: nameOfPath(uri.path), version: "1", bytes };
  }
  const version = await versionOf(client, uri);
  if (version === undefined) throw noSuchVersion(from);
  const { bytes } = await source.fetchVersion(uri.model, version);
  return { name: uri.model, version, bytes };
}

/**
 * Fetches what a model was trained on, its `profile.json`.
 *
 * @param from.allowFirst whether it is fine that an alias names nothing yet
 * @returns undefined where the alias names nothing and may
 * @throws {SerinError} as {@linkcode fetchModel}; `not_found` where the model has no profile
 */
export async function fetchProfile(
  uri: ModelUri,
  from: ModelPlace & { readonly allowFirst: boolean },
): Promise<Uint8Array | undefined> {
  if (uri.kind === "path") {
    const file = `${uri.path}/profile.json`;
    try {
      return await Deno.readFile(file);
    } catch (cause) {
      throw noProfile(from.uri, `Cannot read ${file}: ${messageOf(cause)}`, cause);
    }
  }
  if (uri.kind === "run") {
    throw new SerinError("usage", `${from.uri} is a run: name a version, an alias or a folder`);
  }
  const client = await openClient(from);
  const version = await versionOf(client, uri);
  if (version === undefined) {
    if (from.allowFirst) return undefined;
    throw noSuchVersion(from);
  }
  const artifacts = await client.versions.getDownloadUri(uri.model, version);
  try {
    const stream = await client.artifacts.download(artifacts, "profile.json");
    return new Uint8Array(await new Response(stream).arrayBuffer());
  } catch (cause) {
    if (!(cause instanceof SerinError) || cause.code !== "not_found") throw cause;
    throw noProfile(from.uri, `${from.uri} has no profile.json among its files`, cause);
  }
}

/** @returns whether the registry has no version at this address yet */
export async function isFirst(uri: ModelUri, from: ModelPlace): Promise<boolean> {
  if (uri.kind !== "alias") return false;
  return await versionOf(await openClient(from), uri) === undefined;
}

async function openClient(from: ModelPlace): Promise<MlflowClient> {
  if (from.registry !== undefined) return (await openRegistryClient(from.registry, from)).client;
  throw new SerinError("usage", `${from.uri} needs --registry URL`, {
    hint: "give the address of the registry, e.g. --registry http://localhost:5000",
  });
}

async function versionOf(
  client: MlflowClient,
  uri: Extract<ModelUri, { kind: "version" | "alias" }>,
): Promise<string | undefined> {
  if (uri.kind === "version") return uri.version;
  return (await client.models.findByAlias(uri.model, uri.alias))?.version;
}

function noSuchVersion({ uri, registry }: ModelPlace): SerinError {
  return new SerinError("not_found", `There is no ${uri} in ${registry}`, {
    hint: "check the model's name and its aliases",
  });
}

function noProfile(uri: string, message: string, cause: unknown): SerinError {
  return new SerinError("not_found", message, {
    hint: `serin train writes it; without --reference ${uri} the data are checked by themselves`,
    cause,
  });
}

/** @throws {SerinError} `invalid_input` that names every column that the file lacks */
export function checkColumns(signature: Signature, dataset: Dataset, path: string): void {
  const names = dataset.columns.map((column) => column.name);
  const wanted = signature.inputs.map((spec) => spec.name);
  const missing = wanted.filter((name) => !names.includes(name));
  if (missing.length === 0) return;
  const spare = names.filter((name) => !wanted.includes(name));
  const problems = missing.map((name) => {
    const meant = didYouMean(name, spare);
    return `column "${name}" is missing${meant === undefined ? "" : ` (${meant})`}`;
  });
  throw new SerinError("invalid_input", `${path} does not fit the model: ${problems.join("; ")}`, {
    hint: `the file's columns are ${names.slice(0, 40).join(", ")}`,
    details: { missing },
  });
}

/** The model's columns; one that is text where numbers are taken is named. */
export function inputsOf(signature: Signature, rows: Dataset, start: number): GivenInput[] {
  return signature.inputs.map((spec) => {
    const column = getColumn(rows, spec.name);
    const shape = [rows.rows], given = { name: spec.name, datatype: undefined, shape };
    if (column.kind === "numeric") {
      return { ...given, firstRow: start, values: Array.from(column.values) };
    }
    if (spec.datatype !== "BYTES") {
      const found = findNonNumber(column);
      const seen = found === undefined
        ? ""
        : `: data row ${start + found.row} holds ${JSON.stringify(found.text)}`;
      throw new SerinError(
        "invalid_input",
        `Column "${spec.name}" must be ${spec.datatype}${seen}`,
        {
          hint: "the model takes numbers there: check the column, or how missing values are spelt",
        },
      );
    }
    const values = Array.from(column.codes, (code) => code < 0 ? null : column.dictionary[code]);
    return { ...given, firstRow: start, values };
  });
}
