import { z } from "zod";
import type { CommandContext } from "../cli/mod.ts";
import { parseYamlConfig } from "../config/mod.ts";
import { SerinError, sha256Hex, storageError } from "../core/mod.ts";
import type { MlflowClient } from "../mlflow/mod.ts";
import { MlflowSource, readModelPath } from "../serving/mod.ts";
import { readConfigFile } from "./config_file.ts";
import { parseVerdict, type Verdict } from "./gate_verdict.ts";
import { openRegistryClient } from "./registry_client.ts";

/** Where `serin train` puts a model among a run's artifacts. */
const MODEL_PATH = "model";
const SHA256_TAG = "serin.model_sha256";

/** The options of `serin register`. */
export interface RegisterOptions {
  readonly model: string;
  readonly name: string;
  readonly verdict?: string | undefined;
  readonly tag: readonly string[];
  readonly registry: string;
  readonly registryTokenFile?: string | undefined;
  readonly registryToken?: string | undefined;
  readonly outputs?: string | undefined;
  readonly json: boolean;
}

interface Tag {
  readonly key: string;
  readonly value: string;
}

/** Checks that folder, run and verdict are of one model, then makes the version. */
export async function run(options: RegisterOptions, context: CommandContext): Promise<void> {
  const tags = readTags(options);
  const { sha256, runId } = await readFolder(options.model);
  const verdict = await readVerdict(options, sha256);
  const { client } = await openRegistryClient(options.registry, options);
  const artifactUri = await checkRun(client, runId, { ...options, sha256 });
  await client.models.ensure(options.name);
  const all = [...tags, { key: SHA256_TAG, value: sha256 }, ...verdict?.tags ?? []];
  const known = (await client.models.get(options.name)).latest_versions
    .find((version) => version.run_id === runId);
  const version = known?.version ?? (await client.versions.create({
    name: options.name,
    source: `${artifactUri}/${MODEL_PATH}`,
    runId,
    tags: all,
  })).version;
  if (known !== undefined) await setTags(client, options.name, version, all);
  await finish(options, context, { version, runId, sha256, isNew: known === undefined, verdict });
}

function readTags({ name, tag }: RegisterOptions): Tag[] {
  // MLflow's rule, and a line break would be another output of the job.
  // deno-lint-ignore no-control-regex
  if (/[/:\x00-\x1f]/.test(name)) {
    throw new SerinError("usage", `--name ${name}: a model's name cannot have "/" or ":" in it`, {
      hint: "they are the signs of an address like models:/NAME/3",
    });
  }
  return tag.map((text) => {
    const at = text.indexOf("=");
    return { key: text.slice(0, at), value: text.slice(at + 1) };
  });
}

const mlmodelSchema = z.looseObject({ run_id: z.string().min(1) });

async function readFolder(folder: string): Promise<{ sha256: string; runId: string }> {
  const sha256 = sha256Hex(await readModelPath(folder));
  const path = `${folder}/MLmodel`;
  const { run_id } = parseYamlConfig(await readConfigFile("--model", path), mlmodelSchema, {
    source: path,
  });
  return { sha256, runId: run_id };
}

async function readVerdict(
  { model, verdict: path }: RegisterOptions,
  sha256: string,
): Promise<Verdict | undefined> {
  if (path === undefined) return undefined;
  const verdict = parseVerdict(await readConfigFile("--verdict", path), path);
  if (verdict.sha256 !== sha256) {
    throw new SerinError(
      "invalid_input",
      `${path} is about another model: it judged ${verdict.sha256}, ${model} holds ${sha256}`,
      { hint: "run `serin gate --candidate` on this folder" },
    );
  }
  if (verdict.outcome.isAllowed) return verdict;
  throw new SerinError("refused", `${model} is not registered: ${verdict.outcome.sentence}`, {
    hint: "train a better one; `serin gate --force-reason TEXT` lets it through, and is recorded",
  });
}

/** @returns the run's artifact URI, once its model file is known to be the folder's */
async function checkRun(
  client: MlflowClient,
  runId: string,
  { model, registry, sha256 }: { model: string; registry: string; sha256: string },
): Promise<string> {
  const hint = "train with --registry and this address, so that the run and its files are there";
  let found: string, artifactUri: string;
  try {
    artifactUri = (await client.runs.get(runId)).info.artifact_uri;
    found = sha256Hex((await new MlflowSource(client).fetchRun(runId, MODEL_PATH)).bytes);
  } catch (cause) {
    if (!(cause instanceof SerinError) || cause.code !== "not_found") throw cause;
    const what = `${registry} does not have the model of run ${runId}, which ${model} is of`;
    throw new SerinError("not_found", what, { hint, cause });
  }
  if (found === sha256) return artifactUri;
  throw new SerinError(
    "conflict",
    `${model} was changed: its model is ${sha256}, that of run ${runId} on ${registry} is ${found}`,
    { hint },
  );
}

async function setTags(client: MlflowClient, name: string, version: string, tags: readonly Tag[]) {
  for (const { key, value } of tags) await client.versions.setTag(name, version, key, value);
}

interface Registered {
  readonly version: string;
  readonly runId: string;
  readonly sha256: string;
  readonly isNew: boolean;
  readonly verdict: Verdict | undefined;
}

async function finish(
  { name, outputs, json }: RegisterOptions,
  { print }: CommandContext,
  { version, runId, sha256, isNew, verdict }: Registered,
): Promise<void> {
  const uri = `models:/${name}/${version}`;
  if (outputs !== undefined) {
    try {
      await Deno.writeTextFile(outputs, `version=${version}\nmodel_uri=${uri}\n`, { append: true });
    } catch (cause) {
      throw storageError(`${uri} is registered, but --outputs ${outputs} cannot be written`, cause);
    }
  }
  if (json) {
    const gate = verdict?.outcome.outcome ?? null;
    const head = { name, version, model_uri: uri, is_new: isNew };
    print(JSON.stringify({ ...head, run_id: runId, model_sha256: sha256, gate }));
    return;
  }
  print(`${uri} ${isNew ? "is registered" : "was registered already"}`);
  print(`run   ${runId}`);
  print(`gate  ${verdict?.outcome.sentence ?? "no verdict given (--verdict)"}`);
}
