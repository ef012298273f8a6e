import { type CommandContext, formatTable, openProgress } from "../cli/mod.ts";
import { parseYamlConfig } from "../config/mod.ts";
import { type Log, messageOf, OutputFolder, SerinError, systemClock } from "../core/mod.ts";
import { type Dataset, sliceRows } from "../dataset/mod.ts";
import { configureOrt, openOrtSession, readOrtWasm } from "../inference/mod.ts";
import {
  type ReferenceRunner,
  type RunLog,
  SPEC_SYNONYMS,
  type TrainedModel,
  trainModel,
  type TrainRequest,
  type TrainSpec,
  trainSpecSchema,
  trainTracked,
} from "../train/mod.ts";
import { type DataAccess, nameData, readData } from "./data_source.ts";
import { openRegistryClient, waitUntilReachable } from "./registry_client.ts";
import { openMlflowRunLog } from "./train_run_log.ts";

/** The options of `serin train`. */
export interface TrainOptions extends DataAccess {
  readonly data: string;
  readonly target?: string | undefined;
  readonly spec?: string | undefined;
  readonly rows?: string | undefined;
  readonly out: string;
  readonly overwrite: boolean;
  readonly registry?: string | undefined;
  readonly registryTokenFile?: string | undefined;
  readonly registryToken?: string | undefined;
  readonly registryWaitSeconds: number;
  readonly experiment?: string | undefined;
  readonly register?: string | undefined;
  readonly tag?: readonly string[];
  readonly json: boolean;
}

/** What a test may replace. */
export interface TrainParts {
  readonly reference?: ReferenceRunner;
  readonly runLog?: RunLog;
}

/** Trains, writes the folder, records the run, prints the result. */
export async function run(
  options: TrainOptions,
  context: CommandContext,
  parts: TrainParts = {},
): Promise<void> {
  const rows = checkOptions(options);
  const spec = await readSpec(options);
  await using folder = await OutputFolder.open(options.out, options.overwrite);
  const dataset = await readRows(options, rows, context.log);
  const progress = openProgress({ interactive: context.interactive });
  const request: TrainRequest = {
    dataset,
    spec,
    target: options.target,
    reference: parts.reference ?? ortReference(),
    now: systemClock.now(),
    onRound: (round, loss) => {
      const losses = loss === undefined ? "" : `, validation loss ${loss.toFixed(5)}`;
      progress.update(`round ${round} of ${spec.gbdt.trees}${losses}`);
    },
  };
  try {
    if (options.registry === undefined) {
      const trained = await trainModel(request);
      await folder.write(trained.files);
      printResult(options, context, trained, undefined);
      return;
    }
    const runLog = parts.runLog ?? await connect(options.registry, options, context.log);
    const { trained, version } = await trainTracked(request, runLog, {
      register: options.register,
      save: (trained) => folder.write(trained.files),
      ...tagsOf(options),
    });
    printResult(options, context, trained, version);
  } finally {
    progress.end();
  }
}

/** Where the rows came from, for the run; what the command line says, for run and version. */
function tagsOf({ data, rows, tag = [] }: TrainOptions) {
  const versionTags = Object.fromEntries(tag.map((text) => {
    const at = text.indexOf("=");
    return [text.slice(0, at), text.slice(at + 1)];
  }));
  const source = {
    "serin.data": nameData(data),
    ...(rows === undefined ? {} : { "serin.rows": rows }),
  };
  return { versionTags, runTags: { ...versionTags, ...source } };
}

/** onnxruntime as the runtime that a model must agree with; one session a model. */
export function ortReference(): ReferenceRunner {
  let configured = false;
  return {
    async run(model, columns) {
      if (!configured) configureOrt(readOrtWasm());
      configured = true;
      await using session = await openOrtSession(model);
      const outputs = await session.run(columns.map(({ name, values }) => ({
        name,
        datatype: "FP32" as const,
        shape: [values.length, 1],
        data: values,
      })));
      const find = (name: string) => outputs.find((output) => output.name === name)?.data;
      const prediction = find("prediction");
      if (prediction !== undefined) return prediction as Float32Array;
      const pairs = find("probabilities") as Float32Array;
      return Float32Array.from({ length: pairs.length / 2 }, (_, row) => pairs[2 * row + 1]);
    },
  };
}

