import { type CommandContext, openProgress } from "../cli/mod.ts";
import { didYouMean, messageOf, SerinError, sha256Hex, writeFileAtomic } from "../core/mod.ts";
import { type Dataset, findNonNumber, getColumn, readCsv, sliceRows } from "../dataset/mod.ts";
import {
  configureOrt,
  type GivenInput,
  type NamedTensor,
  readOrtWasm,
  ServedModel,
  toFeeds,
} from "../inference/mod.ts";
import {
  MlflowSource,
  type ModelUri,
  nameOfPath,
  namingPath,
  parseModelUri,
  readModelPath,
  toModelFile,
} from "../serving/mod.ts";
import { openRegistryClient } from "./registry_client.ts";

/** Rows that are run at once: bounds memory, and is past the point where batches get no faster. */
const BATCH_ROWS = 4096;

/** The options of `serin predict`. */
export interface PredictOptions {
  readonly model: string;
  readonly input: string;
  readonly output: string;
  readonly registry?: string | undefined;
  readonly registryTokenFile?: string | undefined;
  readonly registryToken?: string | undefined;
  readonly json: boolean;
}

/** Predicts a file. */
export async function run(options: PredictOptions, context: CommandContext): Promise<void> {
  const uri = parseModelUri(options.model);
  const { name, version, bytes } = await fetchModel(uri, options);
  const dataset = await readInput(options.input);
  configureOrt(readOrtWasm());
  await using model = await namingPath(
    uri,
    () => ServedModel.open(toModelFile(name, version, bytes)),
  );
  checkColumns(model, dataset, options.input);
  const progress = openProgress({ interactive: context.interactive });
  const lines: string[] = [];
  for (let start = 0; start < dataset.rows; start += BATCH_ROWS) {
    const rows = sliceRows(dataset, start, start + BATCH_ROWS);
    const outputs = await model.run(toFeeds(model.signature, inputsOf(model, rows, start)));
    if (start === 0) lines.push(header(outputs, rows.rows));
    appendRows(lines, outputs, rows.rows);
    progress.update(`${start + rows.rows} of ${dataset.rows} rows`);
  }
  progress.end();
  await writeFileAtomic(options.output, lines.join("\n") + "\n");
  const result = {
    rows: dataset.rows,
    model: name,
    model_version: version,
    model_sha256: sha256Hex(bytes),
  };
  context.print(
    options.json
      ? JSON.stringify({ ...result, output: options.output })
      : `${result.rows} rows predicted by ${name} version ${version} → ${options.output}`,
  );
}

async function fetchModel(uri: ModelUri, options: PredictOptions) {
  if (uri.kind === "path") {
    return { name: nameOfPath(uri.path), version: "1", bytes: await readModelPath(uri.path) };
  }
  if (options.registry === undefined) {
    throw new SerinError("usage", `serin predict: ${options.model} needs --registry URL`, {
      hint: "give the address of the registry, e.g. --registry http://localhost:5000",
    });
  }
  const { client } = await openRegistryClient(options.registry, options);
  const source = new MlflowSource(client);
  if (uri.kind === "run") {
    const { bytes } = await source.fetchRun(uri.run, uri.path);
    return { name: nameOfPath(uri.path), version: "1", bytes };
  }
  let version = uri.kind === "version" ? uri.version : undefined;
  if (uri.kind === "alias") {
    version = (await client.models.findByAlias(uri.model, uri.alias))?.version;
  }
  if (version === undefined) {
    throw new SerinError("not_found", `There is no ${options.model} in ${options.registry}`, {
      hint: "check the model's name and its aliases",
    });
  }
  const { bytes } = await source.fetchVersion(uri.model, version);
  return { name: uri.model, version, bytes };
}

async function readInput(path: string): Promise<Dataset> {
  let bytes: Uint8Array;
  try {
    bytes = await Deno.readFile(path);
  } catch (cause) {
    const missing = cause instanceof Deno.errors.NotFound;
    const why = missing ? "there is no such file" : messageOf(cause);
    throw new SerinError(missing ? "not_found" : "storage", `Cannot read --input ${path}: ${why}`, {
      cause,
    });
  }
  return await readCsv(bytes, { source: path });
}

/** @throws {SerinError} `invalid_input` that names every column that the file lacks */
function checkColumns(model: ServedModel, dataset: Dataset, path: string): void {
  const names = dataset.columns.map((column) => column.name);
  const wanted = model.signature.inputs.map((spec) => spec.name);
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
function inputsOf(model: ServedModel, rows: Dataset, start: number): GivenInput[] {
  return model.signature.inputs.map((spec) => {
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

/** One column an output with one value a row; one a value otherwise: `probabilities_0`, … */
function header(outputs: readonly NamedTensor[], rows: number): string {
  return outputs.flatMap(({ name, data }) => {
    const width = data.length / rows;
    return width === 1
      ? [quote(name)]
      : Array.from({ length: width }, (_, i) => quote(`${name}_${i}`));
  }).join(",");
}

function appendRows(lines: string[], outputs: readonly NamedTensor[], rows: number): void {
  for (let row = 0; row < rows; row++) {
    const cells: string[] = [];
    for (const { data } of outputs) {
      const width = data.length / rows;
      for (let i = row * width; i < (row + 1) * width; i++) cells.push(quote(String(data[i])));
    }
    lines.push(cells.join(","));
  }
}

function quote(cell: string): string {
  return /[",\n\r]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell;
}