function checkOptions(options: TrainOptions): { start: number; end: number } | undefined {
  const problems: string[] = [];
  if (options.register !== undefined && options.registry === undefined) {
    problems.push("--register needs --registry URL");
  }
  if ((options.tag ?? []).length > 0 && options.registry === undefined) {
    problems.push("--tag needs --registry URL: a folder has no tags");
  }
  // MLflow's rule: told before the training, not after it.
  if (/[/:]/.test(options.register ?? "")) {
    problems.push(`--register ${options.register}: a model's name cannot have "/" or ":" in it`);
  }
  const [start, end] = (options.rows ?? "0-1").split("-").map(Number);
  if (!(start < end)) problems.push(`--rows ${options.rows} is empty: A must be below B`);
  if (problems.length > 0) throw new SerinError("usage", problems.join("; "));
  return options.rows === undefined ? undefined : { start, end };
}

async function readSpec(options: TrainOptions): Promise<TrainSpec> {
  const text = options.spec === undefined ? "" : new TextDecoder().decode(
    await readFile(options.spec, "--spec"),
  );
  const source = options.spec ?? "train.yaml";
  const spec = parseYamlConfig(text, trainSpecSchema, { source, synonyms: SPEC_SYNONYMS });
  return { ...spec, experiment: options.experiment ?? spec.experiment };
}

async function connect(registry: string, options: TrainOptions, log: Log): Promise<RunLog> {
  const { client } = await openRegistryClient(registry, options);
  const { fetch } = globalThis;
  const secondsMax = options.registryWaitSeconds;
  await waitUntilReachable(registry, { secondsMax, clock: systemClock, log, fetch });
  return openMlflowRunLog(client, systemClock);
}

async function readRows(
  options: TrainOptions,
  rows: { start: number; end: number } | undefined,
  log: Log,
): Promise<Dataset> {
  const dataset = await readData(options.data, options, log);
  if (rows === undefined) return dataset;
  if (rows.end > dataset.rows) {
    const seen = `${nameData(options.data)} has ${dataset.rows} data rows`;
    throw new SerinError(
      "invalid_input",
      `--rows ${rows.start}-${rows.end} goes past the end: ${seen}`,
    );
  }
  return sliceRows(dataset, rows.start, rows.end);
}

async function readFile(path: string, flag: string): Promise<Uint8Array> {
  try {
    return await Deno.readFile(path);
  } catch (cause) {
    const missing = cause instanceof Deno.errors.NotFound;
    throw new SerinError(
      missing ? "not_found" : "storage",
      `Cannot read ${flag} ${path}: ${missing ? "there is no such file" : messageOf(cause)}`,
      { cause },
    );
  }
}

function printResult(
  options: TrainOptions,
  context: CommandContext,
  { runId, modelSha256, evaluation, spec }: TrainedModel,
  version: string | undefined,
): void {
  const registered = version === undefined ? null : { name: options.register, version };
  if (options.json) {
    context.print(JSON.stringify({
      run_id: runId,
      model_sha256: modelSha256,
      out: options.out,
      registered,
      objective: evaluation.objective,
      target: spec.target,
      trees: evaluation.trees,
      rows: evaluation.rows,
      evaluated_on: evaluation.evaluated_on,
      metrics: evaluation.metrics,
      calibration: evaluation.calibration,
      dataset_digest: evaluation.dataset_digest,
    }));
    return;
  }
  const text = (value: number | null) =>
    value === null ? "—" : Number.isInteger(value) ? String(value) : value.toFixed(5);
  const metrics = Object.entries(evaluation.metrics).map(([name, value]) => [name, text(value)]);
  context.print(formatTable([`${evaluation.evaluated_on} part`, "value"], metrics));
  context.print("");
  context.print(`${evaluation.trees} trees, ${evaluation.rows.train} rows to train on`);
  context.print(`model   ${options.out} (sha256 ${modelSha256})`);
  context.print(`run     ${runId}`);
  if (registered !== null) context.print(`version ${version} of ${options.register}`);
}
